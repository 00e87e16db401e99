"""Procedures and articles in the console, the markup of articles, and what is answered from them."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.utils import InternalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import knowledge, services
from cases.markup import as_html, as_text
from cases.models import Application, Article, ArticleVersion, Case, Procedure
from cases.services import filing, procedures
from cases.services import knowledge as verbs
from crm.accounts.actors import system_actor
from crm.citizens.models import Citizen, ContactPoint
from crm.citizens.services.registration import Duplicates
from crm.kit.errors import Changed, Conflict, Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import ORIGIN, employee
from tests.factories.cases import ArticleFactory, CaseTypeFactory, ProcedureFactory
from tests.factories.citizens import CitizenFactory

# --- Markup ---


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Uno\ndos\n\ntres", "<p>Uno dos</p><p>tres</p>"),
        ("## Qué\n- a\n- b\n1. c", "<h2>Qué</h2><ul><li>a</li><li>b</li></ul><ol><li>c</li></ol>"),
        ("**a** <b>", "<p><strong>a</strong> &lt;b&gt;</p>"),
        ("[x](https://a.es/?q=1&r=2)", '<p><a href="https://a.es/?q=1&amp;r=2">x</a></p>'),
        ("[x](/sede/)", '<p><a href="/sede/">x</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](//evil.es)", "<p>[x](//evil.es)</p>"),
        ('[x](https://a"onclick=b)', "<p>[x](https://a&quot;onclick=b)</p>"),
        ("[<img>](https://a.es)", '<p><a href="https://a.es">&lt;img&gt;</a></p>'),
    ],
)
def test_markup_becomes_its_shapes_and_nothing_else(text: str, html: str) -> None:
    assert as_html(text) == html


def test_the_words_alone_have_no_marks() -> None:
    assert as_text("## Qué\n- **uno** y [dos](https://a.es)") == "Qué\nuno y dos"


# --- Procedures ---


def _said(world: World, **more: object) -> procedures.Description:
    kind = CaseTypeFactory(organisation=world.here)
    words = procedures.Words(name="Vado", summary="Para entrar con el coche.")
    given = {"case_type": kind.code, "unit": world.unit.uuid, "texts": {"es": words}, **more}
    return procedures.Description(**given)  # type: ignore[arg-type]


def test_who_may_not_writes_no_procedure(world: World) -> None:
    with pytest.raises(Refused):
        procedures.create_procedure(world.actor(world.alice), "vado", _said(world))


def test_two_who_change_a_procedure_do_not_write_over_each_other(world: World) -> None:
    actor = system_actor(world.here, ORIGIN)
    row = ProcedureFactory(unit=world.unit, code="vado")
    seen = row.updated_at
    procedures.change_procedure(actor, "vado", _said(world), seen=seen)
    with pytest.raises(Changed):
        procedures.change_procedure(actor, "vado", _said(world), seen=seen)


def test_a_form_without_what_its_case_type_requires_is_refused(world: World) -> None:
    fields = {"properties": {"calle": {"type": "string"}}, "required": ["calle"]}
    kind = CaseTypeFactory(organisation=world.here, fields=fields)
    form = {"properties": {"otra": {"type": "string"}}}
    with pytest.raises(Invalid) as refused:
        procedures.create_procedure(
            system_actor(world.here, ORIGIN), "vado", _said(world, case_type=kind.code, form=form)
        )
    assert list(refused.value.errors) == ["form"]


def test_an_administrator_writes_publishes_and_retires_a_procedure(world: World) -> None:
    boss = employee(world.here, "administrator", full_name="Admin")
    kind = CaseTypeFactory(organisation=world.here, code="licencia")
    client = Client()
    client.force_login(boss, backend=settings.AUTHENTICATION_BACKENDS[1])
    filled = {
        "code": "vado",
        "case_type": kind.code,
        "unit": str(world.unit.uuid),
        "silence": "denied",
        "es.name": "Vado permanente",
        "es.summary": "Para entrar con el coche.",
        "form_schema": '{"properties": {"calle": {"type": "string"}}',
    }
    refused = client.post(reverse("cases:new_procedure"), filled)
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["form_schema"]
    made = client.post(reverse("cases:new_procedure"), {**filled, "form_schema": ""})
    assert made.url == reverse("cases:procedure", args=["vado"])
    row = Procedure.objects.unscoped("a test looks").get()
    assert (row.status, row.silence) == ("draft", "denied")
    client.post(reverse("cases:publish_procedure", args=["vado"]))
    row.refresh_from_db()
    assert row.status == "published"
    client.post(reverse("cases:retire_procedure", args=["vado"]))
    row.refresh_from_db()
    assert row.status == "retired"


# --- Articles ---


def test_what_is_published_never_changes(world: World) -> None:
    article = ArticleFactory(unit=world.unit, title="Antes", body="Antes.")
    version = ArticleVersion.objects.unscoped("a test").get()
    for column in ("title", "body"):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            connection.cursor().execute(
                f"UPDATE cases_articleversion SET {column} = 'x' WHERE id = {version.pk}"  # noqa: S608
            )
    with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
        connection.cursor().execute(f"DELETE FROM cases_articleversion WHERE id = {version.pk}")  # noqa: S608
    actor = system_actor(world.here, ORIGIN)
    later = timezone.localdate() + timedelta(days=5)
    verbs.change_article(actor, article.uuid, title="Ahora", body="Ahora.", review_on=later)
    assert knowledge.one(actor, article.code, "es").title == "Antes"
    verbs.publish_article(actor, article.uuid)
    assert knowledge.one(actor, article.code, "es").title == "Ahora"
    numbers = article.versions.order_by("number").values_list("number", "status", "title")
    assert list(numbers) == [(1, "superseded", "Antes"), (2, "published", "Ahora")]


def test_there_is_one_published_version_at_most(world: World) -> None:
    article = ArticleFactory(unit=world.unit)
    with pytest.raises(IntegrityError), transaction.atomic():
        ArticleVersion.objects.create(
            article=article,
            number=9,
            status="published",
            title="T",
            body="B",
            author_name="A",
            published_at=timezone.now(),
        )


def test_an_agent_drafts_and_a_supervisor_publishes(world: World) -> None:
    alice = world.actor(world.alice)
    made = verbs.create_article(
        alice, code="vado", language="es", title="T", body="B", review_on=date(2100, 1, 1)
    )
    with pytest.raises(Refused):
        verbs.publish_article(alice, made.uuid)
    boss = employee(world.here, "supervisor", unit=world.unit, full_name="Super")
    verbs.publish_article(world.actor(boss), made.uuid)
    with pytest.raises(Conflict):
        verbs.publish_article(world.actor(boss), made.uuid)


def test_what_is_due_for_review_comes_up_and_goes_when_it_still_holds(world: World) -> None:
    actor = system_actor(world.here, ORIGIN)
    today = timezone.localdate()
    due = ArticleFactory(unit=world.unit, review_on=today)
    ArticleFactory(unit=world.unit, review_on=today + timedelta(days=1))
    ArticleFactory(unit=world.unit, review_on=today, published=False)
    retired = ArticleFactory(unit=world.unit, review_on=today)
    verbs.retire_article(actor, retired.uuid)
    assert list(knowledge.due_for_review(actor)) == [due]
    with pytest.raises(Invalid):
        verbs.review_article(actor, due.uuid, until=today)
    verbs.review_article(actor, due.uuid, until=today + timedelta(days=9))
    assert list(knowledge.due_for_review(actor)) == []


def test_an_article_in_the_console(world: World) -> None:
    client = Client()
    boss = employee(world.here, "supervisor", unit=world.unit, full_name="Super")
    client.force_login(boss, backend=settings.AUTHENTICATION_BACKENDS[1])
    filled = {
        "code": "vado",
        "language": "es",
        "unit": str(world.unit.uuid),
        "title": "¿Cuánto cuesta un vado?",
        "body": "Nada.",
        "review_on": "2100-01-01",
    }
    made = client.post(reverse("cases:new_article"), filled)
    article = Article.objects.unscoped("a test looks").get()
    assert made.url == reverse("cases:article", args=[article.uuid])
    client.post(reverse("cases:publish_article", args=[article.uuid]))
    listed = client.get(reverse("cases:articles"), {"q": "vados"})
    assert [row.title for row in listed.context["articles"]] == ["¿Cuánto cuesta un vado?"]
    stale = client.post(
        reverse("cases:article", args=[article.uuid]),
        {**filled, "body": "Algo.", "seen": "0"},
    )
    assert stale.status_code == 422
    assert "Somebody has published another version" in stale.content.decode()


# --- Answering ---


def test_answers_come_from_what_is_published_here_and_follow_it(world: World) -> None:
    actor = system_actor(world.here, ORIGIN)
    question = "¿Cuánto cuesta el vado permanente?"
    assert knowledge.answer(actor, question) is None
    for number in range(5):
        ArticleFactory(unit=world.unit, title=f"Otra cosa {number}", body="Nada que ver con eso.")
    words = {
        "title": "¿Cuánto cuesta un vado permanente?",
        "body": "El vado permanente cuesta 90 euros al año. Se paga en enero.",
    }
    draft = ArticleFactory(unit=world.unit, published=False, code="vado", **words)
    ArticleFactory(unit=world.foreign_unit, **words)
    assert knowledge.answer(actor, question) is None
    verbs.publish_article(actor, draft.uuid)
    found = knowledge.answer(actor, question)
    assert found is not None
    assert (found.code, found.excerpt.startswith("El vado permanente cuesta 90 euros")) == (
        "vado",
        True,
    )
    assert knowledge.answer(actor, "¿Quién ganó la liga de baloncesto en 1987?") is None
    verbs.retire_article(actor, draft.uuid)
    assert knowledge.answer(actor, question) is None
    with pytest.raises(NotFound):
        knowledge.one(actor, "vado", "es")


# --- Who an applicant is ---


@pytest.fixture
def filed(world: World) -> Case:
    """A case that a stranger filed who says to be Lucía Marín."""
    procedure = ProcedureFactory(unit=world.unit)
    applicant = filing.Applicant(
        name="Lucía", surname1="Marín", identifier="12345678Z", email="lucia@example.org"
    )
    return filing.file_application(
        system_actor(world.here, ORIGIN),
        procedure.code,
        key=uuid4(),
        applicant=applicant,
        answers={},
        request="Pido.",
    ).case


def test_an_employee_registers_the_applicant_and_nothing_counts_as_verified(
    world: World, filed: Case
) -> None:
    alice = world.actor(world.alice)
    filing.identify_applicant(alice, filed.uuid)
    filed.refresh_from_db()
    assert filed.citizen is not None
    assert filed.citizen.full_name == "Lucía Marín"
    assert not filed.citizen.identifiers.exists()
    point = ContactPoint.objects.unscoped("a test looks").get()
    assert (point.address, point.verified_at) == ("lucia@example.org", None)
    with pytest.raises(Conflict):
        filing.identify_applicant(alice, filed.uuid)


def test_somebody_alike_is_shown_first_and_chosen_by_a_person(world: World, filed: Case) -> None:
    alice = world.actor(world.alice)
    known = CitizenFactory(organisation=world.here, name="Lucía", surname1="Marín", surname2="")
    with pytest.raises(Duplicates):
        filing.identify_applicant(alice, filed.uuid)
    application = Application.objects.unscoped("a test looks").get()
    assert [one.citizen for one in filing.candidates(alice, application)] == [known]
    client = Client()
    client.force_login(world.alice, backend=settings.AUTHENTICATION_BACKENDS[1])
    address = reverse("cases:applicant", args=[filed.uuid])
    assert "It is Lucía Marín" in client.get(address).content.decode()
    client.post(address, {"citizen": str(known.uuid)})
    filed.refresh_from_db()
    assert filed.citizen == known
    assert Citizen.objects.unscoped("a test looks").count() == 1


def test_the_case_says_that_nobody_has_checked_the_applicant(world: World, filed: Case) -> None:
    client = Client()
    client.force_login(world.alice, backend=settings.AUTHENTICATION_BACKENDS[1])
    page = client.get(reverse("cases:detail", args=[filed.uuid])).content.decode()
    assert "Applicant, as they say themselves" in page
    assert reverse("cases:applicant", args=[filed.uuid]) in page
    services.take_case(world.actor(world.alice), filed.uuid)

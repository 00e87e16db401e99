"""Mandates: what they let be done, what the database refuses, and what their verbs say."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.citizens.mandate_ports import coverables
from crm.citizens.mandates import LEAST, Subject, extent, last_day, may, state_of, weigh
from crm.citizens.models import (
    Act,
    AuthorisedProfessional,
    Citizen,
    CitizenRecord,
    Mandate,
    MandatePaper,
)
from crm.citizens.representing import extent_of, page_of, relations, weighed
from crm.citizens.services import mandates as verbs
from crm.citizens.services.many_mandates import register_many
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.citizens import CitizenFactory
from tests.factories.mandates import make_mandate, new_mandate, stored

pytestmark = pytest.mark.django_db
MADRID = ZoneInfo("Europe/Madrid")
DAY = date(2026, 3, 2)
NOON = datetime.combine(DAY, time(12), MADRID)


@dataclass
class Scene:
    """An employee, and people who speak for each other."""

    actor: Actor
    father: Citizen
    daughter: Citizen
    agency: Citizen


@pytest.fixture
def scene(world: World, monkeypatch: pytest.MonkeyPatch) -> Scene:
    offered = {"pension": "Pensiones", "padron": "Padrón"}
    monkeypatch.setitem(coverables._entries, "matter", lambda _actor: offered)
    monkeypatch.setitem(coverables._entries, "procedure", lambda _actor: {"vida": "Vida laboral"})
    people = [
        CitizenFactory(name=name, surname1=surname, organisation=world.here)
        for name, surname in (("Manuel", "García"), ("Carmen", "García"), ("Gestoría", "Sol"))
    ]
    return Scene(acting(employee(world.here, "office")), *people)


# --- The decision, against a naive oracle ---------------------------------------------------------

_ACTS = list(Act.values)
_MATTERS = ["pension", "padron", "ayuda"]
_days = st.integers(-3, 3).map(lambda n: DAY + timedelta(days=n))
_moments = st.integers(-60, 60).map(lambda n: NOON + timedelta(hours=n))


@st.composite
def _mandates(draw: st.DrawFn) -> Mandate:
    scope = draw(st.sampled_from(["general", "matter", "procedure"]))
    start = draw(_days)
    end = draw(st.none() | st.just(start + timedelta(days=draw(st.integers(0, 4)))))
    ended = draw(st.none() | _moments)
    gone = draw(st.none() | st.none() | _moments)
    return Mandate(
        scope=scope,
        covers=[]
        if scope == "general"
        else draw(st.lists(st.sampled_from(_MATTERS), min_size=1, unique=True)),
        acts=draw(st.lists(st.sampled_from(_ACTS), min_size=1, unique=True)),
        proof="registered",
        assurance=draw(st.sampled_from([1, 2, 3])),
        granted_on=start,
        valid_from=start,
        valid_until=end,
        verified_at=draw(st.none() | _moments),
        ended_at=ended,
        ended_how="revoked" if ended else "",
        professional=AuthorisedProfessional(ended_at=gone) if gone else None,
    )


_subjects = st.builds(
    Subject,
    matter=st.sampled_from(["", *_MATTERS]),
    procedures=st.frozensets(st.sampled_from(_MATTERS)),
)


def naive(mandates: list[Mandate], act: str, subject: Subject, at: datetime) -> bool:
    """The rule said as plainly as it goes, one mandate at a time."""
    allowed = False
    local = at.astimezone(MADRID).date()
    for one in mandates:
        if one.scope == "general":
            reached = True
        elif one.scope == "matter":
            reached = any(code == subject.matter for code in one.covers)
        else:
            reached = any(code in one.covers for code in subject.procedures)
        days = [one.valid_from + timedelta(days=n) for n in range(10)]
        if one.valid_until is None:
            running = local >= one.valid_from
        else:
            running = local in [day for day in days if day <= one.valid_until]
        if one.ended_at is not None and at >= one.ended_at:
            running = False
        if one.professional and one.professional.ended_at and at >= one.professional.ended_at:
            running = False
        sure = one.verified_at is not None and at >= one.verified_at
        strong = one.assurance >= (2 if act == "withdraw" else 1)
        if reached and running and sure and strong and act in one.acts:
            allowed = True
    return allowed


@settings(max_examples=400, deadline=None)
@given(st.lists(_mandates(), max_size=4), st.sampled_from(_ACTS), _subjects, _moments)
def test_what_is_decided_equals_the_naive_rule(
    mandates: list[Mandate], act: str, subject: Subject, at: datetime
) -> None:
    found = weigh(mandates, act, subject, at)
    assert bool(found) is naive(mandates, act, subject, at)
    assert bool(may(mandates, act, subject, at)) is bool(found)
    if found:
        assert found.mandate in mandates
        assert naive([found.mandate], act, subject, at)
    else:
        assert str(found.decision.reason).strip()
        assert "%" not in str(found.decision.reason)


@settings(max_examples=200, deadline=None)
@given(st.lists(_mandates(), max_size=4), st.sampled_from(_ACTS), _moments)
def test_how_far_an_act_reaches_is_what_is_decided_for_each_subject(
    mandates: list[Mandate], act: str, at: datetime
) -> None:
    found = extent(mandates, act, at)
    for code in _MATTERS:
        by_matter = found.everything or code in found.codes.get("matter", ())
        assert by_matter is naive(mandates, act, Subject(matter=code), at)
        by_procedure = found.everything or code in found.codes.get("procedure", ())
        assert by_procedure is naive(mandates, act, Subject(procedures=frozenset([code])), at)
    assert found.everything is naive(mandates, act, Subject(), at)
    assert bool(found.refusal) is (not found.codes)


def test_the_reason_is_that_of_the_mandate_that_comes_nearest() -> None:
    expired = _plain(valid_until=DAY - timedelta(days=1))
    elsewhere = _plain(scope="matter", covers=["padron"])
    assert (
        str(may([elsewhere, expired], "inform", Subject("pension"), NOON).reason)
        == "The mandate expired on 1 de marzo de 2026."
    )
    revoked = _plain(ended_at=NOON - timedelta(hours=1), ended_how="revoked")
    said = str(may([revoked, expired], "inform", Subject("pension"), NOON).reason)
    assert said == "The mandate was revoked on 2 de marzo de 2026, 11:00."
    assert "Withdraw" in str(may([_plain()], "withdraw", Subject(), NOON).reason)
    weak = _plain(acts=["withdraw"], assurance=1)
    assert str(may([weak], "withdraw", Subject(), NOON).reason).startswith("The proof of the")
    assert str(may([], "inform", Subject(), NOON).reason) == (
        "There is no mandate on record between the two."
    )


def test_every_act_says_how_sure_it_must_be() -> None:
    assert set(LEAST) == set(Act.values)


def _plain(**values: Any) -> Mandate:
    said: dict[str, Any] = {
        "scope": "general",
        "covers": [],
        "acts": ["inform"],
        "assurance": 3,
        "granted_on": DAY - timedelta(days=9),
        "valid_from": DAY - timedelta(days=9),
        "verified_at": NOON - timedelta(days=9),
        **values,
    }
    return Mandate(**said)


@pytest.mark.parametrize(
    ("granted", "last"),
    [(date(2026, 3, 2), date(2031, 3, 2)), (date(2024, 2, 29), date(2029, 2, 28))],
)
def test_five_years_from_its_inscription(granted: date, last: date) -> None:
    assert last_day(granted) == last


# --- What the database refuses --------------------------------------------------------------------


def test_no_equal_mandate_lies_over_another(scene: Scene) -> None:
    today = timezone.localdate()
    first = make_mandate(
        scene.actor, scene.father, scene.daughter, scope="matter", covers=["pension", "padron"]
    )
    with pytest.raises(Conflict) as error:
        make_mandate(
            scene.actor,
            scene.father,
            scene.daughter,
            scope="matter",
            covers=["padron", "pension"],  # the same ones, said in another order
            acts=["file", "inform"],
            valid_until=today,
        )
    assert error.value.code == "mandate_overlaps"
    # something else, somebody else, the other way round, or later is none
    make_mandate(scene.actor, scene.father, scene.daughter, scope="matter", covers=["pension"])
    make_mandate(scene.actor, scene.father, scene.daughter, acts=["notify"])
    make_mandate(scene.actor, scene.daughter, scene.father)
    make_mandate(scene.actor, scene.father, scene.agency)
    verbs.end_mandate(scene.actor, first.uuid, "revoked", reason="Lo pide el poderdante")
    make_mandate(
        scene.actor, scene.father, scene.daughter, scope="matter", covers=["pension", "padron"]
    )
    assert Mandate.objects.count() == 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"holder": "father"},
        {"valid_until": DAY - timedelta(days=1)},
        {"valid_from": DAY - timedelta(days=1)},
        {"covers": ["pension"]},
        {"scope": "matter"},
        {"acts": []},
        {"acts": ["everything"]},
        {"proof": "registered", "valid_until": None},
        {"proof": "registered", "valid_until": date(2031, 3, 3)},
        {"proof": "red"},
        {"ended_at": NOON},
        {"verified_at": NOON},
    ],
    ids=str,
)
def test_the_database_refuses_what_no_verb_would_write(scene: Scene, wrong: dict[str, Any]) -> None:
    values = {
        "organisation_id": scene.actor.organisation_id,
        "grantor": scene.father,
        "holder": scene.daughter,
        "scope": "general",
        "acts": ["inform"],
        "proof": "public_deed",
        "assurance": 3,
        "granted_on": DAY,
        "valid_from": DAY,
        "recorded_by": "Una prueba",
    }
    with transaction.atomic():
        Mandate.objects.create(**values)
        transaction.set_rollback(True)
    changed = {
        key: getattr(scene, value) if key == "holder" else value for key, value in wrong.items()
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Mandate.objects.create(**{**values, **changed})


def test_a_mandate_is_not_deleted_its_terms_stand_and_what_ended_stays_so(scene: Scene) -> None:
    mandate = make_mandate(scene.actor, scene.father, scene.daughter)
    rows = Mandate.objects.filter(pk=mandate.pk)
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        rows.delete()
    for change in (
        {"acts": ["inform", "notify"]},
        {"valid_until": mandate.granted_on},
        {"scope": "matter", "covers": ["pension"]},
        {"proof": "public_deed"},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    verbs.end_mandate(scene.actor, mandate.uuid, "revoked", reason="Lo pide")
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(ended_at=None, ended_how="", ended_reason="", ended_by="")
    with pytest.raises(IntegrityError), transaction.atomic():  # whoever merges people must decide
        rows.update(holder=scene.father)


# --- Verbs ----------------------------------------------------------------------------------------


def test_what_is_recorded_counts_once_its_proof_is_checked(scene: Scene) -> None:
    mandate = make_mandate(scene.actor, scene.father, scene.daughter, checked=False)
    pair = (scene.daughter.pk, scene.father.pk)
    why = weighed(scene.actor, *pair, "inform").decision.reason
    assert str(why) == "Nobody has checked the proof of the mandate yet."
    verbs.verify_mandate(scene.actor, mandate.uuid, assurance=2)
    found = weighed(scene.actor, *pair, "inform")
    assert found.mandate == mandate
    assert found.mandate.verified_by == scene.actor.name
    assert found.mandate.assurance == 2
    with pytest.raises(Conflict) as error:
        verbs.verify_mandate(scene.actor, mandate.uuid)
    assert error.value.code == "mandate_verified"
    acts = AuditEntry.objects.filter(data__id=str(mandate.uuid)).order_by("id")
    told = [(one.action, one.data["mandate"], one.data["side"]) for one in acts]
    assert told == [
        ("citizens.manage_mandates", "granted", "grantor"),
        ("citizens.manage_mandates", "granted", "holder"),
        ("citizens.verify_mandate", "verified", "grantor"),
        ("citizens.verify_mandate", "verified", "holder"),
    ]


def test_what_is_proved_on_paper_asks_for_the_paper(scene: Scene) -> None:
    made = make_mandate(
        scene.actor, scene.father, scene.daughter, checked=False, proof="public_deed"
    )
    with pytest.raises(Invalid) as error:
        verbs.verify_mandate(scene.actor, made.uuid)
    assert list(error.value.errors) == ["paper"]
    paper = verbs.attach_paper(scene.actor, made.uuid, [b"Ante el notario"], "escritura.txt")
    assert verbs.attach_paper(scene.actor, made.uuid, [b"Ante el notario"], "otra.txt") == paper
    assert verbs.verify_mandate(scene.actor, made.uuid).assurance == 3
    opened = verbs.open_paper(scene.actor, made.uuid, paper.uuid)
    assert (opened.name, opened.sha256) == ("escritura.txt", paper.sha256)
    assert AuditEntry.objects.filter(action="downloaded").get().data["paper"] == "escritura.txt"


def test_a_weak_proof_is_not_made_strong(scene: Scene) -> None:
    made = verbs.register_mandate(
        scene.actor,
        scene.father.uuid,
        new_mandate(scene.daughter, proof="private", remarks="Llamó el día 2", acts=["withdraw"]),
        paper=stored(),
    )
    with pytest.raises(Invalid) as error:
        verbs.verify_mandate(scene.actor, made.uuid, assurance=3)
    assert list(error.value.errors) == ["assurance"]
    verbs.verify_mandate(scene.actor, made.uuid)
    found = weighed(scene.actor, scene.daughter.pk, scene.father.pk, "withdraw")
    assert str(found.decision.reason).startswith("The proof of the mandate is too weak")


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"scope": "matter", "covers": ["none-such"]}, ["covers"]),
        ({"scope": "matter"}, ["covers"]),
        ({"covers": ["pension"]}, ["covers"]),
        ({"scope": "all"}, ["scope"]),
        ({"acts": []}, ["acts"]),
        ({"acts": ["fly"]}, ["acts"]),
        ({"proof": "word"}, ["proof"]),
        ({"proof": "red"}, ["proof"]),
        ({"proof": "private"}, ["remarks"]),
        ({"proof_number": ""}, ["proof_number"]),
        ({"valid_until": None}, ["valid_until"]),
        ({"valid_until": date(2099, 1, 1)}, ["valid_until"]),
        ({"granted_on": date(9998, 1, 1), "valid_until": date(9999, 1, 1)}, ["granted_on"]),
        ({"valid_from": date(2020, 1, 1)}, ["valid_from"]),
        ({"acts": [], "scope": "all", "remarks": "x" * 300}, ["scope", "acts", "remarks"]),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_at_its_field(
    scene: Scene, wrong: dict[str, Any], fields: list[str]
) -> None:
    with pytest.raises(Invalid) as error:
        make_mandate(scene.actor, scene.father, scene.daughter, **wrong)
    assert list(error.value.errors) == fields
    assert not Mandate.objects.exists()


def test_nobody_is_their_own_representative(scene: Scene) -> None:
    with pytest.raises(Invalid) as error:
        make_mandate(scene.actor, scene.father, scene.father)
    assert list(error.value.errors) == ["holder"]


def test_revoking_ends_it_at_once_and_keeps_the_row(scene: Scene) -> None:
    mandate = make_mandate(scene.actor, scene.father, scene.daughter)
    assert extent_of(scene.actor, scene.daughter.pk, scene.father.pk).everything
    with pytest.raises(Invalid):
        verbs.end_mandate(scene.actor, mandate.uuid, "revoked", reason="  ")
    with pytest.raises(Invalid):
        verbs.end_mandate(scene.actor, mandate.uuid, "burnt", reason="Porque sí")
    ended = verbs.end_mandate(scene.actor, mandate.uuid, "revoked", reason="Lo pide Manuel")
    assert (ended.ended_how, ended.ended_reason, ended.ended_by) == (
        "revoked",
        "Lo pide Manuel",
        scene.actor.name,
    )
    found = extent_of(scene.actor, scene.daughter.pk, scene.father.pk)
    assert found.refusal.startswith("The mandate was revoked on")
    # at the moment before, it counted: history is read as it was
    mandate.refresh_from_db()
    assert mandate.verified_at
    assert state_of(mandate, mandate.verified_at) == "in_force"
    assert state_of(mandate, timezone.now()) == "revoked"
    with pytest.raises(Conflict) as error:
        verbs.end_mandate(scene.actor, mandate.uuid, "renounced", reason="Otra vez")
    assert error.value.code == "mandate_ended"


def test_extending_makes_a_new_one_from_the_day_after(scene: Scene) -> None:
    old = make_mandate(scene.actor, scene.father, scene.daughter)
    assert old.valid_until
    today = timezone.localdate()
    new = verbs.extend_mandate(
        scene.actor,
        old.uuid,
        granted_on=today,
        valid_until=last_day(today),
        proof_number="RAP-2",
    )
    assert (new.replaces, new.valid_from) == (old, old.valid_until + timedelta(days=1))
    assert (new.acts, new.verified_at) == (old.acts, None)
    with pytest.raises(Invalid) as error:
        verbs.extend_mandate(
            scene.actor,
            new.uuid,
            granted_on=today,
            valid_until=last_day(today) + timedelta(days=9),
            proof_number="RAP-3",
        )
    assert list(error.value.errors) == ["valid_until"]


def test_a_professional_acts_for_many_until_the_authorisation_ends(scene: Scene) -> None:
    verbs.authorise_professional(scene.actor, scene.agency.uuid, " 123 456 ")
    many = [CitizenFactory(organisation=_organisation(scene)) for _ in range(30)]
    for one in many:
        make_mandate(scene.actor, one, scene.agency, proof="red", proof_number="", valid_until=None)
    first = page_of(scene.actor, scene.agency)
    rest = page_of(scene.actor, scene.agency, cursor=first.after)
    assert (len(first.rows), len(rest.rows), rest.after) == (25, 5, "")
    assert {one.grantor_id for one in [*first.rows, *rest.rows]} == {one.pk for one in many}
    assert relations(scene.actor, scene.agency).more_held
    assert weighed(scene.actor, scene.agency.pk, many[0].pk, "file")
    verbs.end_professional(scene.actor, scene.agency.uuid, reason="Baja en el Sistema RED")
    found = weighed(scene.actor, scene.agency.pk, many[0].pk, "file")
    assert str(found.decision.reason) == "The professional is no longer authorised."
    assert page_of(scene.actor, scene.agency, only_in_force=True).rows == []
    with pytest.raises(Invalid):
        verbs.authorise_professional(scene.actor, scene.agency.uuid, "12a")


def test_a_red_number_is_one_professionals(scene: Scene) -> None:
    verbs.authorise_professional(scene.actor, scene.agency.uuid, "123456")
    for whom in (scene.agency, scene.daughter):
        with pytest.raises(Conflict) as error:
            verbs.authorise_professional(scene.actor, whom.uuid, "123456")
        assert error.value.code == "professional_known"


# --- Rights ---------------------------------------------------------------------------------------


def test_who_may_not_is_refused_and_another_organisations_does_not_exist(
    world: World, scene: Scene
) -> None:
    mandate = make_mandate(scene.actor, scene.father, scene.daughter)
    auditor = acting(employee(world.here, "auditor"))
    with pytest.raises(Refused):
        make_mandate(auditor, scene.father, scene.agency)
    with pytest.raises(Refused):
        verbs.end_mandate(auditor, mandate.uuid, "revoked", reason="Porque sí")
    abroad = acting(employee(world.elsewhere, "office"))
    with pytest.raises(NotFound):
        verbs.end_mandate(abroad, mandate.uuid, "revoked", reason="Porque sí")
    with pytest.raises(NotFound):
        make_mandate(abroad, scene.father, scene.daughter)
    CitizenRecord.objects.create(citizen=scene.father, organisation=world.elsewhere)
    with pytest.raises(Invalid) as error:  # whom one does not know is nobody's holder
        make_mandate(abroad, scene.father, scene.daughter)
    assert list(error.value.errors) == ["holder"]
    assert relations(abroad, scene.father).given == []  # each organisation's own
    assert not MandatePaper.objects.exists()


def test_a_protected_persons_mandates_are_for_who_opens_protected_records(
    world: World, scene: Scene
) -> None:
    CitizenRecord.objects.filter(citizen=scene.father).update(
        protected=True, protected_reason="Orden de protección"
    )
    with pytest.raises(Refused):
        make_mandate(scene.actor, scene.father, scene.daughter)
    make_mandate(acting(employee(world.here, "supervisor")), scene.father, scene.daughter)
    line = relations(scene.actor, scene.daughter).held[0]
    assert line.name == "M. G. P."


def _organisation(scene: Scene) -> Any:
    return CitizenRecord.objects.get(citizen=scene.father).organisation


# --- Many, and what ends soon ---------------------------------------------------------------------


def test_many_are_recorded_and_each_refusal_has_its_reason(scene: Scene) -> None:
    verbs.authorise_professional(scene.actor, scene.agency.uuid, "123456")
    terms = new_mandate(scene.agency, proof="red", proof_number="", valid_until=None)
    numbers = [one.identifiers.get().value for one in (scene.father, scene.daughter)]
    lines = [*numbers, numbers[0], "99999999X", scene.agency.identifiers.get().value]
    found = register_many(scene.actor, scene.agency.uuid, lines, terms, checked=True)
    assert found.done == 2
    assert [(one.line, one.reason) for one in found.refusals] == [
        (3, str(verbs.EQUAL_ONE)),
        (4, "Nobody on record bears this number."),
        (5, "Nobody is their own representative."),
    ]
    assert weighed(scene.actor, scene.agency.pk, scene.father.pk, "file")
    assert Mandate.objects.count() == 2
    with pytest.raises(Invalid) as error:
        register_many(scene.actor, scene.agency.uuid, ["1"] * 1001, terms)
    assert list(error.value.errors) == ["file"]


def test_who_records_many_by_the_page_gets_what_was_refused_as_a_file(
    scene: Scene, client: Client
) -> None:
    verbs.authorise_professional(scene.actor, scene.agency.uuid, "123456")
    client.force_login(User.objects.get(pk=scene.actor.id))
    number = scene.father.identifiers.get().value
    upload = SimpleUploadedFile("clientes.csv", f"NIF;Nombre\n{number};Manuel\n=1+1;X\n".encode())
    sent = {
        "file": upload,
        "scope": "general",
        "acts": ["inform"],
        "proof": "red",
        "granted_on": "2026-01-02",
    }
    page = client.post(reverse("citizens:many_mandates", args=[scene.agency.uuid]), sent)
    assert page.status_code == 200, page.content.decode()
    assert "Nobody on record bears this number." in page.content.decode()
    packed = page.context["packed"]
    address = reverse("citizens:refused_mandates", args=[scene.agency.uuid])
    answer = client.post(address, {"packed": packed})
    text = b"".join(answer.streaming_content).decode()
    assert "2,'=1+1,Nobody on record bears this number." in text
    assert client.post(address, {"packed": packed + "x"}).status_code == 404


def test_what_ends_soon_is_told_once(scene: Scene) -> None:
    today = timezone.localdate()
    soon = make_mandate(
        scene.actor, scene.father, scene.daughter, valid_until=today + timedelta(days=30)
    )
    make_mandate(scene.actor, scene.father, scene.agency, valid_until=today + timedelta(days=31))
    assert verbs.tell_expiring() == 1
    assert verbs.tell_expiring() == 0
    told = AuditEntry.objects.filter(data__mandate="expiring").order_by("id")
    assert [(one.object_name, one.data["id"]) for one in told] == [
        ("Manuel García Prueba", str(soon.uuid)),
        ("Carmen García Prueba", str(soon.uuid)),
    ]


def test_the_pages_record_show_and_end_a_mandate(scene: Scene, client: Client) -> None:
    client.force_login(User.objects.get(pk=scene.actor.id))
    new = reverse("citizens:new_mandate", args=[scene.father.uuid])
    assert client.get(new).status_code == 200
    sent = {
        "citizen": str(scene.daughter.uuid),
        "scope": "matter",
        "matters": ["pension"],
        "acts": ["inform", "file"],
        "proof": "public_deed",
        "granted_on": "2026-01-02",
        "valid_until": "2031-01-02",
        "checked": "on",
    }
    without = client.post(new, sent)
    assert without.status_code == 422
    assert "Attach the document that proves it first." in without.content.decode()
    paper = SimpleUploadedFile("escritura.txt", b"Ante el notario")
    assert client.post(new, {**sent, "paper": paper}).status_code == 302
    made = Mandate.objects.get()
    assert (made.covers, made.verified_by) == (["pension"], scene.actor.name)
    page = client.get(reverse("citizens:relations", args=[scene.father.uuid])).content.decode()
    assert "Carmen García Prueba" in page
    assert "In force" in page
    one = client.get(reverse("citizens:mandate", args=[scene.father.uuid, made.uuid]))
    assert "escritura.txt" in one.content.decode()
    wrong_person = reverse("citizens:mandate", args=[scene.agency.uuid, made.uuid])
    assert client.get(wrong_person).status_code == 404
    file = reverse(
        "citizens:mandate_paper", args=[scene.father.uuid, made.uuid, made.papers.get().uuid]
    )
    assert b"".join(client.get(file).streaming_content) == b"Ante el notario"
    end = reverse("citizens:end_mandate", args=[scene.father.uuid, made.uuid])
    assert client.post(end, {"how": "revoked", "reason": "Lo pide"}).status_code == 302
    page = client.get(reverse("citizens:mandates", args=[scene.daughter.uuid])).content.decode()
    assert "Revoked" in page

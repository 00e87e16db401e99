"""The information letter of art. 21.4, and what citizens are asked to bring by when."""

from datetime import date, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from cases import services
from cases.clocks import account, counts_on
from cases.models import Case, InformationLetter, Message, PapersRequest
from cases.services import filing, letters, told_at
from cases.services.filing import Applicant
from cases.terms import Term
from cases.views.window import SESSION
from crm.accounts.actors import system_actor
from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Refused
from crm.organisations.services import calendar_for, load_public_holidays
from tests.conftest import World
from tests.factories.accounts import ORIGIN, acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory, ProcedureFactory

MADRID = ZoneInfo("Europe/Madrid")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MADRID)


def kinds(case: Case) -> list[str]:
    return [event.kind for event in case.events.order_by("seq")]


@pytest.fixture
def boss(world: World) -> Actor:
    load_public_holidays()
    return acting(employee(world.here, "supervisor", full_name="Berta Salcedo"))


def filed(world: World, **procedure: Any) -> Case:
    kind = CaseTypeFactory(
        organisation=world.here,
        term="10wd",
        bundle=None,
    )
    ProcedureFactory(unit=world.unit, case_type=kind, code="ayuda", **procedure)
    visitor = system_actor(world.here, ORIGIN)
    with told_at(at("2026-03-02T10:00")):
        made = filing.file_application(
            visitor,
            "ayuda",
            key=uuid4(),
            applicant=Applicant(name="Ana", surname1="Gil", email="ana@example.org"),
            answers={},
            request="La ayuda",
        )
    return Case.objects.get(pk=made.case_id)


def test_it_goes_by_itself_where_the_procedure_says_so(world: World, boss: Actor) -> None:
    case = filed(world, silence="granted", informs=True)
    letter = InformationLetter.objects.unscoped("a test").get()
    assert letter.automatic
    body = letter.message.body
    for text in (
        case.reference,
        "2 Mar 2026, 10:00".lower(),
        "10 working days",
        "3 mar 2026",
        "16 mar 2026",
        "counts as granted from 17 de marzo de 2026",
    ):
        assert text in body.lower() or text in body, text
    assert (letter.message.state, letter.message.address) == ("queued", "ana@example.org")
    assert kinds(case) == ["opened", "messaged", "informed"]
    assert case.events.get(kind="messaged").data["automatic"] is True
    with pytest.raises(Conflict) as error:
        letters.send_letter(boss, case.uuid)
    assert error.value.code == "letter_sent"
    assert Message.objects.unscoped("a test").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        InformationLetter.objects.create(case=case, message=letter.message, automatic=False)


def test_an_employee_sends_it_after_a_look(world: World, boss: Actor, client: Client) -> None:
    case = filed(world, silence="denied")
    assert kinds(case) == ["opened"]
    client.force_login(User.objects.get(pk=boss.user_id))
    page = client.get(f"/casos/{case.uuid}/carta/").content.decode()
    assert "To be sent by 16 de marzo de 2026." in page
    assert "you may take it as denied and appeal" in page
    assert not InformationLetter.objects.unscoped("a test").exists()
    assert client.post(f"/casos/{case.uuid}/carta/").status_code == 302
    assert client.post(f"/casos/{case.uuid}/carta/").status_code == 409
    assert kinds(case) == ["opened", "messaged", "informed"]
    assert "Waiting" in client.get(f"/casos/{case.uuid}/carta/").content.decode()
    auditor = employee(world.here, "auditor", email="aud@here.example")
    with pytest.raises(Refused):
        letters.send_letter(acting(auditor), case.uuid)


def test_papers_are_asked_for_with_a_deadline_of_the_citizen(
    world: World, boss: Actor, client: Client
) -> None:
    case = CaseFactory(actor=boss, unit=world.unit, opened_at=at("2026-03-02T10:00"))
    with told_at(at("2026-12-23T12:00")):
        made = letters.request_papers(boss, case.uuid, papers="El padrón\nEl DNI")
    assert made.due_on == date(2027, 1, 11)  # A7: 25 December, 1 and 6 January are holidays
    assert made.message is not None
    assert "El padrón" in made.message.body
    assert kinds(case) == ["opened", "messaged", "papers_requested"]
    with told_at(at("2026-12-24T09:00")), pytest.raises(Conflict):
        letters.request_papers(boss, case.uuid, papers="Otra cosa")
    with told_at(at("2027-01-11T23:00")), pytest.raises(Invalid) as error:
        letters.end_papers(boss, case.uuid, end="not_brought")
    assert [*error.value.errors] == ["end"]
    with told_at(at("2027-01-09T20:00")):  # a Saturday
        done = letters.end_papers(boss, case.uuid, end="brought")
    assert done.ended_on == date(2027, 1, 11)
    assert kinds(case)[-1] == "papers_ended"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"papers": " "}, "papers"),
        ({"papers": "x" * 4_001}, "papers"),
        ({"term": "soon"}, "term"),
        ({"on": date(2026, 3, 1)}, "on"),
        ({"on": date(2026, 3, 11)}, "on"),
    ],
)
def test_a_wrong_request_is_refused_at_its_field(
    world: World, boss: Actor, given: dict[str, Any], field: str
) -> None:
    case = CaseFactory(actor=boss, unit=world.unit, opened_at=at("2026-03-02T10:00"))
    with told_at(at("2026-03-10T10:00")), pytest.raises(Invalid) as error:
        letters.request_papers(boss, case.uuid, **{"papers": "DNI", **given})
    assert [*error.value.errors] == [field]
    assert kinds(case) == ["opened"]


def test_what_comes_on_a_day_off_counts_on_the_next(world: World, boss: Actor) -> None:
    calendar = calendar_for(world.unit)
    saturday, monday = at("2026-03-07T23:30"), at("2026-03-09T00:00")
    assert counts_on(calendar, saturday, "web_form") == date(2026, 3, 9)
    assert counts_on(calendar, monday, "web_form") == date(2026, 3, 9)
    assert counts_on(calendar, saturday, "in_person") == date(2026, 3, 7)


def test_a_term_filed_electronically_on_a_saturday_begins_on_monday(
    world: World, boss: Actor
) -> None:
    """Regression: it began on the Saturday, whatever art. 31.2 says."""
    kind = CaseTypeFactory(organisation=world.here, term="10wd")
    given = {"unit": world.unit, "case_type": kind, "opened_at": at("2026-03-07T23:30")}
    web = CaseFactory(actor=boss, **given, channel="web_form")
    calendar = calendar_for(world.unit)
    assert web.due_at.astimezone(calendar.zone).date() == date(2026, 3, 23)
    assert letters.letter_until(web) == date(2026, 3, 23)
    told = account(web, Term(10, "wd"), calendar)
    assert told.due == date(2026, 3, 23)
    assert "electronically" in str(told.lines[0])
    by_hand = CaseFactory(actor=boss, **given, channel="in_person")
    assert by_hand.due_at.astimezone(calendar.zone).date() == date(2026, 3, 20)
    services.edit_case(boss, by_hand.uuid, {"channel": "web_form"})
    by_hand.refresh_from_db()
    assert by_hand.due_at == web.due_at
    assert kinds(by_hand)[-2:] == ["edited", "clock_recomputed"]


def test_pages_and_api_show_it(world: World, boss: Actor, client: Client) -> None:
    case = filed(world)
    client.force_login(User.objects.get(pk=boss.user_id))
    wrong = client.post(f"/casos/{case.uuid}/documentacion/", {"papers": "El padrón", "term": "x"})
    assert wrong.status_code == 422
    assert "El padrón" in wrong.content.decode()  # nothing typed is lost
    right = client.post(
        f"/casos/{case.uuid}/documentacion/", {"papers": "El padrón", "term": "5wd"}
    )
    assert right.status_code == 302
    assert "The citizen brings papers by" in client.get(f"/casos/{case.uuid}/").content.decode()
    told = client.get(f"/api/v1/cases/{case.uuid}/paper-requests/").json()["requests"]
    assert [one["papers"] for one in told] == ["El padrón"]
    visitor = Client()
    session = visitor.session
    session[SESSION] = {str(case.uuid): 4_000_000_000}
    session.save()
    page = visitor.get(f"/sede/HERE/seguimiento/{case.uuid}/").content.decode()
    assert "What we need from you" in page
    assert "El padrón" in page
    done = client.post(f"/casos/{case.uuid}/documentacion/terminar/", {"end": "withdrawn"})
    assert done.status_code == 302
    assert PapersRequest.objects.unscoped("a test").get().end == "withdrawn"
    assert (
        "What we need from you"
        not in visitor.get(f"/sede/HERE/seguimiento/{case.uuid}/").content.decode()
    )

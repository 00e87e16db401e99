"""Why a person is opened: asked where needed, derived from the way otherwise, always written down."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case
from cases.services import record_message
from cases.services.writing import told_at
from crm.audit.models import AuditEntry
from crm.citizens import story
from crm.citizens.models import Channel, Citizen, CitizenRecord
from crm.organisations import options
from tests.conftest import World
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lucia(world: World) -> Citizen:
    return CitizenFactory(name="Lucía", surname1="Sanz", organisation=world.here)


@pytest.fixture
def client(world: World) -> Client:
    made = Client(headers={"accept-language": "en"})
    made.force_login(world.alice)
    return made


def detail(citizen: Citizen) -> str:
    return reverse("citizens:detail", args=[citizen.uuid])


def looks() -> list[str]:
    entries = AuditEntry.objects.unscoped("a test").filter(action="viewed").order_by("id")
    return list(entries.values_list("purpose", flat=True))


@pytest.fixture
def asking(world: World) -> None:
    options.write(world.here, {"purpose_without_matter": True})
    world.here.save()


@pytest.mark.parametrize(
    ("query", "purpose"),
    [
        ({"via": "busqueda"}, "Attending the person, found by a search"),
        ({"via": "conversacion"}, "Attending a conversation"),
        ({"via": "cita"}, "Attending an appointment"),
        ({"via": "cita", "case": "HERE-2026-0000012"}, "Case HERE-2026-0000012"),
        ({"via": "made up by whoever wrote the link"}, "Attending to the person"),
    ],
)
def test_the_way_by_which_one_comes_is_the_reason(
    client: Client, lucia: Citizen, query: dict[str, str], purpose: str
) -> None:
    assert client.get(detail(lucia), query).status_code == 200
    assert looks() == [purpose]


def test_the_search_leads_there_by_its_way(client: Client, lucia: Citizen) -> None:
    found = client.get(reverse("citizens:list"), {"q": "lucía sanz"}).content.decode()
    assert f"{detail(lucia)}?via=busqueda" in found


@pytest.mark.usefixtures("asking")
def test_who_has_nothing_open_with_the_unit_is_opened_after_saying_why(
    client: Client, world: World, lucia: Citizen
) -> None:
    CaseFactory(unit=world.other_unit, citizen=lucia)  # another unit's
    for way in (detail(lucia), f"{detail(lucia)}?case=HERE-2026-0000012"):
        asked = client.get(way)
        assert asked.status_code == 403
        assert b"Reason for access" in asked.content
    assert looks() == [], "what was not opened was not seen"
    client.post(f"{detail(lucia)}motivo/", {"usual": "other", "other": "Her neighbour died"})
    assert client.get(detail(lucia)).status_code == 200
    assert looks() == ["Her neighbour died"]


@pytest.mark.usefixtures("asking")
def test_who_has_something_open_is_opened_at_once(
    client: Client, world: World, lucia: Citizen
) -> None:
    case = CaseFactory(unit=world.unit, citizen=lucia)
    assert client.get(detail(lucia)).status_code == 200
    Case.objects.unscoped("a test").filter(pk=case.pk).update(
        category=5, closed_at=case.opened_at, state="done"
    )
    assert client.get(detail(lucia)).status_code == 403


def test_by_itself_no_organisation_asks(client: Client, lucia: Citizen) -> None:
    assert client.get(detail(lucia)).status_code == 200


def moments(actor, citizen: Citizen, **wanted) -> list[str]:
    wanted = {"until": date(2026, 3, 31), **wanted}  # the cases themselves were opened later
    shown = story.timeline(actor, citizen, sieve=story.Sieve(**wanted))["moments"]
    return [moment.about for moment in shown]


def test_the_timeline_is_sifted_by_channel_days_and_what_goes_on(
    client: Client, world: World, lucia: Citizen
) -> None:

    actor = world.actor(world.alice)
    one = CaseFactory(unit=world.unit, citizen=lucia, channel=Channel.PHONE)
    two = CaseFactory(unit=world.unit, citizen=lucia, channel=Channel.EMAIL)
    for case, day in ((one, 3), (two, 5)):
        with told_at(datetime(2026, 3, day, 9, tzinfo=UTC)):
            record_message(actor, case.uuid, "Hola", channel=case.channel, direction="in")
    Case.objects.unscoped("a test").filter(pk=one.pk).update(
        category=5, closed_at=one.opened_at, state="done"
    )
    assert moments(actor, lucia, channel="phone") == [one.reference]
    assert moments(actor, lucia, channel="post") == []
    assert moments(actor, lucia, going_on=True) == [two.reference]
    assert moments(actor, lucia, since=date(2026, 3, 4)) == [two.reference]
    assert moments(actor, lucia, until=date(2026, 3, 4)) == [one.reference]
    assert moments(actor, lucia, since=date(2026, 3, 3), until=date(2026, 3, 5)) == [
        two.reference,
        one.reference,
    ]
    page = client.get(
        f"{detail(lucia)}cronologia/",
        {"canal": "phone", "desde": "not a day", "hasta": "2026-03-31", "abiertos": ""},
        headers={"HX-Request": "true"},
    )
    assert one.reference in page.content.decode()
    assert two.reference not in page.content.decode()


def test_sifted_pages_go_on_where_the_last_ended(
    world: World, lucia: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(story, "SHOWN", 2)
    actor = world.actor(world.alice)
    case = CaseFactory(unit=world.unit, citizen=lucia, channel=Channel.PHONE)
    for minute in range(12):
        with told_at(datetime(2026, 3, 3, 9, minute, tzinfo=UTC)):
            way = "phone" if minute % 3 == 0 else "email"
            record_message(actor, case.uuid, "Hola", channel=way, direction="in")
    seen: list[int] = []
    before = ""
    sieve = story.Sieve(channel="phone", until=date(2026, 3, 31))
    for _page in range(20):
        page = story.timeline(actor, lucia, before=before, sieve=sieve)
        seen += [moment.at.minute for moment in page["moments"]]
        if not page["earlier"]:
            break
        before = str(page["earlier"]).rpartition("antes=")[2]
        assert "canal=phone" in str(page["earlier"])
    assert seen == [9, 6, 3, 0]


def test_of_a_stranger_not_even_the_question_is_asked(client: Client, world: World) -> None:
    theirs = CitizenFactory(organisation=world.elsewhere)
    assert not CitizenRecord.objects.filter(citizen=theirs, organisation=world.here).exists()
    assert client.get(detail(theirs)).status_code == 404

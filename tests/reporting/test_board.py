"""The board's pages: rights, filters, comparisons, and the cases behind each figure."""

import re
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from cases.models import CaseType, Confidentiality
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.kit.actor import EVERYWHERE, Actor
from crm.organisations.models import SharingAgreement
from reporting import charts, facts, reading
from reporting.asking import asked_by
from reporting.board import Board, buckets, in_words, organisations
from reporting.metrics import Unit, catalogue
from reporting.models import CaseFact, District
from reporting.narrowing import narrowed
from reporting.permissions import VIEW_REPORT
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.channels_app import begin, make_account, make_agent, make_queue
from tests.factories.organisations import UnitFactory
from tests.reporting.test_figures import live

BOARD = "/informes/"
PAGES = (BOARD, "/informes/filtros/", "/informes/ahora/", "/informes/cifras/", "/informes/casos/")


def client_of(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def director(world: World) -> User:
    return employee(world.here, "supervisor", full_name="Berta Salcedo")


@pytest.fixture
def boss(world: World, director: User) -> Actor:
    return acting(director)


@pytest.fixture
def types(world: World) -> list[CaseType]:
    return [
        CaseTypeFactory(organisation=world.here, code=f"tipo-{n}", name=f"Tipo {n}", term=term)
        for n, term in enumerate(("5d", "20d", None))
    ]


@pytest.fixture
def busy(world: World, boss: Actor, types: list[CaseType]) -> None:
    """Some forty cases of the last weeks."""
    dice = Random(11)  # noqa: S311 - repeatable
    for _ in range(40):
        live(dice, world, boss, types)
    facts.refresh(world.here)


def board(actor: Actor, query: str = "") -> Board:
    return Board(asked_by(actor, QueryDict(query)))


# --- Rights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("supervisor", 200),
        ("auditor", 200),
        ("administrator", 200),
        ("communications", 200),
        ("agent", 403),
        ("office", 403),
        ("integration", 403),
        ("data_protection", 403),
    ],
)
def test_who_sees_reports(role: str, status: int, world: World) -> None:
    client = client_of(employee(world.here, role))
    assert {page: client.get(page).status_code for page in PAGES} == dict.fromkeys(PAGES, status)


def test_nobody_sees_reports_without_signing_in(world: World) -> None:
    assert {Client().get(page).status_code for page in PAGES} == {302}


def test_a_unit_supervisor_sees_their_units_and_nothing_else(
    world: World, boss: Actor, types: list[CaseType]
) -> None:
    chief = employee(world.here, "supervisor", unit=world.unit)
    below = UnitFactory(organisation=world.here, parent=world.unit, name="Norte Bajo")
    for unit, count in ((world.unit, 2), (below, 3), (world.other_unit, 5)):
        for _ in range(count):
            CaseFactory(actor=boss, unit=unit, case_type=types[0])
    facts.refresh(world.here)
    actor = acting(chief)
    seen = board(actor)
    assert seen.figures[0].value == 5
    assert seen.open.total == 5
    assert {str(row.name): row.values[0] for row in seen.units} == {"Norte": 2, "Norte Bajo": 3}
    # asking for the other unit is asking for one that does not exist: all of one's own are shown
    other = board(actor, f"unidad={world.other_unit.uuid}")
    assert other.figures[0].value == 5
    assert "unidad" in other.asked.form.errors
    page = client_of(chief).get(f"{BOARD}?unidad={world.other_unit.uuid}").content.decode()
    assert "Sur" not in page
    assert board(actor, f"unidad={below.uuid}").figures[0].value == 3
    assert organisations(seen.asked, chief) == []
    assert set(CaseFact.objects.for_actor(actor).values_list("unit", flat=True)) == {
        world.unit.pk,
        below.pk,
    }


def test_another_organisations_cases_count_nowhere(world: World, boss: Actor) -> None:
    CaseFactory(unit=world.foreign_unit)
    facts.refresh(world.elsewhere)
    facts.refresh(world.here)
    assert board(boss).figures[0].value == 0
    assert "Lejos" not in client_of(User.objects.get(pk=boss.id)).get(BOARD).content.decode()


# --- Comparison between organisations -----------------------------------------------------------------


def agreement(world: World, **changes: object) -> SharingAgreement:
    today = timezone.localdate()
    given = {
        "giver": world.elsewhere,
        "receiver": world.here,
        "legal_basis": "Convenio",
        "data_classes": ["case_status"],
        "valid": (today - timedelta(days=9), today + timedelta(days=9)),
        **changes,
    }
    return SharingAgreement.objects.create(**given)


def test_organisations_are_compared_with_those_that_share_the_state_of_their_cases(
    world: World, boss: Actor, director: User
) -> None:
    CaseFactory(unit=world.foreign_unit)
    facts.refresh(world.elsewhere)
    asked = board(boss).asked
    assert organisations(asked, director) == []
    today = timezone.localdate()
    agreement(world, data_classes=["identity", "case_content"])
    agreement(world, valid=(today - timedelta(days=9), today - timedelta(days=1)))
    agreement(world, revoked_at=timezone.now())
    agreement(world, giver=world.here, receiver=world.elsewhere)
    assert organisations(asked, director) == []  # none of these says so today
    assert "Organismo de allí" not in client_of(director).get(BOARD).content.decode()
    agreement(world)
    rows = {str(row.name): row.values[0] for row in organisations(asked, director)}
    assert rows == {"Organismo de aquí": 0, "Organismo de allí": 1}
    assert "Organismo de allí" in client_of(director).get(BOARD).content.decode()


def test_whoever_sees_both_boards_compares_both(world: World, director: User, boss: Actor) -> None:
    from crm.accounts.models import Membership, Role
    from crm.accounts.services.roles import create_standard_roles, place_for

    Membership.objects.create(organisation=world.elsewhere, user=director, unit=None)
    create_standard_roles(world.elsewhere)
    asked = board(boss).asked
    assert organisations(asked, director) == []  # works there, but without the right
    role = Role.objects.get(organisation=world.elsewhere, code="supervisor")
    place_for(role, world.foreign_unit).group.user_set.add(director)
    assert organisations(asked, director) == []  # of one unit only
    place_for(role, None).group.user_set.add(director)
    names = [str(row.name) for row in organisations(asked, director)]
    assert names == ["Organismo de aquí", "Organismo de allí"]


# --- What is behind -----------------------------------------------------------------------------------


def listed(actor: Actor, url: str) -> int:
    query = QueryDict(urlsplit(url).query)
    return narrowed(asked_by(actor, query), query).cases().count()


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("query", ["", "periodo=90", "tipo=tipo-0&canal=phone&canal=email"])
def test_every_figure_leads_to_the_cases_it_counts(query: str, boss: Actor) -> None:
    seen = board(boss, query)
    for figure in seen.figures:
        assert figure.url.startswith("/informes/casos/?figura="), figure
        found = listed(boss, figure.url)
        if figure.metric.code in {"opened", "backlog"}:
            assert found == figure.value, figure.metric.code
        elif figure.metric.unit is Unit.CASES:  # what happened twice to a case is one case
            assert (found > 0) == bool(figure.value)
            assert found <= (figure.value or 0)
        elif figure.metric.code == "late":
            assert found == seen.now.total("late")
        else:
            measure = figure.metric.behind
            assert found == sum(seen.now.spread.get(measure, {}).values())


@pytest.mark.usefixtures("busy")
def test_every_bar_and_field_leads_to_as_many_cases(world: World, boss: Actor) -> None:
    District.objects.create(organisation=world.here, name="Centro", latitude=40.3, longitude=-3.44)
    CaseFactory(actor=boss, unit=world.unit, latitude=40.3, longitude=-3.44)
    facts.rebuild(world.here)
    seen = board(boss, "periodo=90")
    bars = [*seen.types, *seen.channels, *seen.ages, *seen.districts]
    assert len(bars) > 10
    for bar in bars:
        assert listed(boss, bar.url) == bar.value, bar
    fields = [cell for _day, cells in seen.heat for cell in cells if cell.url]
    assert sum(cell.value for cell in fields) == seen.figures[0].value
    for cell in fields:
        assert listed(boss, cell.url) == cell.value
    assert [place["count"] for place in seen.map] == [1]


@pytest.mark.usefixtures("busy")
def test_the_list_behind_shows_cases_pages_and_writes_the_look_down(
    boss: Actor, director: User
) -> None:
    client = client_of(director)
    page = client.get("/informes/casos/?figura=opened&periodo=90")
    rows = re.findall(r'id="case-', page.content.decode())
    assert len(rows) == 26
    more = re.search(r'"(/informes/casos/\?[^"]*cursor=[^"]*)"', page.content.decode())
    assert more is not None
    rest = client.get(more[1].replace("&amp;", "&"), headers={"hx-request": "true"})
    assert len(re.findall(r'id="case-', rest.content.decode())) == 14
    entries = AuditEntry.objects.for_actor(boss).filter(action="searched")
    assert [entry.data["found"] for entry in entries.order_by("pk")] == [26, 14]


def test_figures_are_seen_without_cases_but_no_case_is(world: World, boss: Actor) -> None:
    case = CaseFactory(actor=boss, unit=world.unit, subject="Secreto de oficio")
    facts.refresh(world.here)
    client = client_of(employee(world.here, "communications"))
    assert board(acting(User.objects.latest("pk"))).figures[0].value == 1
    page = client.get("/informes/casos/?figura=opened").content.decode()
    assert case.subject not in page
    assert "Your roles show figures, not cases" in page


def test_a_specially_protected_case_counts_and_is_listed_to_who_may_see_it(world: World) -> None:
    """The auditor sees no such case; as a number nobody is recognised."""
    chief = acting(employee(world.here, "supervisor"))
    CaseFactory(actor=chief, unit=world.unit, confidentiality=Confidentiality.SPECIAL)
    facts.refresh(world.here)
    auditor = acting(employee(world.here, "auditor"))
    assert [board(actor).figures[0].value for actor in (chief, auditor)] == [1, 1]
    url = board(auditor).figures[0].url
    assert [listed(actor, url) for actor in (chief, auditor)] == [1, 0]


@pytest.mark.parametrize(
    "query",
    [
        "figura=nothing",
        "figura=opened&distrito=x",
        "figura=opened&distrito=01890000-0000-7000-8000-000000000000",
        "figura=opened&franja=9-25",
        "figura=opened&franja=a-b",
        "figura=opened&franja=1",
        "figura=open&edad=6",
        "figura=open&edad=-1",
        "figura=open&edad=²",
    ],
)
def test_what_does_not_exist_is_not_found(query: str, director: User) -> None:
    assert client_of(director).get(f"/informes/casos/?{query}").status_code == 404


# --- The address ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "periodo=x",
        "periodo=otro",
        "periodo=otro&desde=2026-02-30",
        "desde=2026-05-01&hasta=2026-04-01",
        "desde=1900-01-01",
        "desde=9999-01-01",
        "unidad=x&tipo=y&canal=z",
        "comparar=x",
        "desde=0001-01-01&hasta=9999-12-31",
    ],
)
def test_a_filter_that_cannot_be_is_left_out_and_said(query: str, director: User) -> None:
    for page in (BOARD, "/informes/casos/", "/informes/ahora/", "/informes/filtros/"):
        assert client_of(director).get(f"{page}?{query}").status_code == 200
    shown = client_of(director).get(f"{BOARD}?{query}").content.decode()
    assert "This filter is not applied." in shown


@pytest.mark.parametrize(
    ("query", "chosen"),
    [("", "30"), ("periodo=7", "7"), ("desde=2026-05-01", "otro"), ("unidad=x", "30")],
)
def test_the_menu_of_filters_shows_the_period_that_holds(
    query: str, chosen: str, director: User
) -> None:
    page = client_of(director).get(f"/informes/filtros/?{query}").content.decode()
    periods = page.partition('name="periodo"')[2].partition("</select>")[0]
    assert re.findall(r'<option value="(\w+)" selected>', periods) == [chosen]
    assert page.count('data-implies="periodo=otro"') == 2, "a day that is written is meant"


def test_periods(boss: Actor) -> None:
    today = board(boss).asked.today

    def period(query: str) -> tuple[date, date, date | None, date | None]:
        asked = board(boss, query).asked
        before = asked.before
        return (
            asked.scope.start,
            asked.scope.end,
            before.start if before else None,
            before.end if before else None,
        )

    day = timedelta(days=1)
    assert period("") == (today - 29 * day, today, today - 59 * day, today - 30 * day)
    assert period("periodo=7&comparar=no") == (today - 6 * day, today, None, None)
    assert period("periodo=mes")[:2] == (today.replace(day=1), today)
    assert period("periodo=anual")[:2] == (today.replace(month=1, day=1), today)
    first, last, start, end = period("periodo=30&comparar=interanual")
    assert (start, end) == (first - 364 * day, last - 364 * day)
    assert start is not None
    assert start.weekday() == first.weekday()
    assert period("desde=2026-02-01&hasta=2026-02-28") == (
        date(2026, 2, 1),
        date(2026, 2, 28),
        date(2026, 1, 4),
        date(2026, 1, 31),
    )
    assert period("desde=2026-02-01&hasta=2099-02-28")[1] == today


def test_the_address_says_what_is_shown(
    world: World, director: User, types: list[CaseType]
) -> None:
    query = f"periodo=90&tipo=tipo-1&canal=phone&unidad={world.unit.uuid}"
    page = client_of(director).get(f"{BOARD}?{query}").content.decode()
    links = re.findall(r'href="(/informes/[^"]*)"', page)
    behind = [link for link in links if "figura=opened" in link]
    assert behind
    told = parse_qs(urlsplit(behind[0].replace("&amp;", "&")).query)
    assert told["unidad"] == [str(world.unit.uuid)]
    assert (told["periodo"], told["tipo"], told["canal"]) == (["90"], ["tipo-1"], ["phone"])


def test_buckets_hold_every_day_once() -> None:
    for days in (1, 7, 45, 46, 200, 201, 400):
        start = date(2025, 11, 19)
        end = start + timedelta(days=days - 1)
        found = list(buckets(start, end))
        held = [
            first + timedelta(days=n)
            for _word, first, last in found
            for n in range((last - first).days + 1)
        ]
        assert held == [start + timedelta(days=n) for n in range(days)]


# --- The page -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("busy")
def test_the_page_makes_few_queries_however_much_there_is(world: World, director: User) -> None:
    client = client_of(director)
    client.get(BOARD)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(BOARD)
    for number in range(6):
        unit = UnitFactory(organisation=world.here, name=f"Más {number}")
        CaseFactory(unit=unit, case_type=CaseTypeFactory(organisation=world.here))
    facts.refresh(world.here)
    client.get(BOARD)
    with CaptureQueriesContext(connection) as many:
        client.get(BOARD)
    assert len(many) <= len(few) + 1
    assert len(few) <= 40


@pytest.mark.usefixtures("busy")
def test_every_chart_is_a_table_too(director: User) -> None:
    page = client_of(director).get(f"{BOARD}?periodo=90").content.decode()
    assert page.count('<svg class="bd-chart"') == 2
    assert page.count("See as a table") == 2
    assert page.count('<table class="bd-bars">') >= 3
    assert 'style="' not in page


def test_an_empty_organisation_has_a_board(director: User) -> None:
    page = client_of(director).get(BOARD)
    assert page.status_code == 200
    assert "Nothing in this period" in page.content.decode()
    assert "counted for the first time" in page.content.decode()


def test_every_figure_of_the_catalogue_says_what_it_means(director: User) -> None:
    page = client_of(director).get("/informes/cifras/").content.decode()
    for metric in catalogue.values():
        assert f'id="{metric.code}"' in page
        assert str(metric.name)
        assert str(metric.meaning).endswith(".")
        assert "reporting_casefact" in metric.query or "_minutes" in metric.query


def test_changes_are_told_with_their_sign() -> None:
    with translation.override("en"):
        assert in_words(Unit.MINUTES, 47) == "47 min"
        assert in_words(Unit.MINUTES, 120) == "2.0 h"
        assert in_words(Unit.MINUTES, 12_000) == "200 h"
        assert in_words(Unit.SHARE, 0.1234) == "12.3 %"
        assert in_words(Unit.CASES, None) == "—"
    with translation.override("es"):
        assert in_words(Unit.CASES, 12_345) == "12\xa0345"


def test_the_strip_tells_of_today(world: World, boss: Actor, types: list[CaseType]) -> None:
    from reporting import live as strip

    CaseFactory(actor=boss, unit=world.unit, case_type=types[0])
    old = CaseFactory(
        actor=boss,
        unit=world.unit,
        case_type=types[0],
        opened_at=timezone.now() - timedelta(days=40),
    )
    facts.refresh(world.here)
    (_source, numbers), *others = strip.strip(board(boss).asked)
    assert others == []
    told = {str(number.label): number for number in numbers}
    assert told["Open now"].value == 2
    assert told["Opened today"].value == 1
    assert told["Overdue now"].value == 1
    assert told["Overdue now"].alarm
    assert told["Waiting longest"].url == reverse("cases:detail", args=[old.uuid])
    assert told["Waiting longest"].since == old.opened_at


def test_the_strip_tells_of_the_queues_to_who_supervises_them(
    world: World, boss: Actor, types: list[CaseType]
) -> None:
    from reporting import live as strip

    mine, other = make_queue(world.unit), make_queue(world.other_unit, code="south")
    make_agent(employee(world.here, "agent", unit=world.unit), mine)
    for queue in (mine, mine, other):
        begin(make_account(queue))

    def told(actor: Actor, query: str = "") -> dict[str, int | None]:
        found = dict(strip.strip(board(actor, query).asked))
        return {str(number.label): number.value for number in found.get(strip.QUEUES, ())}

    assert told(boss)["Waiting in the queues"] == 3
    assert told(boss)["Employees available"] == 1
    assert told(boss, f"unidad={world.other_unit.uuid}")["Waiting in the queues"] == 1
    reader = replace(boss, permissions={VIEW_REPORT: EVERYWHERE})
    assert told(reader) == {}


def test_lines_reach_from_nought_to_a_round_number() -> None:
    chart = charts.lines(["a", "b"], [("Uno", "a", [0, 13])])
    assert [tick.text for tick in chart.across] == ["0", "5", "10", "15"]
    assert chart.rows == (("a", (0,)), ("b", (13,)))
    assert [charts.nice_step(most) for most in (0, 4, 13, 900)] == [1, 1, 5, 200]
    assert charts.lines([], [("Uno", "a", [])]).lines[0].path == ""


def test_heat_has_five_levels() -> None:
    assert [charts.level(value, 100) for value in (0, 1, 21, 50, 100)] == [0, 1, 2, 3, 5]


# --- Commands -------------------------------------------------------------------------------------------


def test_districts_come_from_a_file_or_not_at_all(world: World, tmp_path: object) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    CaseFactory(unit=world.unit, latitude=40.3, longitude=-3.44)
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(
        "name,latitude,longitude,municipality\nCentro,40.3,-3.44,28997\nSur,40.2,-3.4,\n"
    )
    bad.write_text("name,latitude,longitude\nNorte,95,-3.44\n")
    call_command("load_districts", "HERE", good, verbosity=0)
    call_command("load_districts", "HERE", good, verbosity=0)
    rows = District.objects.unscoped("test").filter(organisation=world.here)
    assert sorted(rows.values_list("name", flat=True)) == ["Centro", "Sur"]
    assert CaseFact.objects.unscoped("test").get().district is not None
    with pytest.raises(CommandError, match="Line 2"):
        call_command("load_districts", "HERE", bad)
    assert rows.count() == 2
    with pytest.raises(CommandError):
        call_command("load_districts", "NOBODY", good)


def test_the_rebuild_command_counts_everything(world: World) -> None:
    CaseFactory(unit=world.unit)
    CaseFactory(unit=world.foreign_unit)
    call_command("rebuild_facts", "HERE")
    assert CaseFact.objects.unscoped("test").count() == 1
    call_command("rebuild_facts")
    assert CaseFact.objects.unscoped("test").count() == 2
    assert reading.read_open_by_unit(
        reading.Scope(world.here.pk, date(2026, 1, 1), date(2026, 1, 2))
    ) == {world.unit.pk: 1}

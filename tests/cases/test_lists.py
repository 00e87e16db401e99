"""Lists of cases: rights inside, sub-units, orders, text, and the index that each one uses."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases import lists, services
from cases.lists import ALL, ENDED, ME, NOBODY, CaseFilter, count, find
from cases.models import Case
from cases.query import understood
from crm.kit.actor import Actor
from crm.kit.errors import Unavailable
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.organisations import UnitFactory


def subjects(actor: Actor, asked: CaseFilter, **options: Any) -> list[str]:
    return [case.subject for case in find(actor, asked, **options).rows]


def everything(actor: Actor, asked: CaseFilter, size: int) -> list[str]:
    found, cursor = [], ""
    while True:
        page = find(actor, asked, cursor, size)
        found += [case.subject for case in page.rows]
        cursor = page.after
        if not cursor:
            return found


def test_only_what_one_may_see(world: World) -> None:
    CaseFactory(unit=world.unit, subject="aquí")
    CaseFactory(unit=world.other_unit, subject="al lado")
    CaseFactory(unit=world.foreign_unit, subject="lejos")
    secret = CaseFactory(unit=world.unit, subject="secreto", confidentiality=3)
    alice = world.actor(world.alice)
    boss = world.actor(employee(world.here, "supervisor"))
    nobody = world.actor(employee(world.here, "administrator"))
    for asked in (CaseFilter(), CaseFilter(work=ALL), CaseFilter(unit=world.unit.uuid)):
        assert subjects(alice, asked) == ["aquí"]
        assert secret.subject in subjects(boss, asked)
        assert subjects(nobody, asked) == []
    assert sorted(subjects(boss, CaseFilter())) == ["al lado", "aquí", "secreto"]
    assert subjects(alice, CaseFilter(unit=world.other_unit.uuid)) == []
    assert subjects(alice, CaseFilter(unit=world.foreign_unit.uuid)) == []
    assert subjects(alice, CaseFilter(text="secreto")) == []
    assert subjects(alice, CaseFilter(text=secret.reference)) == []
    assert count(alice, CaseFilter()) == 1
    assert count(boss, CaseFilter()) == 3


def test_sub_units_are_merged_in_order(world: World) -> None:
    below = UnitFactory(organisation=world.here, parent=world.unit, code="N1")
    deeper = UnitFactory(organisation=world.here, parent=below, code="N11")
    CaseTypeFactory(organisation=world.here, term="30wd")
    start = timezone.now() - timedelta(days=20)
    units = [world.unit, below, deeper, world.other_unit]
    for number in range(24):
        CaseFactory(
            unit=units[number % 4],
            subject=f"{number:02d}",
            opened_at=start + timedelta(days=number % 12, minutes=number),
        )
    alice = world.actor(world.alice)
    mine = {f"{number:02d}" for number in range(24) if number % 4 != 3}
    whole = CaseFilter(unit=world.unit.uuid)
    for asked in (whole, CaseFilter(), replace(whole, by="newest"), replace(whole, work=ALL)):
        pages = everything(alice, asked, 5)
        assert set(pages) == mine
        assert len(pages) == len(mine)
        assert pages == everything(alice, asked, 100)
    due = [case.due_sort for case in find(alice, CaseFilter(unit=world.unit.uuid), size=50).rows]
    assert due == sorted(due)
    opened = [case.opened_at for case in find(alice, replace(whole, by="newest"), size=50).rows]
    assert opened == sorted(opened, reverse=True)
    assert count(alice, whole) == 18


def test_people_and_states(world: World) -> None:
    alice = world.actor(world.alice)
    CaseFactory(unit=world.unit, subject="mío", assignee=world.alice)
    CaseFactory(unit=world.unit, subject="de nadie")
    done = CaseFactory(unit=world.unit, subject="hecho", assignee=world.alice)
    services.close_case(alice, done.uuid, outcome="Hecho")
    assert subjects(alice, CaseFilter(assignee=ME)) == ["mío"]
    assert subjects(alice, CaseFilter(assignee=NOBODY)) == ["de nadie"]
    assert subjects(alice, CaseFilter(assignee=world.alice.uuid)) == ["mío"]
    assert subjects(alice, CaseFilter(work=ENDED)) == ["hecho"]
    assert subjects(alice, CaseFilter(assignee=world.alice.uuid, work=ALL)) == ["hecho", "mío"]
    assert subjects(alice, CaseFilter(categories=frozenset({0}), assignee=ME)) == ["mío"]
    assert subjects(alice, CaseFilter(state="resolved", work=ALL)) == ["hecho"]


def test_dates(world: World) -> None:
    CaseTypeFactory(organisation=world.here, term="5d")
    old = timezone.now() - timedelta(days=40)
    CaseFactory(unit=world.unit, subject="tarde", opened_at=old)
    CaseFactory(unit=world.unit, subject="a tiempo")
    alice = world.actor(world.alice)
    now = timezone.now()
    assert subjects(alice, CaseFilter(due_before=now)) == ["tarde"]
    assert subjects(alice, CaseFilter(due_from=now)) == ["a tiempo"]
    assert subjects(alice, CaseFilter(opened_from=now - timedelta(days=1))) == ["a tiempo"]
    assert subjects(alice, CaseFilter(opened_before=now - timedelta(days=1))) == ["tarde"]


def test_text_is_searched_in_spanish_a_year_back(world: World) -> None:
    CaseFactory(unit=world.unit, subject="Farolas apagadas", description="En la calle Mayor")
    CaseFactory(unit=world.unit, subject="Árbol caído")
    long_ago = timezone.now() - timedelta(days=400)
    CaseFactory(unit=world.unit, subject="Farola antigua", opened_at=long_ago)
    alice = world.actor(world.alice)
    assert subjects(alice, CaseFilter(text="farola")) == ["Farolas apagadas"]
    assert subjects(alice, CaseFilter(text="arbol")) == ["Árbol caído"]
    assert subjects(alice, CaseFilter(text='"calle mayor" -fuente')) == ["Farolas apagadas"]
    assert subjects(alice, CaseFilter(text="farola", any_time=True)) == [
        "Farolas apagadas",
        "Farola antigua",
    ]
    for odd in ("de la", "'", "& | !", ":*", "(", "%", "\\", "x" * 200, "🦊"):
        assert subjects(alice, CaseFilter(text=odd)) == []


def test_a_search_that_takes_too_long_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    CaseFactory(unit=world.unit, subject="Farola")
    alice = world.actor(employee(world.here, "supervisor"))

    def slow(*_arguments: object) -> Any:
        return Case.objects.for_actor(alice).extra(where=["pg_sleep(2) IS NOT NULL"])

    monkeypatch.setattr(lists, "matching", slow)
    monkeypatch.setattr(lists, "SEARCH_MS", 40)
    with pytest.raises(Unavailable) as raised:
        find(alice, CaseFilter(text="farola"))
    assert raised.value.code == "search_slow"
    assert count(alice, CaseFilter()) is None
    monkeypatch.undo()
    assert subjects(alice, CaseFilter(text="farola")) == ["Farola"]


def test_counts_stop_at_the_cap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _each in range(5):
        CaseFactory(unit=world.unit)
    monkeypatch.setattr(lists, "COUNT_CAP", 3)
    alice, boss = world.actor(world.alice), world.actor(employee(world.here, "supervisor"))
    assert count(alice, CaseFilter()) == 4
    assert count(boss, CaseFilter()) == 4


# --- Plans --------------------------------------------------------------------------------------


@pytest.fixture
def many(world: World) -> World:
    """Enough cases that the planner has a choice: 6,000 copies of one, spread over two units."""
    CaseTypeFactory(organisation=world.here, term="30wd")
    case = CaseFactory(unit=world.unit)
    copied = [
        field.column
        for field in Case._meta.concrete_fields
        if not field.generated
        and field.column
        not in {"id", "uuid", "reference", "unit_id", "assignee_id", "opened_at", "due_at"}
    ]
    columns = ", ".join(f'"{column}"' for column in copied)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO cases_case ({columns}, uuid, reference, unit_id, assignee_id,
                                        opened_at, due_at)
            SELECT {columns}, gen_random_uuid(), 'COPY-' || n,
                CASE WHEN n %% 2 = 0 THEN {world.unit.pk} ELSE {world.other_unit.pk} END,
                CASE WHEN n %% 40 = 0 THEN {world.alice.pk} WHEN n %% 3 = 0 THEN NULL
                     ELSE {world.bob.pk} END,
                now() - n * interval '3 hours', now() + (n %% 700) * interval '1 hour'
            FROM cases_case, generate_series(1, 6000) n WHERE id = %s""",  # noqa: S608 - our own keys
            [case.pk],
        )
        cursor.execute("ANALYZE cases_case")
    return world


def plan_of(query: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}")
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("who", "asked", "index"),
    [
        ("alice", CaseFilter(assignee=ME), "case_mine"),
        ("alice", CaseFilter(), "case_unit_due"),
        ("alice", CaseFilter(assignee=NOBODY), "case_unit_free"),
        ("alice", CaseFilter(work=ALL), "case_unit_new"),
        ("boss", CaseFilter(), "case_due"),
        ("boss", CaseFilter(work=ALL), "case_new"),
        ("boss", CaseFilter(due_before=timezone.now()), "case_due"),
    ],
)
def test_each_list_walks_its_index(many: World, who: str, asked: CaseFilter, index: str) -> None:
    user = many.alice if who == "alice" else employee(many.here, "supervisor")
    walks(many.actor(user), asked, index)


def walks(actor: Actor, asked: CaseFilter, index: str) -> None:
    """The first two pages are read by this index, and never all the cases."""
    page = find(actor, asked, size=26)
    for cursor in filter(None, ("", page.after)):
        with CaptureQueriesContext(connection) as captured:
            find(actor, asked, cursor, size=26)
        query = next(
            query["sql"]
            for query in captured.captured_queries
            if "LIMIT" in query["sql"] and "cases_case" in query["sql"]
        )
        plan = plan_of(query)
        assert index in plan, plan
        assert "Seq Scan on cases_case" not in plan, plan


@pytest.mark.parametrize(
    ("who", "text", "index"),
    [
        ("alice", "state:open assignee:me", "case_mine"),
        ("alice", "state:open priority:normal", "case_unit_due"),
        ("alice", "state:open -has:documents", "case_unit_due"),
        ("alice", "state:open unit:NORTH/* priority<high", "case_unit_due"),
        ("alice", "unit:NORTH -channel:post", "case_unit_new"),
        ("boss", "state:open (priority:normal or has:notes)", "case_due"),
        ("boss", "due<30d state:open", "case_due"),
        ("boss", "unit:SOUTH state:open", "case_unit_due"),
        ("boss", "opened<2w", "case_new"),
        ("boss", "assignee:me -event:noted state:open", "case_mine"),
        ("boss", "ref:COPY-2026-0000777 has:due", "case_reference_once_per_organisation"),
        ("alice", "ref:COPY-2026-0000777", "case_reference_once_per_organisation"),
        ("boss", "citizen:zoraida", "cases_case_pkey"),
        ("alice", "citizen:zoraida state:open", "cases_case_pkey"),
    ],
)
def test_each_query_walks_the_index_of_what_it_says(
    many: World, who: str, text: str, index: str
) -> None:
    CaseFactory(unit=many.unit, citizen=CitizenFactory(organisation=many.here, name="Zoraida"))
    user = many.alice if who == "alice" else employee(many.here, "supervisor")
    actor = many.actor(user)
    expression = understood(actor, text)
    assert expression.problems == ()
    walks(actor, expression.alone(), index)


@pytest.mark.parametrize(("word", "by_keys"), [("hipoteca", True), ("farola", False)])
def test_a_word_that_few_cases_have_leads_to_them(many: World, word: str, by_keys: bool) -> None:
    """The regression: the planner took any rare word for one in 200, and read half a million cases."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET subject = 'Farola apagada'")
        cursor.execute(
            "UPDATE cases_case SET subject = 'Hipoteca' WHERE id IN"
            " (SELECT id FROM cases_case ORDER BY opened_at LIMIT 40)"
        )
        cursor.execute("ANALYZE cases_case")
    boss = many.actor(employee(many.here, "supervisor"))
    asked = CaseFilter(text=word, any_time=True)
    with CaptureQueriesContext(connection) as captured:
        page = find(boss, asked, size=26)
    assert {case.subject.split()[0].lower() for case in page.rows} == {word}
    assert len(page.rows) == 26
    assert len(find(boss, asked, page.after, size=26).rows) == (14 if by_keys else 26)
    pages = [query["sql"] for query in captured.captured_queries if "ORDER BY" in query["sql"]]
    assert ['"cases_case"."id" IN (' in query for query in pages if "@@" in query] == [by_keys]


@pytest.mark.parametrize("few", [1, 2, 3, 500])
def test_few_or_many_the_same_cases_are_found(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    for number in range(3):
        CaseFactory(unit=world.unit, subject=f"Farola {number}")
    CaseFactory(unit=world.other_unit, subject="Farola de al lado")
    monkeypatch.setattr(lists, "FEW_BY_WORDS", few)
    alice = world.actor(world.alice)
    assert sorted(everything(alice, CaseFilter(text="farola"), 2)) == [
        "Farola 0",
        "Farola 1",
        "Farola 2",
    ]

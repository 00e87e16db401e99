"""Expressions over cases: equal to a reading case by case, whoever asks; what a filter can say stays one.

`QUERY_COMBINATIONS=10000 python3 boot.py test tests/cases/test_query.py` compares that many.
"""

import json
import os
import re
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from io import StringIO
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cases import services
from cases.lists import ALL, ENDED, ME, NOBODY, OPEN, CaseFilter, count, find, matching
from cases.models import BulkAction, Case, CaseType, StateCategory
from cases.query import as_audited, completions, expression_of, understood
from cases.query.fields import FIELDS
from cases.services.writing import told_at
from cases.workflow import simple_bundle
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen
from crm.citizens.permissions import VIEW_CITIZEN
from tests.cases.query_world import Said, Seer, expressions, make_heap
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.organisations import UnitFactory

pytestmark = pytest.mark.django_db

COMBINATIONS = int(os.environ.get("QUERY_COMBINATIONS", "300"))
HEAPS = max(4, COMBINATIONS // 250)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=ZoneInfo("Europe/Madrid"))  # a Friday


@pytest.fixture(autouse=True)
def at_a_fixed_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What today is must not change between a query and its reading."""
    real = timezone.localtime
    monkeypatch.setattr(
        timezone, "localtime", lambda value=None, zone=None: real(value or NOW, zone)
    )


@pytest.mark.parametrize("seed", range(HEAPS))
def test_it_finds_what_a_reading_case_by_case_finds(world: World, seed: int) -> None:
    heap = make_heap(world, seed, NOW)

    @settings(
        max_examples=COMBINATIONS // HEAPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(seer=st.sampled_from(heap.seers), said=expressions(heap))
    def compare(seer: Seer, said: Said) -> None:
        expression = understood(seer.actor, said.text)
        if expression.problems:  # another organisation's codes are unknown; names are not for all
            foreign = seer.actor.organisation_id != world.here.pk
            assert foreign or (said.names and not seer.finds_citizens), expression.problems
            return
        wanted = {
            case.reference for case in heap.cases if seer.sees(case) and said.means(seer, case)
        }
        asked = expression.alone()
        with transaction.atomic():
            found = set(matching(seer.actor, asked).values_list("reference", flat=True))
            assert found == wanted, said.text
            listed = [case.reference for case in find(seer.actor, asked, size=100).rows]
            assert sorted(listed) == sorted(wanted), said.text
            assert count(seer.actor, asked) in (len(wanted), None)

    compare()


# --- What a filter can say stays a filter ---------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("state:open", {}),
        ("farola", {"work": ALL, "text": "farola", "any_time": True}),
        ("state:open farola type:beca", {"text": '"farola"', "case_type": "beca"}),
        ("estado:abierto responsable:yo", {"assignee": ME}),
        ("state:open assignee:nobody", {"assignee": NOBODY}),
        ("state:ended", {"work": ENDED}),
        ("category:waiting-citizen", {"categories": frozenset({2})}),
        ("category:resolved,closed", {"work": ENDED, "categories": frozenset({4, 5})}),
        ("state:in_progress", {"work": ALL, "state": "in_progress"}),
        ("state:open channel:web-form priority:high", {"channel": "web_form", "priority": 2}),
        ("state:open due<7d", {"due_before": NOW.replace(day=27, hour=0, minute=0)}),
        (
            "state:all opened:2026-11-05",
            {
                "work": ALL,
                "opened_from": NOW.replace(day=5, hour=0, minute=0),
                "opened_before": NOW.replace(day=6, hour=0, minute=0),
            },
        ),
        ("ref:here-2026-0000001", {"work": ALL, "reference": "HERE-2026-0000001"}),
    ],
)
def test_what_a_filter_can_say_is_one(world: World, text: str, wanted: dict[str, Any]) -> None:
    CaseTypeFactory(organisation=world.here, code="beca")
    alice = world.actor(world.alice)
    expression = understood(alice, text)
    assert expression.problems == ()
    asked = replace(CaseFilter(any_time=True), **wanted)
    assert expression.alone() == asked


def test_units_are_asked_with_and_without_those_under_them(world: World) -> None:
    below = UnitFactory(organisation=world.here, parent=world.unit, code="N1")
    boss = employee(world.here, "supervisor", unit=world.unit)
    for unit in (world.unit, below, world.other_unit):
        CaseFactory(unit=unit, subject=unit.code)
    actor = acting(boss)
    for text, wanted in (
        ("unit:NORTH", ["NORTH"]),
        ("unit:north/*", ["N1", "NORTH"]),
        ('unit:"Norte/*"', ["N1", "NORTH"]),
        ("unit:mine", ["NORTH"]),
        ("unit:N1,SOUTH", ["N1"]),
        ("unit:SOUTH", []),
    ):
        asked = understood(actor, text).alone()
        assert sorted(case.subject for case in find(actor, asked).rows) == wanted, text
    (problem,) = understood(actor, "unit:FAR").problems
    assert (problem.start, problem.end) == (5, 8)


def test_all_of_it_in_one(world: World) -> None:
    """The example of the specification finds the one case of which all of it is true."""
    bundle = simple_bundle()
    bundle["states"].append({"code": "review", "name": "En revisión", "category": "open"})
    bundle["moves"].append(
        {
            "code": "review",
            "name": "Revisar",
            "from": ["new"],
            "to": "review",
            "permission": "cases.change_case",
            "requires": [],
        }
    )
    CaseTypeFactory(organisation=world.here, code="pension", bundle=bundle, term="3d")
    madrid = UnitFactory(organisation=world.here, parent=world.unit, code="Madrid")
    centre = UnitFactory(organisation=world.here, parent=madrid, code="Centro")
    person = CitizenFactory(organisation=world.here, surname1="García")
    said = {"citizen": person, "subject": "Informe de vida laboral"}
    wanted, unmoved = CaseFactory(unit=centre, **said), CaseFactory(unit=centre, **said)
    elsewhere = CaseFactory(unit=world.unit, **said)
    alice = world.actor(world.alice)
    for case, user in ((wanted, world.alice), (elsewhere, world.alice)):
        with told_at(timezone.now() - timedelta(days=7)):
            services.move_case(acting(user), case.uuid, "review")
    Case.objects.update(due_at=NOW + timedelta(days=3))
    text = (
        'type:pension state:open due<7d unit:Madrid/* citizen:"García" moved-to:review by:me'
        ' when:-9d..-5d text:"vida laboral"'
    )
    expression = understood(alice, text)
    assert expression.problems == ()
    assert [case.pk for case in find(alice, expression.alone()).rows] == [wanted.pk]
    without = understood(alice, text.replace("moved-to:review by:me when:-9d..-5d ", ""))
    found = find(alice, without.alone()).rows
    assert {case.pk for case in found} == {wanted.pk, unmoved.pk}
    spanish = (
        'tipo:pension estado:abierto vence<7d unidad:Madrid/* persona:"García" pasado-a:review'
        ' por:mí cuándo:-9d..-5d texto:"vida laboral"'
    )
    again = understood(alice, spanish)
    assert [case.pk for case in find(alice, again.alone()).rows] == [wanted.pk]


NO_FILTERS = {"months": None, "by": "", "text": "", "also": None, "led": False, "any_time": True}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_filter_is_told_as_an_expression_that_asks_the_same(
    world: World, data: st.DataObject
) -> None:
    if not CaseType.objects.filter(organisation=world.here, code="beca").exists():
        CaseTypeFactory(organisation=world.here, code="beca")
    boss = world.actor(world.alice)
    days = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 - made local below
    moments = st.one_of(
        st.none(),
        days.map(lambda one: one.replace(tzinfo=NOW.tzinfo)),
        days.map(lambda one: one.replace(hour=0, minute=0, second=0, microsecond=0)).map(
            lambda one: one.replace(tzinfo=NOW.tzinfo)
        ),
    )
    maybe = lambda *values: st.sampled_from(values)  # noqa: E731 - a short name for a table
    unit = data.draw(maybe(None, world.unit.uuid, world.other_unit.uuid))
    asked = CaseFilter(
        **NO_FILTERS,  # type: ignore[arg-type]
        work=data.draw(maybe(OPEN, ENDED, ALL)),
        categories=frozenset(data.draw(st.sets(st.sampled_from(StateCategory), max_size=3))),
        state=data.draw(maybe("", "new", "in_progress")),
        case_type=data.draw(maybe("", "beca")),
        unit=unit,
        alone=unit is not None and data.draw(st.booleans()),
        assignee=data.draw(maybe("", ME, NOBODY, world.bob.uuid)),
        citizen=data.draw(maybe(None, world.alice.uuid)),
        channel=data.draw(maybe("", "phone", "web_form")),
        priority=data.draw(maybe(None, 0, 3)),
        due_from=data.draw(moments),
        due_before=data.draw(moments),
        opened_from=data.draw(moments),
        opened_before=data.draw(moments),
        reference=data.draw(maybe("", "HERE-2026-0000001")),
        danger=data.draw(st.booleans()),
    )
    text = expression_of(boss, asked)
    again = understood(boss, text)
    assert again.problems == (), text
    if asked.categories and f"{asked.work}" not in _work_alone(asked):
        return  # work and categories that say something else: both hold, as a condition
    assert again.alone() == asked, text


def _work_alone(asked: CaseFilter) -> set[str]:
    ended = {category >= 4 for category in asked.categories}
    return {ALL} if len(ended) > 1 else {ENDED} if True in ended else {OPEN}


# --- What must not be found -----------------------------------------------------------------------


def test_citizens_are_found_by_name_only_by_whoever_may_and_never_the_protected(
    world: World,
) -> None:
    def person(**record: Any) -> Citizen:
        return CitizenFactory(organisation=world.here, name="Rosa", surname1="Quiñones", **record)

    hidden = person(organisation__protected=True, organisation__protected_reason="Orden")
    for who in (person(), hidden):
        CaseFactory(unit=world.unit, citizen=who)
    foreign = CaseFactory(unit=world.unit)
    stranger = CitizenFactory(organisation=world.elsewhere, surname1="Quiñones")
    Case.objects.filter(pk=foreign.pk).update(citizen=stranger)
    boss = acting(employee(world.here, "supervisor"))  # may even open protected records
    for text in ('citizen:"quinones"', "ciudadano:QUIÑONES", 'citizen:"Rosa Quiñones"'):
        found = find(boss, understood(boss, text).alone()).rows
        assert [case.citizen.records.get().protected for case in found if case.citizen] == [False]
    everybody = find(boss, understood(boss, "-citizen:quiñones").alone()).rows
    assert len(everybody) == 2
    rights = {right: reach for right, reach in boss.permissions.items() if right != VIEW_CITIZEN}
    blind = replace(boss, permissions=MappingProxyType(rights))
    for text in ("citizen:quiñones", "state:open or -citizen:nadie"):
        (problem,) = understood(blind, text).problems
        assert str(problem.message) == "None of your roles finds citizens by their name."
    for text in ("citizen:12345678Z", 'citizen:"."'):
        (problem,) = understood(boss, text).problems
        assert problem.start == 8


def test_nobody_of_another_organisation_is_confirmed(world: World) -> None:
    alice = world.actor(world.alice)
    for text in (
        f"assignee:{world.charlie.email}",
        'by:"Charlie Cruz"',
        f"assigned-to:{world.charlie.uuid}",
        "by:nobody@example.org",
    ):
        (problem,) = understood(alice, text).problems
        assert "works here" in str(problem.message)
        assert problem.proposals == ()
        offered = completions(alice, text, len(text))
        assert not any("Charlie" in str(one.label) for one in offered)
    (problem,) = understood(alice, "by:Bueno").problems
    assert problem.proposals == (world.bob.email,)


def test_only_units_whose_cases_one_sees_are_offered(world: World) -> None:
    alice = world.actor(world.alice)
    assert [one.text for one in completions(alice, "unit:", 5)] == ["NORTH"]
    assert [one.text for one in completions(alice, "unit:so", 7)] == []
    (problem,) = understood(alice, "unit:SOUT").problems
    assert "SOUTH" not in problem.proposals


@pytest.mark.parametrize(
    ("text", "word", "proposals"),
    [
        ("tpye:beca", "tpye", ("tipo",)),
        ("type:beka", "beka", ("beca",)),
        ("state:opne", "opne", ("abierto",)),
        ("channel:fax", "fax", ("teléfono", "chat", "whatsapp", "redes", "correo-e")),
        ("priority:urgnt", "urgnt", ("urgente",)),
        ("due<nextweek", "nextweek", ()),
        ("due:now", "now", ()),
        ("ref:12", "12", ()),
        ("channel>phone", ">", (":",)),
        ("moved-to:new moved-to:closed", "moved-to:closed", ()),
        ("event:noted assigned-to:me", "assigned-to:me", ()),
        ("last-week type:beca", "last-week", ("cuándo:last-week", '"last-week"')),
    ],
)
def test_what_is_wrong_is_marked_and_something_else_proposed(
    world: World, text: str, word: str, proposals: tuple[str, ...]
) -> None:
    CaseTypeFactory(organisation=world.here, code="beca", name="Beca")
    (problem,) = understood(world.actor(world.alice), text).problems
    assert text[problem.start : problem.end] == word
    assert problem.proposals == proposals


def test_the_trail_keeps_queries_without_numbers_of_people(world: World) -> None:
    for text, kept in (
        ("type:beca opened>2026-01-01", "type:beca opened>2026-01-01"),
        ('text:"12345678Z" due<7d', "text:••••5678Z due<7d"),
        ("HERE-2026-0000001", "HERE-2026-0000001"),
        ("wrong:12345678Z", "wrong:••••5678Z"),
    ):
        assert as_audited(text) == kept
    assert "12345678" not in as_audited('( "12345678Z"')


@given(st.text(max_size=80))
@example("\0")
@example("\ud800")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_text_breaks_the_fields(world: World, text: str) -> None:
    alice = world.actor(world.alice)
    for name in ("", *(one.name for one in FIELDS)):
        for sign in (":", "<"):
            expression = understood(alice, f"{name}{sign if name else ''}{text}")
            if not expression.problems:
                with transaction.atomic():
                    count(alice, expression.alone())
        completions(alice, f"{name}:{text}", len(text))
    as_audited(text)


# --- Doors ----------------------------------------------------------------------------------------


def command(*words: str) -> tuple[int, str, str]:
    """How the command ended, and what it said."""
    out, err = StringIO(), StringIO()
    try:
        call_command("query", *words, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_the_command_prints_references_or_the_place_of_the_error(world: World) -> None:
    first = CaseFactory(unit=world.unit, subject="Farola", opened_at=NOW - timedelta(days=900))
    second = CaseFactory(unit=world.other_unit, subject="Farola")
    services.close_case(world.actor(world.bob), second.uuid, outcome="Hecho")
    CaseFactory(unit=world.foreign_unit, subject="Farola")
    code, out, _err = command("HERE", "farola", "--json")
    assert code == 0
    assert json.loads(out) == {
        "query": "farola",
        "count": 2,
        "references": [second.reference, first.reference],
    }
    entry = AuditEntry.objects.get(action="searched")
    assert (entry.door, entry.actor_kind) == ("command", "system")
    assert entry.data == {"what": "cases", "query": "farola", "found": 2}
    _code, out, _err = command("HERE", "farola", "--as", world.alice.email)
    assert out == f"{first.reference}\n"
    assert AuditEntry.objects.filter(action="searched", actor_id=world.alice.pk).count() == 1
    code, out, _err = command("HERE", "farola chanel:phone", "--json")
    told = json.loads(out)
    assert code == 1
    assert told["error"] == told["errors"][0]
    assert (told["error"]["start"], told["error"]["end"]) == (7, 13)
    assert told["error"]["proposals"] == ["canal"]
    code, _out, err = command("HERE", "farola chanel:phone")
    assert code == 1
    assert err.splitlines()[:2] == ["farola chanel:phone", "       ^^^^^^"]
    for wrong in (("NONE", "x"), ("HERE", "x", "--as", world.charlie.email)):
        with pytest.raises(CommandError):
            command(*wrong)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(client: Client, **query: str) -> Any:
    return client.get("/casos/", query)


def test_the_list_takes_an_expression_and_tells_the_whole_of_it(world: World) -> None:
    CaseFactory(unit=world.unit, subject="Farola", channel="phone")
    done = CaseFactory(unit=world.unit, subject="Farola hecha", channel="phone")
    services.close_case(world.actor(world.alice), done.uuid, outcome="Hecho")
    client = signed_in(world.alice)

    def found(**query: str) -> list[str]:
        return [row.case.subject for row in page_of(client, **query).context["rows"]]

    assert found(q="canal:phone") == ["Farola"]
    assert found(q="canal:phone estado:todos") == ["Farola hecha", "Farola"]
    assert found(q="estado:terminado", estado="open") == []
    assert found(q="-canal:phone") == []
    assert found(q="channel:phone or has:notes", vista="unit") == ["Farola"]
    entry = AuditEntry.objects.filter(action="searched", data__query="canal:phone").get()
    assert entry.data == {
        "what": "cases",
        "query": "canal:phone",
        "found": 1,
        "filters": ["channel"],
    }
    page = page_of(client, q="has:notes or channel:phone", canal="phone", orden="newest")
    assert page.context["whole"] == ("estado:abierto canal:teléfono (has:notes or channel:phone)")
    again = client.get(page.context["whole_url"])
    assert [row.case.subject for row in again.context["rows"]] == ["Farola"]
    assert "orden=newest" in page.context["whole_url"]
    assert "canal=" not in page.context["whole_url"]
    assert page_of(client, canal="phone").context["whole"] == "estado:abierto canal:teléfono"
    assert "whole" not in page_of(client, q="farola").context


def test_an_error_is_shown_under_its_word_and_nothing_is_listed(world: World) -> None:
    CaseFactory(unit=world.unit, subject="Farola")
    client = signed_in(world.alice)
    answer = page_of(client, q="farola chanel:<b>", vista="unit")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert '<mark aria-describedby="query-fault-1">chanel</mark>:&lt;b&gt;' in page
    assert 'aria-invalid="true" aria-describedby="query-wrong"' in page
    assert 'value="farola chanel:&lt;b&gt;"' in page
    assert "?q=farola+canal%3A%3Cb%3E&amp;vista=unit" in page
    assert answer.context["rows"] == []
    for odd in ("x" * 1_500, "(" * 40, '"'):
        answer = page_of(client, q=odd)
        assert answer.status_code == 200
        assert answer.context["rows"] == []
        assert len(answer.context["faults"]) == 1
    boss = signed_in(employee(world.here, "supervisor", unit=world.unit))
    asked = {"action": "move", "scope": "filter", "filter": "q=chanel%3Aphone", "ready": "preview"}
    assert boss.post("/casos/acciones/", asked).status_code == 422
    assert not BulkAction.objects.unscoped("nothing was started").exists()


def test_a_bulk_action_takes_what_the_query_finds(world: World) -> None:
    for number in range(3):
        CaseFactory(unit=world.unit, subject=f"Farola {number}", channel="phone")
    CaseFactory(unit=world.unit, channel="email")
    boss = signed_in(employee(world.here, "supervisor", unit=world.unit))
    asked = {
        "action": "assign",
        "person": str(world.alice.uuid),
        "scope": "filter",
        "filter": "q=channel%3Aphone+-%22farola+2%22",
        "ready": "preview",
    }
    assert boss.post("/casos/acciones/", asked).status_code == 302
    assert BulkAction.objects.unscoped("a test's own").get().total == 2


def test_what_may_follow_is_answered_with_its_place(world: World) -> None:
    CaseTypeFactory(organisation=world.here)
    client = signed_in(world.alice)
    answer = client.get("/casos/consulta/", {"q": "farola can", "at": "10"}).json()
    assert answer == {"options": [{"start": 7, "end": 10, "text": "canal:", "label": "Channel"}]}
    for odd in ({"at": "-1"}, {"at": "x"}, {"at": "99999999"}, {"q": "a" * 2000}, {"at": "٣"}):
        assert client.get("/casos/consulta/", odd).status_code == 200
    guide = client.get("/casos/consulta/ayuda/").content.decode()
    assert all(f"<code>{one.shown}:</code>" in guide for one in FIELDS)
    examples = [unescape(found) for found in re.findall(r"<dt><code>(.*?)</code>", guide)]
    assert "(priority:urgent or due<3d)" in examples
    boss = world.actor(world.alice)
    for shown in examples[: -len(FIELDS)]:  # their values are made up, not their fields and signs
        for problem in understood(boss, shown).problems:
            assert str(problem.message).startswith(("There is no case type", "There is no unit"))


def test_the_api_takes_an_expression_and_says_where_it_is_wrong(world: World) -> None:
    for number in range(5):
        CaseFactory(unit=world.unit, subject=f"Farola {number}", channel="phone")
    CaseFactory(unit=world.unit, subject="Farola", channel="email")
    CaseFactory(unit=world.other_unit, subject="Farola", channel="phone")
    client = signed_in(world.alice)
    address = "/api/v1/cases/"
    first = client.get(address, {"query": "channel:phone -2", "limit": "3"}).json()
    rest = client.get(first["next"]).json()
    found = [case["subject"] for case in first["results"] + rest["results"]]
    assert found == ["Farola 4", "Farola 3", "Farola 1", "Farola 0"]
    assert rest["next"] is None
    both = client.get(address, {"query": "channel:phone", "text": "farola", "priority": "high"})
    assert both.json()["results"] == []
    words = client.get(address, {"query": "farola or nada", "channel": "email"}).json()
    assert [case["channel"] for case in words["results"]] == ["email"]
    wrong = client.get(address, {"query": " channel:fax"})
    assert wrong.status_code == 400
    assert wrong["Content-Type"] == "application/problem+json"
    (error,) = wrong.json()["errors"]
    assert (error["parameter"], error["start"], error["end"]) == ("query", 9, 12)
    assert error["proposals"][0] == "teléfono"
    entries = AuditEntry.objects.filter(action="searched", door="api")
    assert "channel:phone -2" in [entry.data.get("query") for entry in entries]

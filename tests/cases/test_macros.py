"""Macros: what they may consist of, run whole or not at all, by the rights of whoever runs them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone, translation

from cases import macros as reading
from cases import services
from cases.models import (
    BulkAction,
    Case,
    CaseResult,
    CaseType,
    Event,
    EventKind,
    Macro,
    MacroKey,
    MacroRun,
    Message,
    Note,
)
from cases.services import bulk
from cases.services import macros as verbs
from cases.services.answers import Answer, create_answer, publish_answer
from cases.services.bulk import Bulk
from cases.services.macros import Said, StepRefused
from cases.workflow import simple_bundle
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, NotFound, Refused
from crm.kit.models import Outbox
from tests.api.conftest import key_for
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.organisations import UnitFactory

TAKE = {"act": "take"}
START = {"act": "move", "move": "start"}
URGENT = {"act": "priority", "priority": "3"}
TAKE_NOTE = {"act": "note", "body": "Visto"}
RESOLVE = {"act": "move", "move": "resolve"}


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Pages read in English leave the thread as it was."""
    before = translation.get_language()
    yield
    translation.activate(before or "es")


@pytest.fixture
def boss(world: World) -> Actor:
    """Supervises everywhere."""
    return world.actor(employee(world.here, "supervisor", full_name="Jefa Juste"))


@pytest.fixture
def kind(world: World) -> CaseType:
    return CaseTypeFactory(organisation=world.here, code="kind", bundle=simple_bundle())


@pytest.fixture
def case(world: World, kind: CaseType) -> Case:
    citizen = CitizenFactory(organisation=world.here, name="Ana", surname1="Pla", surname2="")
    return CaseFactory(unit=world.unit, case_type=kind, citizen=citizen, subject="Piso")


def made(actor: Actor, *steps: dict[str, Any], **given: Any) -> Macro:
    return verbs.create_macro(actor, Said(**{"name": "Empezar", "steps": steps, **given}))


def kinds(case: Case) -> list[str]:
    return list(Event.objects.filter(case=case).order_by("seq").values_list("kind", flat=True))


def made_answer(actor: Actor) -> UUID:
    """Published for all."""
    texts = {"es": "Sobre ((subject)), hasta ((due))."}
    said = Answer(code="a", name="A", audience="organisation", texts=texts)
    return publish_answer(actor, create_answer(actor, said).uuid).uuid


def key_of(world: World) -> str:
    """A connected system's."""
    scopes = ["cases.view_case", "cases.change_case", "cases.close_case"]
    return key_for(world.here, *scopes)


# --- Running --------------------------------------------------------------------------------------


def test_all_its_acts_are_done_in_one_batch_under_its_name(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    answer = create_answer(
        alice, Answer(code="a", name="Aviso", texts={"es": "Sobre ((subject))."})
    )
    macro = made(
        alice, TAKE, START, URGENT,
        {"act": "note", "body": "Una"}, {"act": "note", "body": "Otra"},
        {"act": "answer", "answer": str(answer.uuid)},
        {"act": "task", "title": "Llamar", "term": "2wd"},
    )  # fmt: skip
    key = uuid4()
    run = verbs.run_macro(alice, case.uuid, macro.uuid, key=key)
    assert verbs.run_macro(alice, case.uuid, macro.uuid, key=key) == run
    case.refresh_from_db()
    assert (case.assignee, case.state, case.priority) == (world.alice, "in_progress", 3)
    assert kinds(case) == [
        *("opened", "macro_run", "assigned", "moved", "edited", "noted", "noted"),
        *("messaged", "task_added"),
    ]
    assert sorted(Note.objects.values_list("body", flat=True)) == ["Otra", "Una"]
    assert Message.objects.get().body == "Sobre Piso."
    events = Event.objects.filter(case=case).exclude(kind=EventKind.OPENED)
    assert {event.data["batch"] for event in events} == {str(key)}
    told = events.get(kind=EventKind.MACRO_RUN)
    assert told.data["macro"] == "Empezar"
    assert told.data["steps"][:3] == [["take", ""], ["move", "Start work"], ["priority", "Urgent"]]
    assert AuditEntry.objects.filter(data__batch=str(key)).count() == 8
    macro.refresh_from_db()
    answer.refresh_from_db()
    assert (macro.uses, answer.uses) == (1, 1)


def test_when_one_act_is_not_possible_nothing_is_done(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    macro = made(
        alice, TAKE, {"act": "message", "body": "Hola"}, START,
        {"act": "unit", "unit": str(world.other_unit.uuid), "reason": "Es suyo"},
    )  # fmt: skip
    before = Outbox.objects.count()
    with pytest.raises(StepRefused) as refused:
        verbs.run_macro(alice, case.uuid, macro.uuid)
    assert refused.value.details["step"] == 4
    assert str(refused.value).startswith("Step 4, “Change the unit: Sur”: ")
    assert refused.value.status == 403
    case.refresh_from_db()
    assert (case.assignee, case.state, case.last_event) == (None, "new", 1)
    assert kinds(case) == ["opened"]
    assert not Message.objects.exists()
    assert not MacroRun.objects.exists()
    assert Outbox.objects.count() == before


def test_what_a_move_demands_is_asked_and_never_left_out(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    macro = made(alice, TAKE, RESOLVE)
    with pytest.raises(StepRefused, match=r"Missing: Outcome\."):
        verbs.run_macro(alice, case.uuid, macro.uuid)
    take, resolve = verbs.try_macro(alice, case.uuid, macro.uuid)
    assert (take.asks, take.refusal) == ([], "")
    assert (resolve.asks, resolve.refusal) == (["outcome"], "")
    case.refresh_from_db()
    assert (case.assignee, case.state) == (None, "new")  # trying it leaves nothing behind
    verbs.run_macro(alice, case.uuid, macro.uuid, {2: {"outcome": "Concedida"}})
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("resolved", "Concedida")


def test_what_a_step_says_itself_nobody_says_otherwise(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    macro = made(alice, {"act": "note", "body": "Visto"}, START)
    other = {"act": "message", "body": "Otra cosa", "move": "close", "reason": "Porque sí"}
    verbs.run_macro(alice, case.uuid, macro.uuid, {1: other, 2: other})
    case.refresh_from_db()
    assert (Note.objects.get().body, case.state) == ("Visto", "in_progress")
    assert not Message.objects.exists()


def test_the_types_own_fields_are_demanded_too(world: World) -> None:
    bundle = simple_bundle(
        fields={"properties": {"rent": {"type": "number", "title": "Renta"}}, "required": []}
    )
    next(one for one in bundle["moves"] if one["code"] == "start")["requires"] = ["rent"]
    kind = CaseTypeFactory(organisation=world.here, code="rent", bundle=bundle)
    case = CaseFactory(unit=world.unit, case_type=kind)
    alice = world.actor(world.alice)
    macro = made(alice, START)
    with pytest.raises(StepRefused, match=r"Missing: Renta\."):
        verbs.run_macro(alice, case.uuid, macro.uuid)
    verbs.run_macro(alice, case.uuid, macro.uuid, {1: {"data": {"rent": 500}}})
    case.refresh_from_db()
    assert (case.state, case.data) == ("in_progress", {"rent": 500})


def test_ending_the_case_asks_for_its_outcome_and_way_of_ending(world: World) -> None:
    results = [{"code": "granted", "name": "Concedida"}, {"code": "denied", "name": "Denegada"}]
    retention = {"nomination": "destroy", "term": "5y"}
    bundle = {**simple_bundle(), "results": results, "retention": retention}
    kind = CaseTypeFactory(organisation=world.here, code="ends", bundle=bundle)
    case = CaseFactory(unit=world.unit, case_type=kind)
    alice = world.actor(world.alice)
    macro = made(alice, TAKE, RESOLVE)
    _take, resolve = verbs.try_macro(alice, case.uuid, macro.uuid)
    assert sorted(resolve.asks) == ["outcome", "result"]
    client, url = signed_in(world.alice), f"/casos/{case.uuid}/macros/{macro.uuid}/"
    page = client.get(url).content.decode()
    assert '<option value="denied">Denegada</option>' in page
    lacking = client.post(url, {"s2-outcome": "No procede", "s2-result": ""})
    assert (lacking.status_code, kinds(case)) == (422, ["opened"])
    said = {"s2-outcome": "No procede", "s2-result": "denied", "idempotency_key": str(uuid4())}
    assert client.post(url, said).status_code == 302
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("resolved", "No procede")
    assert CaseResult.objects.get(case=case).code == "denied"


def test_an_answer_that_lacks_something_stops_the_macro(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    answer = create_answer(alice, Answer(code="a", name="A", texts={"es": "Hasta el ((due))."}))
    macro = made(alice, TAKE, {"act": "answer", "answer": str(answer.uuid)})
    with pytest.raises(StepRefused, match=r"\(\(due\)\) Due date"):
        verbs.run_macro(alice, case.uuid, macro.uuid)
    case.refresh_from_db()
    assert case.assignee is None


def test_it_is_for_the_unit_type_and_state_that_it_says(
    world: World, boss: Actor, kind: CaseType, case: Case
) -> None:
    alice = world.actor(world.alice)
    below = UnitFactory(organisation=world.here, parent=world.unit, code="DESK")
    north = made(boss, TAKE, name="Norte", audience="unit", unit=world.unit.uuid)
    south = made(boss, TAKE, name="Sur", audience="unit", unit=world.other_unit.uuid)
    late = made(boss, TAKE, name="Cerrados", audience="organisation", states=["closed"])
    typed = made(boss, TAKE, name="Tipo", audience="organisation", case_types=["kind"])
    mine = made(alice, TAKE, name="Mía")
    assert reading.macros_for(alice, case) == [mine, north, typed]
    lower = CaseFactory(unit=below, case_type=kind)
    assert reading.macros_for(boss, lower) == [north, typed]
    for other in (south, late):
        with pytest.raises(Exception, match="This macro is not for this case's unit"):
            verbs.run_macro(alice, case.uuid, other.uuid)
    with pytest.raises(NotFound):  # a colleague's own
        verbs.run_macro(boss, case.uuid, mine.uuid)


def test_nobody_runs_it_on_a_case_that_they_do_not_see(
    world: World, boss: Actor, case: Case
) -> None:
    macro = made(boss, TAKE, audience="organisation")
    for user in (world.bob, world.charlie):
        with pytest.raises(NotFound):
            verbs.run_macro(world.actor(user), case.uuid, macro.uuid)


# --- On many cases --------------------------------------------------------------------------------


def prepared(actor: Actor, macro: Macro, *cases: Case, **more: str) -> BulkAction:
    chosen = bulk.chosen_cases(actor, [case.uuid for case in cases])
    return bulk.prepare_bulk(actor, chosen, Bulk(action="macro", macro=macro.uuid, **more))


def run(actor: Actor, action: BulkAction) -> BulkAction:
    bulk.start_bulk(actor, action.uuid)
    bulk.run_bulk(action.uuid)
    action.refresh_from_db()
    return action


def reasons(action: BulkAction) -> list[str]:
    rows = action.rows.order_by("number")
    return [row.reason for row in rows]


def test_on_many_cases_each_is_done_whole_or_not_at_all(
    world: World, boss: Actor, kind: CaseType, case: Case
) -> None:
    begun = CaseFactory(unit=world.unit, case_type=kind)
    services.move_case(boss, begun.uuid, "start")
    macro = made(boss, TAKE, {"act": "message", "body": "Hola"}, START, audience="organisation")
    outbox = Outbox.objects.count()
    action = prepared(boss, macro, case, begun)
    said = "Step 3, “Move to another state: Start work”: "
    assert (action.status, action.total, action.refused) == ("ready", 2, 1)
    assert [reason[: len(said)] for reason in reasons(action)] == ["", said]
    assert (kinds(case), Message.objects.count()) == (["opened"], 0)
    assert Outbox.objects.count() == outbox  # looking through leaves nothing behind
    run(boss, action)
    assert (action.status, action.done, action.refused) == ("done", 1, 1)
    assert kinds(case) == ["opened", "macro_run", "assigned", "messaged", "moved"]
    assert kinds(begun) == ["opened", "moved"]
    begun.refresh_from_db()
    assert begun.assignee is None
    assert Message.objects.count() == 1
    events = Event.objects.filter(case=case).exclude(kind=EventKind.OPENED)
    assert {event.data["batch"] for event in events} == {str(action.uuid)}
    with pytest.raises(Conflict, match="cannot be taken back"):
        bulk.undo_bulk(boss, action.uuid)
    head = signed_in(User.objects.get(pk=boss.user_id))
    page = head.get(f"/casos/acciones/{action.uuid}/")
    assert (page.context["may_undo"], page.context["stays"]) == (False, True)
    assert dict(page.context["details"]) == {"Macro": "Empezar"}


def test_killed_anywhere_no_case_is_done_twice(
    world: World, boss: Actor, kind: CaseType, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [CaseFactory(unit=world.unit, case_type=kind) for _each in range(3)]
    macro = made(boss, {"act": "message", "body": "Hola"}, START, audience="organisation")
    action = prepared(boss, macro, *cases)
    bulk.start_bulk(boss, action.uuid)
    monkeypatch.setattr(bulk, "LOT", 1)
    assert bulk._run_next(action.uuid)
    real = verbs.run_macro

    def dying(*args: Any, **kwargs: Any) -> MacroRun:
        real(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(verbs, "run_macro", dying)
    with pytest.raises(KeyboardInterrupt):
        bulk.run_bulk(action.uuid)
    monkeypatch.setattr(verbs, "run_macro", real)
    assert MacroRun.objects.count() == 1
    bulk.run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.status, action.done) == ("done", 3)
    assert (MacroRun.objects.count(), Message.objects.count()) == (3, 3)


def test_what_it_only_changed_is_taken_back(
    world: World, boss: Actor, kind: CaseType, case: Case
) -> None:
    other = CaseFactory(unit=world.unit, case_type=kind, assignee=world.alice, priority=2)
    mine = {"act": "assign", "person": str(boss.uuid)}
    there = {"act": "unit", "unit": str(world.other_unit.uuid), "reason": "Es suyo"}
    macro = made(boss, mine, URGENT, there, RESOLVE, audience="organisation")
    assert prepared(boss, macro, case).refused == 1
    assert "Missing: Outcome." in reasons(prepared(boss, macro, case))[0]
    action = run(boss, prepared(boss, macro, case, other, outcome="Concedida"))
    case.refresh_from_db()
    assert (action.done, case.state, case.outcome) == (2, "resolved", "Concedida")
    assert (case.unit, case.priority) == (world.other_unit, 3)
    back = run(boss, bulk.undo_bulk(boss, action.uuid))
    assert (back.done, back.refused) == (2, 0)
    for row, assignee, priority in ((case, None, 1), (other, world.alice, 2)):
        row.refresh_from_db()
        assert (row.assignee, row.priority, row.state) == (assignee, priority, "new")
        assert (row.unit, row.outcome) == (world.unit, "")


def test_what_is_looked_through_is_what_is_done(world: World, boss: Actor, case: Case) -> None:
    macro = made(boss, START, audience="organisation")
    action, later = prepared(boss, macro, case), prepared(boss, macro, case)
    said = Said(name="Otra", steps=[RESOLVE], audience="organisation")
    verbs.change_macro(boss, macro.uuid, said)
    run(boss, action)
    assert (action.done, reasons(action)[0][:28]) == (0, "Someone has changed the macr")
    verbs.retire_macro(boss, macro.uuid)
    run(boss, later)
    assert reasons(later) == ["The macro is not offered any more."]
    with pytest.raises(Invalid):
        prepared(boss, macro, case)
    assert kinds(case) == ["opened"]


def test_by_form_and_by_api_it_is_an_act_like_others(world: World, boss: Actor, case: Case) -> None:
    macro = made(boss, START, audience="organisation")
    own = made(world.actor(world.alice), START, name="Suya")
    client = signed_in(User.objects.get(pk=boss.user_id))
    asked = {"action": "macro", "case": [str(case.uuid)]}
    page = client.post("/casos/acciones/", asked)
    assert "What is written cannot be taken back." not in page.content.decode()
    note = client.post("/casos/acciones/", {**asked, "action": "note"}).content.decode()
    assert "What is written cannot be taken back." in note
    offered = [name for _key, name in page.context["form"].fields["macro"].choices]
    assert offered == ["—", "Empezar"]
    sent = {**asked, "ready": "preview", "scope": "ticked"}
    assert client.post("/casos/acciones/", sent).status_code == 422
    assert client.post("/casos/acciones/", {**sent, "macro": str(own.uuid)}).status_code == 422
    told = client.post("/casos/acciones/", {**sent, "macro": str(macro.uuid)})
    assert told.status_code == 302
    assert client.get(told["Location"]).context["would_do"] == 1
    scopes = ["cases.view_case", "cases.change_case", "cases.close_case", "cases.run_bulk"]
    api = Client(headers={"authorization": f"Bearer {key_for(world.here, *scopes)}"})
    given = {"action": "macro", "cases": [str(case.uuid)], "macro": str(own.uuid)}
    url = "/api/v1/bulk-actions/"
    assert api.post(url, given, content_type="application/json").status_code == 422
    given["macro"] = str(macro.uuid)
    made_one = api.post(url, given, content_type="application/json")
    assert (made_one.status_code, made_one.json()["refused"]) == (201, 0)
    start = f"{url}{made_one.json()['id']}/start/"
    assert api.post(start, {}, content_type="application/json").status_code == 200
    bulk.run_bulk(UUID(made_one.json()["id"]))
    case.refresh_from_db()
    assert case.state == "in_progress"


# --- Writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "where", "why"),
    [
        ({"act": "fly"}, "steps.1.act", "There is no such act."),
        ({"act": "move", "move": "nowhere"}, "steps.1.move", "does not exist in: kind"),
        ({"act": "priority", "priority": "9"}, "steps.1.priority", "Choose one"),
        ({"act": "assign", "person": str(uuid4())}, "steps.1.person", "does not work here"),
        ({"act": "unit", "unit": "x", "reason": "r"}, "steps.1.unit", "Choose one"),
        ({"act": "answer", "answer": str(uuid4())}, "steps.1.answer", "Choose one"),
        ({"act": "suspend", "ground": "1", "reason": "r"}, "steps.1.ground", "Choose one"),
        ({"act": "papers", "papers": "DNI", "term": "soon"}, "steps.1.term", "Write the term"),
    ],
)
def test_a_step_that_cannot_be_is_said_when_it_is_saved(
    world: World, kind: CaseType, step: dict[str, Any], where: str, why: str
) -> None:
    with pytest.raises(Invalid) as refused:
        made(world.actor(world.alice), step, case_types=["kind"])
    assert set(refused.value.errors) == {where}
    assert why in str(refused.value.errors[where][0])
    assert not Macro.objects.unscoped("none was made").exists()


def test_who_may_share_them(world: World, boss: Actor) -> None:
    alice = world.actor(world.alice)
    head = world.actor(employee(world.here, "supervisor", unit=world.unit))
    for audience, unit in (("organisation", None), ("unit", world.unit.uuid)):
        with pytest.raises(Refused):
            made(alice, TAKE, audience=audience, unit=unit)
    with pytest.raises(Refused):
        made(head, TAKE, audience="organisation")
    shared = made(head, TAKE, audience="unit", unit=world.unit.uuid)
    with pytest.raises(Refused):
        verbs.retire_macro(alice, shared.uuid)
    own = made(alice, TAKE)
    with pytest.raises(NotFound):
        verbs.retire_macro(boss, own.uuid)
    said = Said(name="Otra", steps=[TAKE])
    changed = verbs.change_macro(alice, own.uuid, said, version=1)
    with pytest.raises(Changed):
        verbs.change_macro(alice, own.uuid, said, version=1)
    assert (changed.name, changed.version) == ("Otra", 2)


def test_a_key_is_ones_own_and_runs_one_macro(world: World, boss: Actor) -> None:
    one = made(boss, TAKE, name="Una", audience="organisation")
    two = made(boss, TAKE, name="Dos", audience="organisation")
    alice = world.actor(world.alice)
    verbs.set_key(alice, one.uuid, "A")
    verbs.set_key(alice, two.uuid, "a")
    assert [(row.name, row.sign) for row in reading.macros(alice).order_by("name")] == [
        ("Dos", "a"),
        ("Una", None),
    ]
    assert all(row.sign is None for row in reading.macros(world.actor(world.bob)))
    with pytest.raises(Invalid):
        verbs.set_key(alice, one.uuid, "ñ")
    verbs.retire_macro(boss, two.uuid)
    assert not MacroKey.objects.filter(user=world.alice).exists()


# --- When their type changes ----------------------------------------------------------------------


def test_publishing_a_version_says_which_macros_will_lack_what(
    world: World, boss: Actor, kind: CaseType
) -> None:
    admin = employee(world.here, "administrator")
    gone = made(boss, START, RESOLVE, name="Rota", audience="organisation", states=["new"])
    made(boss, START, name="Entera", audience="organisation", case_types=["kind"])
    CaseTypeFactory(organisation=world.here, code="other", bundle=simple_bundle())
    made(boss, RESOLVE, name="De otro", audience="organisation", case_types=["other"])
    made(world.actor(world.alice), RESOLVE, name="Suya")  # of a colleague's own nothing is said
    retired = made(boss, RESOLVE, name="Retirada", audience="organisation")
    verbs.retire_macro(boss, retired.uuid)
    actor = world.actor(admin)
    services.start_draft(actor, "kind")
    client, url = signed_in(admin), "/organizacion/tipos/kind/estudio/publicar/"
    assert client.get(url).context["broken"] == []
    moves = simple_bundle()["moves"]
    for move in moves:
        move["code"] = "finish" if move["code"] == "resolve" else move["code"]
    services.change_draft(actor, "kind", "moves", moves)
    page = client.get(url)
    (broken,) = page.context["broken"]
    assert (broken.macro, broken.lacks) == (gone, ["the move “Resolve”"])
    assert f'href="/macros/{gone.uuid}/">Rota</a>' in page.content.decode()
    assert "“Resolve”. Where it is lacking" in page.content.decode()
    named = [one.name for one in page.context["naming"]]
    assert named == ["Entera"]  # of which retiring the type would speak
    assert client.post(url, {"despite": "on"}).status_code == 302  # it stands in nobody's way


def test_a_state_that_goes_is_said_of_macros_that_are_for_it(
    world: World, boss: Actor, kind: CaseType
) -> None:
    states = ["in_progress", "closed"]
    waiting = made(
        boss, TAKE, name="A", audience="organisation", case_types=["kind"], states=states
    )
    before = simple_bundle()
    after = {**before, "states": [one for one in before["states"] if one["code"] != "in_progress"]}
    (broken,) = reading.broken_by(boss, "kind", before, after)
    assert (broken.macro, broken.lacks) == (waiting, ["the state “In progress”"])
    assert reading.broken_by(boss, "kind", after, before) == []


# --- Pages ----------------------------------------------------------------------------------------


def signed_in(user: Any) -> Client:
    user.language = "en"
    user.save()
    client = Client()
    client.force_login(user)
    return client


def test_the_page_says_what_it_does_asks_what_lacks_and_runs_it_once(
    world: World, case: Case
) -> None:
    macro = made(world.actor(world.alice), TAKE, RESOLVE, name="Resolver")
    client = signed_in(world.alice)
    menu = client.get(f"/casos/{case.uuid}/macros/").content.decode()
    assert "Macro: Resolver" in menu
    url = f"/casos/{case.uuid}/macros/{macro.uuid}/"
    page = client.get(url).content.decode()
    assert "2. Move to another state: Resolve" in page
    assert 'name="s2-outcome"' in page
    key = str(uuid4())
    empty = client.post(url, {"idempotency_key": key, "s2-outcome": ""})
    assert empty.status_code == 422
    assert kinds(case) == ["opened"]
    for _again in range(2):
        said = {"idempotency_key": key, "s2-outcome": "Concedida"}
        assert client.post(url, said).status_code in (302, 409, 422)
    assert MacroRun.objects.count() == 1
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("resolved", "Concedida")
    story = client.get(f"/casos/{case.uuid}/").content.decode()
    assert "ran the macro “Resolver”" in story


def test_the_editor_adds_and_moves_steps_and_loses_nothing(world: World, kind: CaseType) -> None:
    client = signed_in(world.alice)
    typed = {
        "name": "Empezar", "audience": "own", "act": ["note", "move"],
        "s1.body": "Visto", "s2.move": "start", "new": "take",
    }  # fmt: skip
    added = client.post("/macros/nueva/", {**typed, "do": "add"}).content.decode()
    assert "3. Assign to whoever runs it" in added
    assert "Visto" in added
    moved = client.post("/macros/nueva/", {**typed, "do": "up-2"}).content.decode()
    assert "2. Write an internal note" in moved
    assert not Macro.objects.unscoped("nothing is kept yet").exists()
    assert client.post("/macros/nueva/", {**typed, "do": "save"}).status_code == 302
    macro = Macro.objects.unscoped("the one").get()
    assert macro.steps == [{"act": "note", "body": "Visto"}, {"act": "move", "move": "start"}]
    assert timezone.now() > macro.created_at


def test_by_api_it_is_tried_and_run(world: World, case: Case) -> None:
    head = world.actor(employee(world.here, "supervisor"))
    macro = made(head, TAKE_NOTE, RESOLVE, name="Resolver", audience="organisation")
    row = made_answer(head)
    api = Client(headers={"authorization": f"Bearer {key_of(world)}"})
    (listed,) = api.get("/api/v1/macros/").json()["results"]
    assert (listed["id"], [step["act"] for step in listed["steps"]]) == (
        str(macro.uuid),
        ["note", "move"],
    )
    (offer,) = api.get(f"/api/v1/cases/{case.uuid}/canned-answers/?language=gl").json()["answers"]
    assert offer == {
        "id": str(row), "code": "a", "name": "A", "language": "es", "fell_back": True,
        "text": "Sobre Piso, hasta ((due)).", "missing": [{"name": "due", "label": "Due date"}],
        "files": [],
    }  # fmt: skip
    url = f"/api/v1/cases/{case.uuid}/macros/{macro.uuid}"
    tried = api.post(f"{url}/try/", {}, content_type="application/json").json()["steps"]
    assert [step["asks"] for step in tried] == [[], ["outcome"]]
    refused = api.post(f"{url}/run/", {}, content_type="application/json")
    assert refused.status_code == 422
    assert "macro_step_refused" in refused.content.decode()
    assert "Missing: Outcome." in refused.content.decode()
    assert kinds(case) == ["opened"]
    said = {"steps": {"2": {"outcome": "Concedida"}}}
    headers = {"idempotency-key": "una-vez"}
    first = api.post(f"{url}/run/", said, content_type="application/json", headers=headers)
    again = api.post(f"{url}/run/", said, content_type="application/json", headers=headers)
    assert (first.status_code, again.json()) == (201, first.json())
    assert MacroRun.objects.count() == 1
    odd = api.post(f"{url}/run/", {"steps": {"2": {"outcome": 5}}}, content_type="application/json")
    assert odd.status_code == 422


def test_what_is_said_to_a_step_by_api_is_bounded_and_numbered(world: World, case: Case) -> None:
    """Too long an outcome, or a number of five thousand digits, was a fault of ours (500)."""
    head = world.actor(employee(world.here, "supervisor"))
    macro = made(head, TAKE_NOTE, RESOLVE, name="Resolver", audience="organisation")
    api = Client(headers={"authorization": f"Bearer {key_of(world)}"})
    url = f"/api/v1/cases/{case.uuid}/macros/{macro.uuid}/run/"
    for said in ({"2": {"outcome": "x" * 241}}, {"2" * 5_000: {"outcome": "Concedida"}}):
        refused = api.post(url, {"steps": said}, content_type="application/json")
        assert refused.status_code == 422, refused.content
    assert kinds(case) == ["opened"]
    for step in ({"act": "note", "body": "x" * 20_001}, {**RESOLVE, "outcome": "x" * 241}):
        with pytest.raises(Invalid):
            made(head, step, name="Otra")


def test_a_step_that_one_may_not_do_is_a_refusal_in_the_audit_trail(
    world: World, case: Case
) -> None:
    """Told as the refusal of the macro, it left no entry."""
    head = world.actor(employee(world.here, "supervisor"))
    macro = made(head, TAKE_NOTE, RESOLVE, name="Resolver", audience="organisation")
    key = key_for(world.here, "cases.view_case", "cases.change_case")
    api = Client(headers={"authorization": f"Bearer {key}"})
    said = {"steps": {"2": {"outcome": "Concedida"}}}
    url = f"/api/v1/cases/{case.uuid}/macros/{macro.uuid}/run/"
    refused = api.post(url, said, content_type="application/json")
    assert refused.status_code == 403
    assert kinds(case) == ["opened"]
    entry = AuditEntry.objects.filter(result="refused").latest("pk")
    assert (entry.action, entry.object_id) == ("cases.close_case", str(case.uuid))

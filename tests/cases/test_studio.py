"""Case types as they are designed: drafts that keep all that is typed, versions that never change."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.utils import IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases import services
from cases.models import CaseType, CaseTypeVersion
from cases.services import NewCase
from cases.workflow import check, simple_bundle
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory


@pytest.fixture
def admin(world: World) -> Actor:
    return world.actor(employee(world.here, "administrator", full_name="Ana Admin"))


@pytest.fixture
def kind(world: World) -> CaseType:
    return CaseTypeFactory(organisation=world.here, code="beca")


def statuses(kind: CaseType) -> list[tuple[int, str]]:
    return list(kind.versions.order_by("pk").values_list("number", "status"))


def test_a_draft_is_begun_changed_and_published(admin: Actor, kind: CaseType) -> None:
    draft = services.start_draft(admin, "beca")
    assert (draft.number, draft.status, draft.changed_by_name) == (0, "draft", "Ana Admin")
    assert draft.made_from is not None
    assert draft.made_from.number == 1
    assert services.start_draft(admin, "beca").pk == draft.pk  # there is one, whoever begins it
    services.change_draft(admin, "beca", "term", "3m")
    assert statuses(kind) == [(1, "published"), (0, "draft")]
    published = services.publish_draft(admin, "beca")
    assert (published.pk, published.number, published.bundle["term"]) == (draft.pk, 2, "3m")
    assert statuses(kind) == [(1, "retired"), (2, "published")]
    assert services.draft_of(admin, "beca") is None
    trail = AuditEntry.objects.for_actor(admin).filter(action="cases.publish_case_type")
    told = [entry.data for entry in trail.order_by("pk") if entry.actor_name == "Ana Admin"]
    assert told == [
        {"change": "draft_begun"},
        {"change": "draft_changed", "part": "term"},
        {"version": 2},
    ]


def test_whatever_is_typed_into_a_draft_is_kept(admin: Actor, kind: CaseType) -> None:
    services.start_draft(admin, "beca")
    half = [{"code": "new"}, "what?", {"name": ""}]
    services.change_draft(admin, "beca", "states", half)
    services.change_draft(admin, "beca", "initial", None)
    draft = services.draft_of(admin, "beca")
    assert draft is not None
    assert draft.bundle["states"] == half
    assert "initial" not in draft.bundle
    with pytest.raises(Invalid) as raised:
        services.publish_draft(admin, "beca", despite=True)
    assert {"states[0].category", "states[0].name", "states[1]"} <= set(raised.value.errors)
    draft.refresh_from_db()
    assert (draft.status, draft.bundle["states"]) == ("draft", half)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("surprise", 1),
        ("states", ["\0"]),
        ("states", [{"a\0": 1}]),
        ("fields", {"x": "\ud800"}),
        ("fields", {"x": float("nan")}),
        ("fields", {"x": "a" * 300_000}),
        ("moves", {1, 2}),
    ],
)
def test_what_cannot_be_kept_is_said_at_its_part(
    admin: Actor, kind: CaseType, part: str, value: Any
) -> None:
    draft = services.start_draft(admin, "beca")
    with pytest.raises(Invalid) as raised:
        services.change_draft(admin, "beca", part, value)
    assert list(raised.value.errors) == [part]
    before = draft.bundle
    draft.refresh_from_db()
    assert draft.bundle == before


def test_two_who_change_one_part_are_told_and_two_parts_do_not_meet(
    admin: Actor, kind: CaseType
) -> None:
    draft = services.start_draft(admin, "beca")
    term, states = (services.part_seen(draft.bundle, part) for part in ("term", "states"))
    services.change_draft(admin, "beca", "term", "3m", seen=term)
    with pytest.raises(Changed):
        services.change_draft(admin, "beca", "term", "4m", seen=term)
    changed = services.change_draft(admin, "beca", "states", [], seen=states)
    assert (changed.bundle["term"], changed.bundle["states"]) == ("3m", [])
    for verb in (services.publish_draft, services.discard_draft):
        with pytest.raises(Changed):
            verb(admin, "beca", seen=services.draft_seen(draft))
    with pytest.raises(Changed):
        services.replace_draft(admin, "beca", {}, seen=services.draft_seen(draft))
    services.discard_draft(admin, "beca", seen=services.draft_seen(changed))
    assert statuses(kind) == [(1, "published")]


def test_a_draft_that_others_overtook_says_so(admin: Actor, kind: CaseType) -> None:
    services.start_draft(admin, "beca")
    services.publish_version(admin, kind, simple_bundle(term="2m"))
    with pytest.raises(Invalid) as raised:
        services.publish_draft(admin, "beca")
    assert list(raised.value.errors) == [""]
    assert services.publish_draft(admin, "beca", despite=True).number == 3


def test_a_new_type_begins_as_a_draft(world: World, admin: Actor) -> None:
    services.create_draft_type(admin, code="ayuda", name="Ayuda", nature="application")
    alice = world.actor(world.alice)
    with pytest.raises(Invalid) as raised:
        services.open_case(alice, NewCase(case_type="ayuda", subject="Ayuda"))
    assert list(raised.value.errors) == ["case_type"]
    services.publish_draft(admin, "ayuda")
    assert services.open_case(alice, NewCase(case_type="ayuda", subject="Ayuda")).state == "new"


def test_a_retired_type_opens_nothing_and_can_come_back(
    world: World, admin: Actor, kind: CaseType
) -> None:
    alice = world.actor(world.alice)
    case = CaseFactory(unit=world.unit, case_type=kind)
    services.retire_case_type(admin, "beca")
    assert statuses(kind) == [(1, "retired")]
    with pytest.raises(Invalid):
        services.open_case(alice, NewCase(case_type="beca", subject="Beca"))
    assert services.move_case(alice, case.uuid, "start").state == "in_progress"
    services.change_case_type(admin, "beca", name="Becas", nature="application", is_active=True)
    assert statuses(kind) == [(1, "retired")]  # another name publishes nothing
    services.start_draft(admin, "beca", version=1)
    assert services.publish_draft(admin, "beca").number == 2


def test_an_older_version_is_taken_up_again(admin: Actor, kind: CaseType) -> None:
    services.publish_version(admin, kind, simple_bundle(term="3m"))
    draft = services.start_draft(admin, "beca", version=1)
    assert draft.bundle["term"] is None
    with pytest.raises(Conflict):
        services.start_draft(admin, "beca", version=2)
    with pytest.raises(NotFound):
        services.start_draft(admin, "beca", version=9)


def test_what_was_published_never_changes(admin: Actor, kind: CaseType) -> None:
    services.publish_version(admin, kind, simple_bundle(term="3m"))
    versions = CaseTypeVersion.objects.filter(case_type=kind)
    refused: list[Callable[[], object]] = [
        lambda: versions.filter(number=2).update(bundle={}),
        lambda: versions.filter(number=1).update(bundle={}),
        lambda: versions.filter(number=1).update(status="published", retired_at=None),
        lambda: versions.filter(number=2).update(status="draft", number=0, published_at=None),
        lambda: versions.filter(number=2).update(number=7),
        lambda: versions.filter(number=2).delete(),
    ]
    for act in refused:
        with pytest.raises(ProgrammingError, match="kept as it is"), transaction.atomic():
            act()
    services.start_draft(admin, "beca")
    with (
        pytest.raises(IntegrityError, match="case_type_version_once"),
        transaction.atomic(),
    ):
        connection.cursor().execute(
            "INSERT INTO cases_casetypeversion (uuid, updated_at, case_type_id, number, status,"
            " bundle, changed_by_name)"
            " SELECT gen_random_uuid(), now(), case_type_id, 0, 'draft', '{}', ''"
            " FROM cases_casetypeversion WHERE status = 'draft'"
        )
    assert statuses(kind) == [(1, "retired"), (2, "published"), (0, "draft")]


def test_types_are_designed_by_who_may_and_only_here(world: World, kind: CaseType) -> None:
    CaseTypeFactory(organisation=world.elsewhere, code="ajena")
    alice = world.actor(world.alice)
    admin = world.actor(employee(world.here, "administrator"))
    verbs: list[Callable[[Actor, str], object]] = [
        services.start_draft,
        lambda actor, code: services.change_draft(actor, code, "term", "3m"),
        lambda actor, code: services.replace_draft(actor, code, {}),
        services.discard_draft,
        services.publish_draft,
        services.retire_case_type,
        services.draft_of,
    ]
    for verb in verbs:
        with pytest.raises(Refused):
            verb(alice, "beca")
        with pytest.raises(NotFound):
            verb(admin, "ajena")
    with pytest.raises(Refused):
        services.create_draft_type(alice, code="otra", name="Otra", nature="enquiry")
    assert statuses(kind) == [(1, "published")]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["code", "name", "category", "from", "to", "requires", "properties", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parts=st.dictionaries(st.sampled_from(["states", "initial", "moves", "fields", "term"]), _JSON)
)
def test_no_draft_however_wrong_makes_the_check_fall_over(parts: dict[str, Any]) -> None:
    assert all(problem.message for problem in check({**simple_bundle(), **parts}))
    check(parts)

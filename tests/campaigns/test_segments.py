"""A compiled tree of conditions describes whom a brute-force reading of the data describes."""

from datetime import date
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from campaigns import builder, segments
from cases.models import Case, CaseType
from crm.accounts.actors import system_actor
from crm.citizens.models import Channel, CitizenRecord, Consent, ContactPoint, Topic
from crm.citizens.selectors import age
from crm.kit.errors import Invalid
from crm.organisations.models import Organisation, Unit
from tests.conftest import World
from tests.factories.accounts import ORIGIN, acting, employee
from tests.factories.campaigns import say, topic_of
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory

pytestmark = pytest.mark.django_db

TOWNS = ("28079", "08019")
LANGUAGES = ("es", "ca", "eu")


def _people(organisation: Organisation, data: st.DataObject, topic: Topic, kind: CaseType) -> None:
    """Some citizens with data drawn at random, all that a condition can ask about."""
    today = timezone.localdate()
    edges = [date(today.year - 30, today.month, min(today.day, 28)), date(today.year - 18, 1, 1)]
    for _ in range(data.draw(st.integers(0, 6))):
        citizen = CitizenFactory(
            organisation=organisation,
            organisation__language=data.draw(st.sampled_from(LANGUAGES)),
            organisation__accessibility_needs=data.draw(
                st.lists(st.sampled_from(["hearing", "sight"]), unique=True)
            ),
            organisation__protected=(hidden := data.draw(st.booleans())),
            organisation__protected_reason="Orden" if hidden else "",
            kind=data.draw(st.sampled_from(["natural_person", "legal_person"])),
            birth_date=data.draw(
                st.one_of(st.none(), st.sampled_from(edges), st.dates(date(1920, 1, 1), today))
            ),
            nif="",
        )
        for town in data.draw(st.lists(st.sampled_from(TOWNS), max_size=2)):
            _point(organisation, citizen, data, Channel.POST, municipality=town, locality=town)
        for _mailbox in range(data.draw(st.integers(0, 2))):
            point = _point(organisation, citizen, data, Channel.EMAIL)
            for state in data.draw(st.lists(st.sampled_from(Consent.State.values), max_size=2)):
                say(organisation, point, topic, state)
        if data.draw(st.booleans()):
            case = CaseFactory(
                unit=Unit.objects.get(organisation=organisation, parent=None),
                case_type=kind,
                citizen=citizen,
            )
            category, level = data.draw(st.sampled_from([1, 4])), data.draw(st.sampled_from([1, 3]))
            ended = timezone.now() if category == 4 else None
            Case.objects.filter(pk=case.pk).update(
                category=category, closed_at=ended, confidentiality=level
            )


def _point(
    organisation: Organisation, citizen: Any, data: st.DataObject, channel: str, **more: Any
) -> ContactPoint:
    ended = timezone.now() if data.draw(st.booleans()) else None
    point: ContactPoint = ContactPointFactory(
        organisation=organisation,
        citizen=citizen,
        channel=channel,
        quality=data.draw(st.sampled_from(["good", "unsure", "bad"])),
        ended_at=ended,
        **more,
    )
    return point


# --- The oracle: the same question asked of each person in turn, in plain Python ------------------


def _meets(record: CitizenRecord, tree: Any, kind: CaseType, topic: Topic) -> bool:
    if "field" in tree:
        found = _holds(record, tree["field"], tree["value"])
        return not found if tree["op"] == "is_not" else found
    inner = [_meets(record, node, kind, topic) for node in tree.get("all", tree.get("any"))]
    return (any(inner) if "any" in tree else all(inner)) if inner else True


def _holds(record: CitizenRecord, field: str, value: list[Any]) -> bool:
    citizen = record.citizen
    points = [
        point
        for point in ContactPoint.objects.filter(
            citizen=citizen, organisation=record.organisation_id
        )
        if point.ended_at is None
    ]
    mail = [point for point in points if point.channel == Channel.EMAIL]
    if field == "language":
        return record.language in value
    if field == "municipality":
        return any(point.channel == "post" and point.municipality in value for point in points)
    if field == "age":
        years, (low, high) = age(citizen), value
        return years is not None and (low or 0) <= years <= (130 if high is None else high)
    if field == "need":
        return bool(set(record.accessibility_needs) & set(value))
    if field == "kind":
        return citizen.kind in value
    if field == "email_quality":
        return any(point.quality in value for point in mail)
    if field == "consent":
        said = [list(point.consents.filter(topic__uuid__in=value).order_by("id")) for point in mail]
        return any(words and words[-1].state == "granted" for words in said)
    return any(
        case.category < 4 and case.confidentiality < 3 and str(case.case_type.uuid) in value
        for case in Case.objects.filter(citizen=citizen, organisation=record.organisation_id)
    )


def _trees(kind: CaseType, topic: Topic) -> st.SearchStrategy[Any]:
    def some(*values: str) -> st.SearchStrategy[list[str]]:
        return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)

    ends = st.one_of(st.none(), st.sampled_from([0, 17, 18, 29, 30, 65]))
    spans = st.tuples(ends, ends).filter(
        lambda pair: pair != (None, None) and not (None not in pair and pair[0] > pair[1])
    )
    values = {
        "language": some(*LANGUAGES),
        "municipality": some(*TOWNS),
        "age": spans.map(list),
        "need": some("hearing", "sight"),
        "kind": some("natural_person", "legal_person"),
        "open_case": st.just([str(kind.uuid)]),
        "consent": st.just([str(topic.uuid)]),
        "email_quality": some("good", "bad"),
    }
    leaves = st.sampled_from(sorted(values)).flatmap(
        lambda field: st.fixed_dictionaries(
            {
                "field": st.just(field),
                "op": st.sampled_from(["is", "is_not"]),
                "value": values[field],
            }
        )
    )

    def groups(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.sampled_from(["all", "any"]).flatmap(
            lambda way: st.fixed_dictionaries({way: st.lists(inner, max_size=3)})
        )

    return groups(st.one_of(leaves, groups(leaves)))


@settings(
    max_examples=20,
    deadline=None,
    phases=[
        Phase.explicit,
        Phase.generate,
    ],  # rows of a database: making the example smaller takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_the_compiled_tree_is_the_brute_force_one(world: World, data: st.DataObject) -> None:
    from django.core.cache import cache
    from django.db import transaction

    with transaction.atomic():
        sides = []
        for organisation in (world.here, world.elsewhere):
            topic = topic_of(organisation)
            kind = CaseTypeFactory(organisation=organisation)
            _people(organisation, data, topic, kind)
            sides.append((topic, kind))
        topic, kind = sides[0]
        cache.clear()
        actor = system_actor(world.here, ORIGIN)
        for _ in range(6):
            tree = data.draw(_trees(kind, topic))
            try:
                tree = segments.checked(actor, tree)
            except Invalid:  # a town where nobody lives is no choice
                continue
            mine = CitizenRecord.objects.filter(organisation=world.here).select_related("citizen")
            expected = {
                record.pk
                for record in mine
                if not record.protected and _meets(record, tree, kind, topic)
            }
            found = segments.compiled(world.here.pk, tree)
            assert set(found.values_list("pk", flat=True)) == expected, tree
        transaction.set_rollback(True)


# --- What is no tree -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        {},
        {"all": {}},
        {"all": [], "any": []},
        {"all": [{"field": "language", "op": "is", "value": []}]},
        {"all": [{"field": "language", "op": "is", "value": ["xx"]}]},
        {"all": [{"field": "language", "op": "like", "value": ["es"]}]},
        {"all": [{"field": "password", "op": "is", "value": ["es"]}]},
        {"all": [{"field": "language", "op": "is", "value": ["es"], "sql": "1=1"}]},
        {"all": [{"field": "age", "op": "is", "value": [None, None]}]},
        {"all": [{"field": "age", "op": "is", "value": [40, 30]}]},
        {"all": [{"field": "age", "op": "is", "value": ["18", 30]}]},
        {"all": [{"field": "age", "op": "is", "value": [True, 30]}]},
        {"all": [{"field": ["language"], "op": "is", "value": ["es"]}]},
        {"all": [{"all": [{"all": [{"all": [{"all": []}]}]}]}]},
        {"all": [{"field": "need", "op": "is", "value": ["sight"]}] * 41},
    ],
)
def test_what_is_no_tree_is_refused_with_a_reason(world: World, tree: Any) -> None:
    with pytest.raises(Invalid) as refused:
        segments.checked(system_actor(world.here, ORIGIN), tree)
    assert refused.value.errors["tree"]


def test_another_organisations_topics_and_case_types_do_not_exist(world: World) -> None:
    foreign = topic_of(world.elsewhere)
    kind = CaseTypeFactory(organisation=world.elsewhere)
    for field, value in (("consent", foreign.uuid), ("open_case", kind.uuid)):
        tree = {"field": field, "op": "is", "value": [str(value)]}
        with pytest.raises(Invalid):
            segments.checked(system_actor(world.here, ORIGIN), tree)


def test_a_count_stops_at_its_cap(world: World) -> None:
    for _ in range(3):
        citizen = CitizenFactory(organisation=world.here)
        ContactPointFactory(citizen=citizen, organisation=world.here, channel="email")
    CitizenFactory(organisation=world.here)  # without a mailbox
    assert segments.size(world.here.pk, {"all": []}) == segments.Size(3, False)
    assert segments.size(world.here.pk, {"all": []}, most=2) == segments.Size(2, True)


def test_a_count_that_takes_too_long_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "PATIENCE_MS", 50)
    slow = CitizenRecord.objects.extra(where=["pg_sleep(0.2) IS NOT NULL"])
    CitizenFactory(organisation=world.here)
    monkeypatch.setattr(segments, "reachable", lambda *_given: slow)
    assert segments.size(world.here.pk, {"all": []}) == segments.Size(None)


# --- The builder's form -----------------------------------------------------------------------------


def _posted(**values: Any) -> Any:
    from django.http import QueryDict

    made = QueryDict(mutable=True)
    for key, value in values.items():
        name = key.replace("__", ".").replace("_", ".") if key != "act" else key
        made.setlist(name, value if isinstance(value, list) else [value])
    return made


def test_the_form_reads_back_what_it_shows(world: World) -> None:
    actor = acting(employee(world.here, "communications"))
    posted = _posted(
        k_0="all",
        k_0_0="leaf",
        f_0_0="language",
        o_0_0="is_not",
        v_0_0=["ca", "eu"],
        k_0_1="any",
        k_0_1_0="leaf",
        f_0_1_0="age",
        from_0_1_0="18",
    )
    tree = builder.read(posted)
    assert tree == {
        "all": [
            {"field": "language", "op": "is_not", "value": ["ca", "eu"]},
            {"any": [{"field": "age", "op": "is", "value": [18, None]}]},
        ]
    }
    shown = builder.shown(segments.Words(actor), tree)
    assert [node["path"] for node in shown["nodes"]] == ["0.0", "0.1"]
    assert shown["nodes"][1]["nodes"][0]["low"] == 18


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("add:0", [["language"], ["age"], ["language"]]),
        ("drop:0.0", [["age"]]),
        ("drop:0", [["language"], ["age"]]),
        ("group:0", [["language"], ["age"], [["language"]]]),
        ("nonsense", [["language"], ["age"]]),
        ("drop:9.9", [["language"], ["age"]]),
    ],
)
def test_the_buttons_change_the_tree(act: str, expected: Any) -> None:
    tree = builder.read(
        _posted(k_0="all", k_0_0="leaf", f_0_0="language", k_0_1="leaf", f_0_1="age", act=act)
    )

    def seen(node: Any) -> Any:
        if "field" in node:
            return [node["field"]]
        return [seen(one) for one in next(iter(node.values()))]

    assert seen(tree) == expected

"""Audiences as trees of conditions: read and checked, then compiled to rows of one organisation.

A tree is {"all": [...]}, {"any": [...]} or a condition {"field", "op", "value"}; a group without
conditions counts for nothing, a tree without any describes everybody. The organisation stands outermost: no tree can reach another's citizens.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from cases.models import Case, CaseType
from cases.permissions import SPECIALLY_PROTECTED
from crm.citizens.models import (
    Channel,
    Citizen,
    CitizenRecord,
    Consent,
    ContactPoint,
    Need,
    Topic,
)
from crm.citizens.permissions import VIEW_CITIZEN
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Text

DEEPEST, MOST_CONDITIONS, MOST_VALUES = 4, 40, 200
COUNTED_UP_TO = 100_000
FEWEST = 5
"""Who may not see citizens' records is told no smaller count: with the right conditions a count of one, or of
none, says something of a person (statistical disclosure; 5 is what public statistics commonly ask for)."""
PATIENCE_MS = 1_500  # of who waits for a live count
OLDEST = 130
ENDED = 4  # categories of a case's state from here on: work has ended
IS, IS_NOT = "is", "is_not"
OPERATORS: Mapping[str, Text] = {IS: gettext_lazy("is"), IS_NOT: gettext_lazy("is not")}
Tree = Mapping[str, Any]
Choices = Sequence[tuple[str, Text]]


@dataclass(frozen=True, slots=True)
class Field:
    """Something that is known of citizens. A range's value is [from, to], either of which may be None;
    of the others a list of choices, any one of which will do."""

    key: str
    label: Text
    choices: Callable[[Actor], Choices] | None  # None: a range of whole numbers
    compile: Callable[[int, Sequence[Any]], Q]


# --- The fields -----------------------------------------------------------------------------------


def _mailboxes(organisation_id: int) -> "QuerySet[ContactPoint]":
    return ContactPoint.objects.unscoped("of the organisation of the tree").filter(
        organisation=organisation_id,
        citizen=OuterRef("citizen"),
        channel=Channel.EMAIL,
        ended_at=None,
    )


def last_said(topic: Any, point: str = "pk") -> Subquery:
    """What was last said of a topic at a contact point of the query; NULL when nothing was."""
    said = Consent.objects.unscoped("of contact points that the query has chosen")
    return Subquery(
        said.filter(contact_point=OuterRef(point), topic=topic).order_by("-id").values("state")[:1]
    )


def _by_language(_organisation: int, values: Sequence[str]) -> Q:
    return Q(language__in=values)


def _by_municipality(organisation_id: int, values: Sequence[str]) -> Q:
    homes = ContactPoint.objects.unscoped("of the organisation of the tree").filter(
        organisation=organisation_id,
        citizen=OuterRef("citizen"),
        channel=Channel.POST,
        ended_at=None,
        municipality__in=values,
    )
    return Q(Exists(homes))


def _by_age(_organisation: int, ends: Sequence[int | None]) -> Q:
    low, high = ends
    found = Q(citizen__birth_date__isnull=False)
    if low is not None:
        found &= Q(citizen__birth_date__lte=born_by(low))
    if high is not None:
        found &= Q(citizen__birth_date__gt=born_by(high + 1))
    return found


def born_by(age: int) -> date:
    """The last birthday of those who have that age today."""
    today = timezone.localdate()
    try:
        return today.replace(year=today.year - age)
    except ValueError:  # 29 February
        return today.replace(year=today.year - age, day=28)


def _by_need(_organisation: int, values: Sequence[str]) -> Q:
    return Q(accessibility_needs__overlap=list(values))


def _by_kind(_organisation: int, values: Sequence[str]) -> Q:
    return Q(citizen__kind__in=values)


def _by_open_case(organisation_id: int, values: Sequence[str]) -> Q:
    """Specially protected cases put nobody into an audience: being in it would tell of them."""
    cases = Case.objects.unscoped("of the organisation of the tree").filter(
        organisation=organisation_id,
        citizen=OuterRef("citizen"),
        case_type__uuid__in=values,
        category__lt=ENDED,
        confidentiality__lt=SPECIALLY_PROTECTED,
    )
    return Q(Exists(cases))


def _by_consent(organisation_id: int, values: Sequence[str]) -> Q:
    found = Q(pk__in=[])
    for topic in values:
        keys = Topic.objects.unscoped("of the organisation of the tree").filter(
            organisation=organisation_id, uuid=topic
        )
        points = _mailboxes(organisation_id).annotate(said=last_said(Subquery(keys.values("pk"))))
        found |= Q(Exists(points.filter(said=Consent.State.GRANTED)))
    return found


def _by_quality(organisation_id: int, values: Sequence[str]) -> Q:
    return Q(Exists(_mailboxes(organisation_id).filter(quality__in=values)))


def _languages(_actor: Actor) -> Choices:
    return settings.LANGUAGES


def _municipalities(actor: Actor) -> Choices:
    """Where most of the organisation's citizens live: counted once an hour."""
    key = f"campaigns.municipalities.{actor.organisation_id}"
    known = cache.get(key)
    if known is None:
        homes = ContactPoint.objects.for_actor(actor).filter(channel=Channel.POST, ended_at=None)
        rows = homes.exclude(municipality="").values("municipality")
        rows = rows.annotate(people=Count("pk"), town=Max("locality"))
        found = rows.order_by("-people")[:MOST_VALUES]
        known = sorted(
            ([row["municipality"], row["town"] or row["municipality"]] for row in found),
            key=lambda pair: pair[1],
        )
        cache.set(key, known, 3600)
    return [(code, town) for code, town in known]


def _case_types(actor: Actor) -> Choices:
    rows = CaseType.objects.for_actor(actor).order_by("name").values_list("uuid", "name")
    return [(str(uuid), name) for uuid, name in rows]


def _topics(actor: Actor) -> Choices:
    rows = Topic.objects.for_actor(actor).filter(ended_at=None).order_by("name")
    return [(str(topic.uuid), topic.name) for topic in rows]


FIELDS: Mapping[str, Field] = {
    field.key: field
    for field in (
        Field("language", gettext_lazy("Language"), _languages, _by_language),
        Field(
            "municipality",
            gettext_lazy("Lives in (municipality)"),
            _municipalities,
            _by_municipality,
        ),
        Field("age", pgettext_lazy("of a person", "Age"), None, _by_age),
        Field("need", gettext_lazy("Need"), lambda _actor: Need.choices, _by_need),
        Field(
            "kind", gettext_lazy("Kind of person"), lambda _actor: Citizen.Kind.choices, _by_kind
        ),
        Field("open_case", gettext_lazy("Has an open case of type"), _case_types, _by_open_case),
        Field("consent", gettext_lazy("Wants to hear about"), _topics, _by_consent),
        Field(
            "email_quality",
            gettext_lazy("Quality of the mailbox"),
            lambda _actor: ContactPoint.Quality.choices,
            _by_quality,
        ),
    )
}

# --- Reading --------------------------------------------------------------------------------------


def checked(actor: Actor, tree: object) -> dict[str, Any]:
    """The tree as it is kept; Invalid when it is none, or speaks of what the organisation has not."""
    reader = _Reader(actor)
    found = reader.node(tree, 1)
    if "field" in found:
        found = {"all": [found]}
    return found


class _Reader:
    """Reads one tree; choices of a field are fetched once."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._conditions = 0
        self._known: dict[str, set[str]] = {}

    def node(self, node: object, depth: int) -> dict[str, Any]:
        if not isinstance(node, dict) or depth > DEEPEST:
            raise _invalid(_("The conditions are nested too deeply."))
        for way in ("all", "any"):
            if set(node) == {way} and isinstance(node[way], list):
                inner = [self.node(one, depth + 1) for one in node[way]]
                return {way: [one for one in inner if "field" in one or any(one.values())]}
        return self._condition(node)

    def _condition(self, node: Mapping[str, Any]) -> dict[str, Any]:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise _invalid(_("There are too many conditions."))
        key = node.get("field")
        field = FIELDS.get(key) if isinstance(key, str) else None
        if field is None or node.get("op") not in OPERATORS or set(node) != _CONDITION:
            raise _invalid(_("One of the conditions is not known."))
        value = node["value"]
        if not isinstance(value, list):
            raise _invalid(_("One of the conditions is not known."))
        read = self._range(field, value) if field.choices is None else self._choices(field, value)
        return {"field": field.key, "op": node["op"], "value": read}

    def _range(self, field: Field, value: list[Any]) -> list[int | None]:
        fits = len(value) == 2 and all(
            one is None or (type(one) is int and 0 <= one <= OLDEST) for one in value
        )
        if not fits or value == [None, None]:
            text = _("%(field)s: write a whole number from 0 to %(most)s.")
            raise _invalid(text % {"field": field.label, "most": OLDEST})
        low, high = value
        if low is not None and high is not None and low > high:
            text = _("%(field)s: the first number is greater than the second.")
            raise _invalid(text % {"field": field.label})
        return value

    def _choices(self, field: Field, value: list[Any]) -> list[str]:
        assert field.choices is not None
        if field.key not in self._known:
            self._known[field.key] = {str(key) for key, _label in field.choices(self._actor)}
        chosen = list(dict.fromkeys(one for one in value if isinstance(one, str)))
        if not chosen or len(chosen) > MOST_VALUES:
            raise _invalid(_("%(field)s: choose at least one value.") % {"field": field.label})
        if not set(chosen) <= self._known[field.key]:
            text = _("%(field)s: one of the values does not exist any more.")
            raise _invalid(text % {"field": field.label})
        return chosen


_CONDITION = {"field", "op", "value"}


def _invalid(text: str) -> Invalid:
    return Invalid(text, code="segment_invalid", errors={"tree": [text]})


def conditions(tree: Tree) -> Iterator[Mapping[str, Any]]:
    """Every condition of a tree."""
    if "field" in tree:
        yield tree
    for node in [*tree.get("all", ()), *tree.get("any", ())]:
        yield from conditions(node)


# --- Compiling ------------------------------------------------------------------------------------


def compiled(organisation_id: int, tree: Tree) -> "QuerySet[CitizenRecord]":
    """The organisation's records of the citizens whom a checked tree describes.

    Protected records are in no audience: being written to can put those people at risk.
    """
    records = CitizenRecord.objects.unscoped("the organisation is the first condition")
    mine = records.filter(
        organisation=organisation_id, protected=False, citizen__merged_into__isnull=True
    )
    return mine.filter(_q(organisation_id, tree)) if tree else mine


def _q(organisation_id: int, node: Tree) -> Q:
    if "field" in node:
        found = FIELDS[node["field"]].compile(organisation_id, node["value"])
        return ~found if node["op"] == IS_NOT else found
    inner = [_q(organisation_id, one) for one in node.get("all", node.get("any", ()))]
    total = Q()
    for one in inner:
        total = total | one if "any" in node else total & one
    return total


def reachable(organisation_id: int, tree: Tree) -> "QuerySet[CitizenRecord]":
    """Those of them who have a mailbox on record: whom a campaign would be for."""
    return compiled(organisation_id, tree).filter(Exists(_mailboxes(organisation_id)))


@dataclass(frozen=True, slots=True)
class Size:
    """How many people a tree describes: None when it could not be counted in time."""

    people: int | None
    more: bool = False

    def told_to(self, actor: Actor) -> "Size | Few":
        """As the actor may know it."""
        few = self.people is not None and self.people < FEWEST
        return Few() if few and not actor.holds(VIEW_CITIZEN) else self


@dataclass(frozen=True, slots=True)
class Few:
    """So few people, or nobody at all, that their number would tell of them."""

    fewer_than: int = FEWEST


def size(organisation_id: int, tree: Tree, most: int = COUNTED_UP_TO) -> Size:
    """How many people with a mailbox; counted no further than `most`, no longer than PATIENCE_MS."""
    rows = reachable(organisation_id, tree).order_by().values("pk")[: most + 1]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
            people = rows.count()
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError:
        return Size(None)
    return Size(min(people, most), people > most)


@dataclass
class Words:
    """A tree as people read it; the choices of each field are fetched once for many trees."""

    actor: Actor
    _known: dict[str, Choices] = dataclass_field(default_factory=dict)

    def choices(self, field: Field) -> Choices:
        """What can be chosen of a field."""
        if field.key not in self._known:
            self._known[field.key] = field.choices(self.actor) if field.choices else ()
        return self._known[field.key]

    def tell(self, tree: Tree) -> dict[str, Any]:
        """{"way", "nodes"} of a group, {"label", "op", "value"} of a condition."""
        if "field" in tree:
            field = FIELDS[tree["field"]]
            value = self._value(field, tree["value"])
            return {"label": field.label, "op": OPERATORS[tree["op"]], "value": value}
        way = "any" if "any" in tree else "all"
        return {"way": way, "nodes": [self.tell(node) for node in tree.get(way, ())]}

    def _value(self, field: Field, value: Sequence[Any]) -> str:
        if field.choices is None:
            low, high = value
            if low is None:
                return _("%(high)s or less") % {"high": high}
            if high is None:
                return _("%(low)s or more") % {"low": low}
            return _("from %(low)s to %(high)s") % {"low": low, "high": high}
        words = {str(key): str(label) for key, label in self.choices(field)}
        return ", ".join(words.get(one, "—") for one in value)

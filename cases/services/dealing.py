"""Giving out the work of a unit by its rule: to the next in turn, to who has least, to who asks for more."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import selectors
from cases.dealing import Ask, Choice, Person, choose
from cases.models import (
    Case,
    Confidentiality,
    Distribution,
    Event,
    EventKind,
    Method,
    StateCategory,
    WorkProfile,
)
from cases.models.assignment import USUAL_CAPACITY
from cases.permissions import ASSIGN_CASE, CHANGE_CASE, VIEW_CASE, VIEW_SPECIAL
from cases.services.assignment import give
from cases.services.places import require_here
from cases.services.writing import fetch, moment
from crm.accounts.actors import system_actor
from crm.accounts.models import User
from crm.accounts.services.absences import absent_now
from crm.kit.actor import Actor, Door, Kind, Origin
from crm.kit.errors import Conflict
from crm.kit.policy import decide, require
from crm.kit.tasks import exclusive
from crm.organisations.calendars import NotCovered, is_open_at
from crm.organisations.models import Organisation, Unit
from crm.organisations.selectors import UnitTree, calendar_for, unit_tree

log = structlog.get_logger(__name__)

AT_ONCE = 50  # cases of a unit in one transaction; the next run takes up what is left
LOOKED_AT = 20  # free cases that somebody who takes the next is matched with


class Rules:
    """The rules of an organisation: which one counts for a case."""

    def __init__(self, rows: Iterable[Distribution], tree: UnitTree) -> None:
        self._rows = {(row.unit_id, row.case_type_id): row for row in rows}
        self._tree = tree

    def of(self, unit: int, case_type: int | None) -> Distribution:
        """That of the nearest unit, there first that of the case type; by hand where there is none."""
        places: list[int | None] = [node.id for node in self._tree.path(unit)]
        for place in [*reversed(places), None]:
            for kind in (case_type, None):
                if found := self._rows.get((place, kind)):
                    return found
        return Distribution()

    def automatic(self) -> list[int]:
        """The open units in which some kind of case is given out by itself."""
        by_place = defaultdict(list)
        for (place, _kind), row in self._rows.items():
            by_place[place].append(Method(row.method).automatic)
        return [
            node.id
            for node in self._tree.nodes
            if not node.closed
            and any(
                any(by_place[place])
                for place in (None, *(one.id for one in self._tree.path(node.id)))
            )
        ]


def rules_of(actor: Actor) -> Rules:
    """The rules of the actor's organisation."""
    organisation = Organisation.objects.for_actor(actor).get()
    return Rules(Distribution.objects.for_actor(actor), unit_tree(organisation))


@dataclass(frozen=True)
class Team:
    """Who works in a unit and may work on its cases, with what they have now."""

    people: dict[int, Person]
    users: dict[int, User]
    special: frozenset[int]  # who may see specially protected cases

    def for_case(self, case: Case, returned: frozenset[int]) -> list[Person]:
        """Each as they stand to one case."""
        hidden = case.confidentiality == Confidentiality.SPECIAL
        return [
            replace(
                one,
                sees_it=not hidden or one.key in self.special,
                returned_it=one.key in returned,
            )
            for one in self.people.values()
        ]

    def has_room(self) -> bool:
        """Whether anybody could be given anything."""
        return any(not one.away and one.load < one.capacity for one in self.people.values())

    def gave(self, key: int, weight: int, at: datetime) -> None:
        """Somebody has more now."""
        one = self.people[key]
        self.people[key] = replace(one, load=one.load + weight, last_given=at)


def team_of(actor: Actor, unit: int, rules: Rules) -> Team:
    """The people of a unit who may work on its cases."""
    path = selectors.path_of(actor, unit)
    users = selectors.people_at_work(actor, unit)
    for permission in (VIEW_CASE, CHANGE_CASE):
        users = users.filter(pk__in=selectors.granted(actor, permission, path))
    found = {user.pk: user for user in users.distinct()}
    special = selectors.granted(actor, VIEW_SPECIAL, path).filter(pk__in=found)
    profiles = {
        row.user_id: row for row in WorkProfile.objects.for_actor(actor).filter(user__in=found)
    }
    absences, loads = absent_now(actor.organisation_id), _loads(actor, found, rules)
    people = {}
    for key, user in found.items():
        profile = profiles.get(key) or WorkProfile(user=user, capacity=USUAL_CAPACITY)
        people[key] = Person(
            key=key,
            name=user.full_name,
            load=loads[key],
            capacity=profile.capacity,
            share=profile.share,
            skills=frozenset(profile.skills),
            languages=frozenset(profile.languages),
            last_given=profile.last_given_at,
            away=key in absences,
        )
    return Team(people, found, frozenset(special.values_list("pk", flat=True)))


def _loads(actor: Actor, users: Iterable[int], rules: Rules) -> dict[int, int]:
    """The points of each person's open cases, in all units, each by its own rule's weight."""
    rows = (
        Case.objects.unscoped("how much somebody has, whatever the asker sees of it")
        .filter(
            organisation=actor.organisation_id,
            assignee__in=list(users),
            category__lt=StateCategory.RESOLVED,
        )
        .order_by()
        .values_list("assignee", "unit", "case_type")
        .annotate(count=Count("pk"))
    )
    loads: dict[int, int] = defaultdict(int)
    for user, unit, case_type, count in rows:
        loads[user] += count * rules.of(unit, case_type).weight
    return loads


def ask_of(case: Case, rules: Rules) -> Ask:
    """What a case asks of whoever gets it, by the rule of its unit; by hand means: to who has least."""
    rule = rules.of(case.unit_id, case.case_type_id)
    method = Method(rule.method)
    spoken = case.language if rule.by_language and case.language != settings.LANGUAGE_CODE else ""
    return Ask(
        method if method.automatic else Method.LEAST_BUSY,
        rule.weight,
        frozenset(rule.skills),
        spoken,
    )


def chosen(case: Case, rules: Rules, team: Team) -> Choice:
    """Who of a team gets a case, and why not the others."""
    returned = frozenset(_returned([case.pk])[case.pk])
    return choose(ask_of(case, rules), team.for_case(case, returned))


# --- Verbs ---------------------------------------------------------------------------------------


@transaction.atomic
def deal_case(actor: Actor, case: UUID, *, version: int | None = None) -> Case:
    """The case that nobody has is given to whom the rule says; Conflict when nobody can have it."""
    row = fetch(actor, case, version)
    require(actor, ASSIGN_CASE, row)
    if row.assignee is not None:
        text = _("%(name)s already has this case.")
        raise Conflict("case_taken", text % {"name": row.assignee.full_name})
    rules = rules_of(actor)
    choice = chosen(row, rules, team_of(actor, row.unit_id, rules))
    if choice.person is None:
        raise Conflict("nobody_can", nobody_can(choice))
    user = User.objects.get(pk=choice.person.key)
    give(actor, ASSIGN_CASE, row, user, choice.why)
    _note_turn(actor, user.pk, moment())
    return row


@transaction.atomic
def take_next(actor: Actor) -> Case | None:
    """The most urgent case that nobody has, that the actor has the skills for and has not given back,
    is theirs; None when there is none. Two who ask at once get two."""
    require(actor, CHANGE_CASE)
    if actor.user_id is None:
        raise Conflict("not_a_person", _("Only a person takes a case."))
    me = User.objects.get(pk=actor.user_id)
    profile = WorkProfile.objects.for_actor(actor).filter(user=me).first()
    skills = frozenset(profile.skills if profile else ())
    rules = rules_of(actor)
    rows = Case.objects.for_actor(actor).filter(assignee=None, category__lt=StateCategory.RESOLVED)
    reach = actor.reach(CHANGE_CASE)
    if actor.home_unit_id is not None and reach.covers(actor.home_unit_id):
        rows = rows.filter(unit=actor.home_unit_id)
    elif not reach.everywhere:
        rows = rows.filter(unit__in=reach.units)
    locked = list(
        rows.select_related("case_type", "type_version")
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .order_by("due_sort", "pk")[:LOOKED_AT]
    )
    returned = _returned([row.pk for row in locked])
    for row in locked:
        asked = frozenset(rules.of(row.unit_id, row.case_type_id).skills)
        if asked <= skills and me.pk not in returned[row.pk] and decide(actor, CHANGE_CASE, row):
            require_here(actor, me)
            give(actor, CHANGE_CASE, row, me, {"how": str(Method.TAKE_NEXT)})
            return row
    return None


def nobody_can(choice: Choice) -> str:
    """Why a case waits, person by person."""
    if not choice.passed:
        return _("Nobody works in this unit who may work on its cases.")
    names = "; ".join(f"{one.name}: {reason.words}" for one, reason in choice.passed)
    return _("Nobody of the unit can have it now. %(names)s.") % {"names": names}


# --- By itself -----------------------------------------------------------------------------------


def deal_waiting() -> int:
    """Free cases of units with an automatic rule are given out while their offices are open.

    Returns how many. Safe to run twice and at once: each unit by one worker at a time.
    """
    given = 0
    rules = Distribution.objects.unscoped("all that is given out by itself")
    organisations = rules.filter(method__in=[one for one in Method if one.automatic])
    for organisation in Organisation.objects.unscoped("whose rules they are").filter(
        pk__in=organisations.values("organisation"), is_active=True
    ):
        actor = system_actor(organisation, Origin(Door.TASK))
        for unit in _units_with_free_cases(actor):
            try:
                given += _deal_unit(actor, unit)
            except Exception:  # one unit's trouble is not the others'
                log.exception("dealing_failed", unit=str(unit.uuid))
    return given


def _units_with_free_cases(actor: Actor) -> list[Unit]:
    free = _free(actor).filter(unit=OuterRef("pk"))
    units = Unit.objects.for_actor(actor).filter(Exists(free), pk__in=rules_of(actor).automatic())
    return list(units.select_related("organisation").order_by("pk"))


def _free(actor: Actor) -> QuerySet[Case]:
    rows = Case.objects.unscoped("the system gives out what nobody has")
    return rows.filter(
        organisation=actor.organisation_id, assignee=None, category__lt=StateCategory.RESOLVED
    )


def _deal_unit(actor: Actor, unit: Unit) -> int:
    now = timezone.now()
    if not _open(unit, now):
        return 0
    with exclusive(f"cases.deal:{unit.pk}") as alone:
        if not alone:
            return 0
        rules = rules_of(actor)
        team = team_of(actor, unit.pk, rules)
        if not team.has_room():
            return 0
        rows = list(
            _free(actor)
            .filter(unit=unit)
            .select_related("case_type", "type_version", "organisation", "unit")
            .select_for_update(of=("self",), no_key=True, skip_locked=True)
            .order_by("due_sort", "pk")[:AT_ONCE]
        )
        return sum(_deal_one(actor, row, rules, team) for row in _dealt(rows, rules))


def _dealt(rows: Sequence[Case], rules: Rules) -> list[Case]:
    """Those whose own rule gives them out: of one unit, some kinds may be given by hand."""
    return [row for row in rows if Method(rules.of(row.unit_id, row.case_type_id).method).automatic]


def _deal_one(actor: Actor, case: Case, rules: Rules, team: Team) -> int:
    choice = chosen(case, rules, team)
    if choice.person is None:
        return 0
    key = choice.person.key
    give(actor, ASSIGN_CASE, case, team.users[key], choice.why)
    at = moment()
    _note_turn(actor, key, at)
    team.gave(key, choice.ask.weight, at)
    return 1


def _open(unit: Unit, now: datetime) -> bool:
    """Whether the unit attends now; one without opening hours always does."""
    calendar = calendar_for(unit)
    if not any(layer.weekly_hours or layer.date_hours for layer in calendar.layers):
        return True
    try:
        return is_open_at(calendar, now)
    except NotCovered:  # work is not left lying because nobody loaded the holidays
        return True


def _returned(cases: Sequence[int]) -> dict[int, set[int]]:
    """Who gave each of these cases back: they are not offered it again."""
    rows = Event.objects.unscoped("of cases that were read for the actor").filter(
        case__in=cases, kind=EventKind.RELEASED, actor_kind=Kind.USER
    )
    found: dict[int, set[int]] = {case: set() for case in cases}
    for case, person in rows.values_list("case", "actor_id"):
        found[case].add(person or 0)
    return found


def _note_turn(actor: Actor, user: int, at: datetime) -> None:
    WorkProfile.objects.unscoped("whose turn it was").update_or_create(
        organisation_id=actor.organisation_id, user_id=user, defaults={"last_given_at": at}
    )

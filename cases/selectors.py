"""Reading cases: the page of one, the choices that its forms offer, what the palette finds."""

from bisect import bisect_left
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case as SqlCase
from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
)
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import represented
from cases.lists import ALL, ME, NOBODY, CaseFilter, find, keys_of_citizen, with_people, with_row
from cases.models import (
    TRANSFERRED,
    BulkAction,
    Case,
    CaseType,
    CaseTypeVersion,
    Confidentiality,
    Document,
    Follower,
    FrozenAnswer,
    Link,
    PapersRequest,
    Participant,
    ServiceTarget,
    StateCategory,
)
from cases.permissions import ASSIGN_CASE, CHANGE_CASE, VIEW_CASE, VIEW_SPECIAL
from cases.presenting import named, rows_of
from cases.target_view import Shown, clock_of, shown
from cases.workflow import of_version
from crm.accounts.models import User
from crm.citizens.aliases import known_as
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.profile import Coming
from crm.citizens.search import record_search
from crm.kit.actor import Actor
from crm.kit.errors import NotFound
from crm.kit.policy import Decision
from crm.organisations import options
from crm.organisations.calendars import Calendar
from crm.organisations.models import Organisation, Unit
from crm.organisations.selectors import Node, UnitTree, calendar_for, unit_tree


def case_of(actor: Actor, case: UUID) -> Case:
    """The case with what its page shows of it; NotFound when it does not exist for the actor."""
    rows = with_people(Case.objects.for_actor(actor), actor)
    follows = Follower.objects.unscoped("the actor's own").filter(
        case=OuterRef("pk"), user=actor.user_id, ended_at=None
    )
    rows = rows.annotate(followed=Exists(follows)) if actor.user_id is not None else rows
    found = rows.select_related("organisation", "type_version", "result").filter(uuid=case).first()
    if found is None:
        raise represented.not_seen(actor, case)
    return found


def map_start(actor: Actor) -> options.Options:
    """Where maps begin while no point is known, as the organisation decided."""
    return options.read(Organisation.objects.for_actor(actor).only("options").get())


def require_exists(actor: Actor, case: UUID) -> None:
    """NotFound unless the case exists for the actor: said before anything else that is wrong."""
    if not exists(actor, case):
        raise NotFound


def exists(actor: Actor, case: UUID) -> bool:
    """Whether the case exists for the actor."""
    return Case.objects.for_actor(actor).filter(uuid=case).exists()


def by_reference(actor: Actor, reference: str) -> Case | None:
    """The case with this number, as people write it."""
    return Case.objects.for_actor(actor).filter(reference=reference.strip().upper()).first()


def documents_of(actor: Actor, case: Case) -> list[Document]:
    """The documents of a case, newest first, those withdrawn last."""
    rows = Document.objects.for_actor(actor).filter(case=case)
    return list(rows.order_by(F("withdrawn_at").asc(nulls_first=True), "-created_at"))


def travelling_document(document: UUID) -> Document:
    """A document that a packet holds, for whoever was sent the packet."""
    rows = Document.objects.unscoped("its packet was fetched for the actor")
    return rows.get_or_refuse(uuid=document)


def participants_of(actor: Actor, case: Case) -> list[tuple[Participant, str]]:
    """Who takes or took part in a case, as they may be named here, those present first."""
    here = Prefetch(
        "citizen__records", queryset=CitizenRecord.objects.for_actor(actor), to_attr="here"
    )
    rows = Participant.objects.for_actor(actor).filter(case=case).select_related("citizen")
    ordered = rows.order_by(F("ended_at").asc(nulls_first=True), "created_at")
    workflow = of_version(case.type_version.bundle)
    found = list(ordered.prefetch_related(here))
    for row in found:
        row.called = workflow.role_name(row.role)
    return [(row, named(row.citizen)) for row in found]


def targets_of(
    actor: Actor,
    case: Case,
    now: datetime,
    *,
    explained: bool = False,
    calendar: Calendar | None = None,
) -> list[Shown]:
    """The service targets of a case, oldest first; `explained` with the sums that lead to them."""
    rows = ServiceTarget.objects.for_actor(actor).filter(case=case).order_by("started_at", "pk")
    if explained:
        rows = rows.prefetch_related("pauses")
    known = calendar or calendar_for(case.unit)
    return [shown(row, known, now, list(row.pauses.all()) if explained else None) for row in rows]


def latest_targets(actor: Actor, case: Case, now: datetime) -> list[Shown]:
    """Of each measure the last; asked only of a case that has any."""
    if clock_of(case) is None:
        return []
    return list({one.row.measure: one for one in targets_of(actor, case, now)}.values())


def papers_waited_for(actor: Actor, case: Case) -> PapersRequest | None:
    """What the citizen was asked to bring and has not yet."""
    return PapersRequest.objects.for_actor(actor).filter(case=case, ended_on=None).first()


@dataclass(frozen=True, slots=True)
class Room:
    """Somebody of a unit, and how much they have."""

    uuid: UUID
    name: str
    open: int
    danger: int


def room_in(actor: Actor, unit: int, now: datetime) -> list[Room]:
    """Who works on cases in a unit or below it, those with the least first: in danger, then open."""
    below = sorted(_tree(actor).below([unit]))
    working = people_of(actor).filter(
        memberships__unit__in=below,  # by the one in force: who has left the unit is not of it
        memberships__ended_at=None,
        memberships__suspended_at=None,
        pk__in=granted(actor, CHANGE_CASE, path_of(actor, unit)),
    )
    people = list(working.only("uuid", "full_name").distinct())
    held = (
        Case.objects.for_actor(actor)
        .filter(assignee__in=people, category__lt=StateCategory.RESOLVED)
        .order_by()
        .values("assignee")
        .annotate(
            held=Count("pk"),
            late=Count("pk", filter=Q(service_clock__danger_at__lte=now)),
        )
    )
    counts = {row["assignee"]: (row["held"], row["late"]) for row in held}
    found = [Room(one.uuid, one.full_name, *counts.get(one.pk, (0, 0))) for one in people]
    return sorted(found, key=lambda one: (one.danger, one.open, one.name))


@dataclass(frozen=True, slots=True)
class Linked:
    """A case that another has to do with, seen from it."""

    link: Link
    case: Case
    outgoing: bool


def links_of(actor: Actor, case: Case) -> list[Linked]:
    """The cases that it is linked with and that the actor may see."""
    seen = Case.objects.for_actor(actor)
    rows = (
        Link.objects.for_actor(actor)
        .filter(Q(Exists(seen.filter(pk=OuterRef("other"))), case=case) | Q(other=case))
        .select_related("case", "other")
        .order_by("created_at")
    )
    return [
        Linked(row, row.other if row.case_id == case.pk else row.case, row.case_id == case.pk)
        for row in rows
    ]


def open_parts(actor: Actor, case: Case, limit: int = 10) -> list[Case]:
    """The cases that are part of this one and are still worked on, as far as the actor may see them."""
    parts = Link.objects.for_actor(actor).filter(other=case, kind=Link.Kind.PARENT)
    rows = Case.objects.for_actor(actor).filter(
        pk__in=parts.values("case"), category__lt=StateCategory.RESOLVED
    )
    return list(rows.only("reference", "uuid", "subject").order_by("opened_at")[:limit])


def case_types(actor: Actor) -> QuerySet[CaseType]:
    """The kinds of cases that can be opened now, by name."""
    published = CaseTypeVersion.objects.filter(status=CaseTypeVersion.Status.PUBLISHED)
    return (
        CaseType.objects.for_actor(actor)
        .filter(is_active=True, pk__in=published.values("case_type"))
        .order_by("name")
    )


def units_where(actor: Actor, permission: str) -> list[Node]:
    """The open units where the actor may do this, in the tree's order."""
    reach = actor.reach(permission)
    return [node for node in _tree(actor).nodes if reach.covers(node.id) and not node.closed]


def all_units(actor: Actor) -> list[Node]:
    """The open units of the organisation, in the tree's order."""
    return [node for node in _tree(actor).nodes if not node.closed]


def home_unit(actor: Actor) -> Unit | None:
    """The unit where the actor works."""
    if actor.home_unit_id is None:
        return None
    return Unit.objects.for_actor(actor).filter(pk=actor.home_unit_id).first()


def _tree(actor: Actor) -> UnitTree:
    return unit_tree(Organisation.objects.for_actor(actor).get())


def people_of(actor: Actor) -> QuerySet[User]:
    """The employees of the organisation, by name."""
    return User.objects.filter(
        state=User.State.ACTIVE,
        memberships__organisation=actor.organisation_id,
        memberships__ended_at=None,
    ).order_by("full_name")


def people_who_see(actor: Actor, case: Case) -> QuerySet[User]:
    """The employees who can see a case, so that it can be given to one of them, by name."""
    if case.state == TRANSFERRED:  # another organisation has it
        return User.objects.none()
    people = people_at_work(actor)
    path = path_of(actor, case.unit_id)
    needed = [VIEW_CASE]
    if case.confidentiality == Confidentiality.SPECIAL:
        needed.append(VIEW_SPECIAL)
    for permission in needed:
        people = people.filter(pk__in=granted(actor, permission, path))
    return people.order_by("full_name")


def users_who_see(actor: Actor, case: Case, keys: Iterable[int]) -> QuerySet[User, int]:
    """Of these employees, the keys of those who can see a case."""
    return people_who_see(actor, case).filter(pk__in=list(keys)).values_list("pk", flat=True)


def supervisors_of(actor: Actor, unit: int | None) -> list[User]:
    """Who gives out the cases of a unit: those of the unit itself, else of the nearest above it."""
    path = _tree(actor).path(unit) if unit is not None else []
    places = [(Unit, str(node.id)) for node in reversed(path)]
    for place, key in [*places, (Organisation, str(actor.organisation_id))]:
        grants = "groups__groupobjectpermission"
        found = people_of(actor).filter(
            **{
                f"{grants}__content_type": ContentType.objects.get_for_model(place),
                f"{grants}__object_pk": key,
                f"{grants}__permission__codename": ASSIGN_CASE,
            },
            memberships__organisation=actor.organisation_id,  # all of the one in force
            memberships__ended_at=None,
            memberships__suspended_at=None,
        )
        if people := list(found.distinct()):
            return people
    return []


def people_at_work(actor: Actor, unit: int | None = None) -> QuerySet[User]:
    """Who may act for the organisation now, or those of them who work in one unit."""
    where = {} if unit is None else {"memberships__unit": unit}
    return User.objects.filter(
        state=User.State.ACTIVE,
        memberships__organisation=actor.organisation_id,
        memberships__ended_at=None,
        memberships__suspended_at=None,
        **where,
    )


def path_of(actor: Actor, unit: int) -> list[str]:
    """The keys of a unit and of those above it, as grants hold them."""
    return [str(node.id) for node in _tree(actor).path(unit)]


def granted(actor: Actor, permission: str, units: list[str]) -> QuerySet[User]:
    """Whoever has a permission in the whole organisation or in one of these units."""
    grants = "groups__groupobjectpermission"
    places = {Organisation: [str(actor.organisation_id)], Unit: units}
    granted = Q()
    for place, keys in places.items():
        granted |= Q(
            **{
                f"{grants}__content_type": ContentType.objects.get_for_model(place),
                f"{grants}__object_pk__in": keys,
                f"{grants}__permission__codename": permission,
            }
        )
    return User.objects.filter(granted)


def cases_of_citizen(actor: Actor, citizen: Citizen, limit: int = 20) -> list[Case]:
    """The citizen's cases that the actor may see: open work first, then the newest."""
    ended = SqlCase(
        When(category__gte=StateCategory.RESOLVED, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    keys = keys_of_citizen(actor, citizen=citizen)
    rows = with_row(Case.objects.for_actor(actor).filter(pk__in=keys), actor)
    return list(rows.order_by(ended, "-opened_at", "-pk")[:limit])


@dataclass(frozen=True, slots=True)
class Found:
    """What the palette shows of a case."""

    label: str
    sub: str
    uuid: UUID


def palette(actor: Actor, text: str, limit: int = 6) -> list[Found]:
    """The cases that a few typed letters may mean: that number, else the newest with those words.

    One audit entry says who looked for what.
    """
    if not actor.reach(VIEW_CASE) or len(text.strip()) < 2:
        return []
    page = find(actor, CaseFilter(work=ALL, text=text), size=limit)
    record_search(actor, "cases", text=text, found=len(page.rows))
    return [
        Found(
            case.subject,
            " · ".join(filter(None, [case.reference, named(case.citizen)])),
            case.uuid,
        )
        for case in page.rows
    ]


PRESSING_DAYS = 2
MOST_OF_DAY = 60


@dataclass(frozen=True)
class Day:
    """What an employee's day holds: their open work by due date, and what nobody has.

    That is asked in the unit where they work, or in all theirs if they see no cases there.
    """

    unit: Unit | None

    late: list[Case]
    today: list[Case]
    soon: list[Case]  # due within PRESSING_DAYS
    rest: list[Case]
    free: list[Case]
    danger: list[Case]  # theirs whose service targets are in danger or late
    more: bool  # than MOST_OF_DAY in their name

    @property
    def pressing(self) -> list[Case]:
        """What cannot wait."""
        return [*self.late, *self.today, *self.soon]


def day_of(actor: Actor) -> Day:
    """The day of an actor who sees cases."""
    unit = home_unit(actor)
    page = find(actor, CaseFilter(assignee=ME), size=MOST_OF_DAY)
    now = timezone.now()
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    edges = [now, midnight + timedelta(days=1), midnight + timedelta(days=1 + PRESSING_DAYS)]
    parts: tuple[list[Case], ...] = ([], [], [], [])
    for case in page.rows:
        due = case.due_at
        parts[3 if due is None else bisect_left(edges, due)].append(case)
    if unit is not None and not actor.reach(VIEW_CASE).covers(unit.pk):
        unit = None
    free = find(actor, CaseFilter(unit=unit.uuid if unit else None, assignee=NOBODY), size=6).rows
    danger = find(actor, CaseFilter(assignee=ME, danger=True, by="target"), size=5).rows
    late, today, soon, rest = parts
    return Day(unit, late, today, soon, rest, free, danger, more=bool(page.after))


# --- What other rooms ask for --------------------------------------------------------------------


def panel(actor: Actor, citizen: Citizen) -> dict[str, object] | None:
    """What the citizen's page shows of their cases; nothing when there are none."""
    found = cases_of_citizen(actor, citizen)
    return {"rows": rows_of(actor, found)} if found else None


def dates(actor: Actor, citizen: Citizen) -> list[Coming]:
    """The legal deadlines of the person's open cases that run."""
    keys = keys_of_citizen(actor, citizen=citizen)
    rows = Case.objects.for_actor(actor).filter(
        pk__in=keys, category__lt=StateCategory.RESOLVED, due_at__isnull=False, suspended_on=None
    )
    now = timezone.now()
    return [
        Coming(
            at=row.due_at,
            icon="hourglass",
            text=_("Deadline: %(subject)s") % {"subject": row.subject},
            about=row.reference,
            url=reverse("cases:detail", args=[row.uuid]),
            late=row.due_at < now,
        )
        for row in rows.order_by("due_at", "pk")[:10]
        if row.due_at is not None
    ]


def papers(actor: Actor, citizen: Citizen) -> dict[str, object] | None:
    """The newest documents of the person's cases that the actor may see."""
    keys = list(keys_of_citizen(actor, citizen=citizen))
    rows = Document.objects.for_actor(actor).filter(case__in=keys, withdrawn_at=None)
    found = list(rows.select_related("case").order_by("-created_at", "-pk")[:8])
    return {"documents": found} if found else None


def has_open(actor: Actor, citizen: Citizen) -> bool:
    """Whether an open case of the person lies in the actor's unit or is the actor's; for who has no
    unit, any that they see."""
    keys = list(keys_of_citizen(actor, citizen=citizen))
    rows = Case.objects.for_actor(actor).filter(pk__in=keys, category__lt=StateCategory.RESOLVED)
    if actor.home_unit_id is not None:
        rows = rows.filter(Q(unit=actor.home_unit_id) | Q(assignee=actor.user_id))
    return rows.exists()


def traces(actor: Actor, citizen: Citizen) -> list[tuple[str, list[str]]]:
    """The person's cases and their papers, whoever may see them: they may know who looked at any."""
    reason = "whose looks the person may know of"
    rows = Case.objects.unscoped(reason).filter(organisation=actor.organisation_id, citizen=citizen)
    papers = Document.objects.unscoped(reason).filter(case__in=rows)
    answers = FrozenAnswer.objects.unscoped(reason).filter(
        case__in=rows, citizen__uuid__in=known_as(citizen)
    )
    return [
        (model._meta.label_lower, [str(key) for key in found.values_list("uuid", flat=True)])
        for model, found in ((Case, rows), (Document, papers), (FrozenAnswer, answers))
    ]


def may_follow_case(actor: Actor, key: str) -> Decision:
    """Who may see a case may follow what happens in it."""
    exists = _is_uuid(key) and Case.objects.for_actor(actor).filter(uuid=key).exists()
    return Decision(exists)


def cases_among(actor: Actor, keys: Collection[UUID]) -> set[UUID]:
    """Those of these cases that exist for the actor."""
    return set(Case.objects.for_actor(actor).filter(uuid__in=keys).values_list("uuid", flat=True))


def may_follow_bulk(actor: Actor, key: str) -> Decision:
    """Who asked for a bulk action follows it."""
    rows = BulkAction.objects.for_actor(actor)
    exists = (
        _is_uuid(key)
        and actor.user_id is not None
        and rows.filter(uuid=key, requested_by=actor.user_id).exists()
    )
    return Decision(exists)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

"""Nobody's case stays with somebody who is away: it goes to who stands in, else back to the queue."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from cases.models import Case, Handover, StateCategory
from cases.permissions import ASSIGN_CASE
from cases.services.assignment import give
from cases.services.places import can_work_on
from crm.accounts.actors import system_actor
from crm.accounts.models import Absence, Membership, User
from crm.accounts.services.absences import ONE_SECOND, absent_now, local_day, stands_in
from crm.kit.actor import Actor, Door, Origin
from crm.organisations.models import Organisation

AT_ONCE = 500


def hand_over() -> int:
    """Open cases of whoever is away, suspended or gone are somebody else's; returns how many.

    Each case in a transaction of its own: killed anywhere, the next run takes up the rest.
    """
    now, moved = timezone.now(), 0
    absences = Absence.objects.unscoped("whoever is away").in_force(now)
    for absence in absences.select_related("organisation", "user").order_by("pk"):
        actor = system_actor(absence.organisation, Origin(Door.TASK))
        for case in _cases_of(absence.organisation_id, absence.user_id):
            moved += _hand_over(actor, case, absence)
    for organisation_id, user in _gone():
        organisation = Organisation.objects.unscoped("whose people left").get(pk=organisation_id)
        actor = system_actor(organisation, Origin(Door.TASK))
        for case in _cases_of(organisation_id, user.pk):
            moved += _let_go(actor, case, user)
    return moved


def give_back() -> int:
    """What absences that are over moved is their person's again, unless it has moved on; returns how many."""
    over = Absence.objects.unscoped("whoever is back").filter(
        settled=False, ends_at__lte=timezone.now()
    )
    back = 0
    for absence in over.select_related("organisation", "user").order_by("ends_at"):
        absences = absent_now(absence.organisation_id)
        if absence.user_id in absences:  # away again at once: what was moved waits
            continue
        actor = system_actor(absence.organisation, Origin(Door.TASK))
        rows = Handover.objects.unscoped("what it moved").filter(absence=absence, settled_at=None)
        for handover in list(rows.values_list("pk", flat=True)):
            back += _give_back(actor, handover, absence)
        absence.settled = True
        absence.save(update_fields=["settled", "updated_at"])
    return back


def _cases_of(organisation: int, user: int) -> list[int]:
    rows = _open().filter(organisation=organisation, assignee=user)
    return list(rows.order_by("due_sort", "pk").values_list("pk", flat=True)[:AT_ONCE])


def _open() -> QuerySet[Case]:
    rows = Case.objects.unscoped("the system looks after what absent people had")
    return rows.filter(category__lt=StateCategory.RESOLVED)


def _gone() -> list[tuple[int, User]]:
    """Organisation and person of those with open cases who may not act there any more."""
    memberships = Membership.objects.unscoped("whoever may not act any more")
    here = memberships.in_force().filter(
        user=OuterRef("user"), organisation=OuterRef("organisation"), user__state=User.State.ACTIVE
    )
    theirs = _open().filter(assignee=OuterRef("user"), organisation=OuterRef("organisation"))
    rows = memberships.filter(~Exists(here), Exists(theirs)).select_related("user")
    return list(
        {
            (row.organisation_id, row.user_id): (row.organisation_id, row.user) for row in rows
        }.values()
    )


def _locked(case: int, holder: int | None) -> Case | None:
    """The case, while it is open and with that person."""
    rows = (
        _open()
        .filter(pk=case, assignee=holder)
        .select_related("case_type", "type_version", "organisation", "unit")
    )
    return rows.select_for_update(of=("self",), no_key=True).first()


@transaction.atomic
def _hand_over(actor: Actor, case: int, absence: Absence) -> int:
    row = _locked(case, absence.user_id)
    if row is None:
        return 0
    absences = absent_now(absence.organisation_id)
    if absence.user_id not in absences:  # ended meanwhile
        return 0
    stand_in = stands_in(absences, absence.user_id)
    if stand_in is not None and not can_work_on(actor, stand_in, row):
        stand_in = None
    told: dict[str, Any] = {
        "how": "substitute" if stand_in else "away",
        "absent": absence.user.full_name,
        "until": local_day(actor, absence.ends_at - ONE_SECOND).isoformat(),
    }
    give(actor, ASSIGN_CASE, row, stand_in, told)
    _follow(row, absence.user_id, stand_in)
    if absence.returns:
        Handover.objects.unscoped("what this absence moves").update_or_create(
            case=row, absence=absence, settled_at=None, defaults={"given_to": stand_in}
        )
    return 1


@transaction.atomic
def _let_go(actor: Actor, case: int, user: User) -> int:
    row = _locked(case, user.pk)
    if row is None:
        return 0
    give(actor, ASSIGN_CASE, row, None, {"how": "gone", "absent": user.full_name})
    _follow(row, user.pk, None)
    return 1


@transaction.atomic
def _give_back(actor: Actor, handover: int, absence: Absence) -> int:
    kept = (
        Handover.objects.unscoped("what this absence moved")
        .select_for_update(no_key=True)
        .filter(pk=handover, settled_at=None)
        .first()
    )
    if kept is None:
        return 0
    row = _locked(kept.case_id, kept.given_to_id)
    kept.settled_at = timezone.now()
    kept.save(update_fields=["settled_at", "updated_at"])
    if row is None or not can_work_on(actor, absence.user, row):
        return 0
    # of whoever had it afterwards: what it waited for has happened
    later = Handover.objects.unscoped("all that wait for this case")
    later.filter(case=row, settled_at=None, pk__gt=kept.pk).update(settled_at=kept.settled_at)
    before = row.assignee_id
    why: Mapping[str, Any] = {"how": "back", "absent": absence.user.full_name}
    give(actor, ASSIGN_CASE, row, absence.user, why)
    _follow(row, before, absence.user)
    return 1


def _follow(case: Case, before: int | None, now: User | None) -> None:
    """Earlier handovers of the case go on from who has it now, so that the first who had it gets it back."""
    rows = Handover.objects.unscoped("all that wait for this case").filter(
        case=case, settled_at=None, given_to=before
    )
    rows.update(given_to=now)

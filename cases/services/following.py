"""Following a case: by hand, or by itself as each person chose; it ends with the right to see the case."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import represented
from cases.models import Case, Follower
from cases.permissions import VIEW_CASE
from cases.selectors import users_who_see
from cases.services.writing import require_itself
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.policy import require
from crm.notices.services import switched_on

_OF_CASE = "of a case at hand"
SWITCHES = {
    Follower.Why.MENTIONED: "follow_mentioned",
    Follower.Why.ANSWERED: "follow_answered",
    Follower.Why.HAD: "follow_had",
}


@transaction.atomic
def follow_case(actor: Actor, case: UUID) -> Follower:
    """The actor hears what happens in the case, until they leave or may not see it any more."""
    row, person = _case(actor, case)
    follower, new = Follower.objects.unscoped(_OF_CASE).get_or_create(case=row, user_id=person)
    if new or follower.ended_at is not None:
        follower.why, follower.ended_at, follower.end = Follower.Why.HAND, None, ""
        follower.save(update_fields=["why", "ended_at", "end", "updated_at"])
        record(actor, VIEW_CASE, row, followed=True)
    return follower


@transaction.atomic
def unfollow_case(actor: Actor, case: UUID) -> None:
    """The actor hears no more of the case but what is theirs, and is not taken in again by itself."""
    row, person = _case(actor, case)
    ended = (
        Follower.objects.unscoped(_OF_CASE)
        .filter(case=row, user=person, ended_at=None)
        .update(ended_at=timezone.now(), end=Follower.End.LEFT, updated_at=timezone.now())
    )
    if ended:
        record(actor, VIEW_CASE, row, followed=False)


def follow_by_itself(case: Case, people: Iterable[int], why: Follower.Why) -> None:
    """Those of them who chose so follow the case; whoever ever did or left is left alone."""
    rows = Follower.objects.unscoped(_OF_CASE)
    keys = switched_on(case.organisation_id, people, SWITCHES[why])
    fresh = [Follower(case=case, user_id=key, why=why) for key in sorted(keys)]
    rows.bulk_create(fresh, ignore_conflicts=True)


def followers_of(case: Case) -> list[int]:
    """The keys of those who follow it."""
    rows = Follower.objects.unscoped(_OF_CASE).filter(case=case, ended_at=None)
    return list(rows.values_list("user", flat=True))


def end_lost(actor: Actor, case: Case) -> int:
    """Whoever may not see the case any more follows it no more; how many those were."""
    keys = set(followers_of(case))
    lost = keys - set(users_who_see(actor, case, keys)) if keys else keys
    rows = Follower.objects.unscoped(_OF_CASE).filter(case=case, user__in=lost, ended_at=None)
    now = timezone.now()
    return rows.update(ended_at=now, end=Follower.End.LOST, updated_at=now) if lost else 0


def _case(actor: Actor, case: UUID) -> tuple[Case, int]:
    """The case, and who follows it or no longer does."""
    row = Case.objects.for_actor(actor).filter(uuid=case).first()
    if row is None:
        raise represented.not_seen(actor, case)
    require(actor, VIEW_CASE, row)
    if actor.user_id is None:
        raise Refused(VIEW_CASE, _("Only a person follows a case."), row)
    require_itself(row)
    return row, actor.user_id

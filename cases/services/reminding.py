"""What is told by the clock: legal deadlines and tasks that come near, and cases that come into watched views.

A run tells what no earlier one told; killed anywhere, the next one takes up the rest.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import saved
from cases.lists import matching, patience
from cases.models import Case, SavedView, StateCategory, Task, TaskState, ViewWatch
from cases.news import CASE, DEADLINE, IN_VIEW, TASK_DUE, TASKS, VIEW
from cases.permissions import VIEW_CASE
from cases.query import Understanding
from cases.services.news import who_see
from crm.accounts.actors import actor_for
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import DomainError, Refused
from crm.notices.models import Notification
from crm.notices.services import News, notify

log = logging.getLogger(__name__)
BEFORE_DEADLINE, BEFORE_TASK = timedelta(days=3), timedelta(days=1)
LOTS_OF = 500
WATCHES_AT_ONCE, NEWEST, SINGLY = 200, 300, 10
_SERVES_ALL = "the clock serves no single actor"


def tell_deadlines(now: datetime | None = None) -> int:
    """Whoever has an open case or task learns once that its date is near; how many were told."""
    now = now or timezone.now()
    cases = Case.objects.unscoped(_SERVES_ALL).filter(
        category__lt=StateCategory.RESOLVED,
        assignee__isnull=False,
        suspended_on=None,
        due_at__gt=now,
        due_at__lte=now + BEFORE_DEADLINE,
    )
    tasks = Task.objects.unscoped(_SERVES_ALL).filter(
        state=TaskState.OPEN,
        assignee__isnull=False,
        starts_on__isnull=False,
        due_at__gt=now,
        due_at__lte=now + BEFORE_TASK,
        case__category__lt=StateCategory.RESOLVED,
    )
    return _in_lots(cases.select_related("organisation"), _deadline) + _in_lots(
        tasks.select_related("case__organisation"), _task
    )


def _in_lots(rows: QuerySet[Any], tell: Callable[[Any], tuple[Case, int, News]]) -> int:
    """Each row's news, lot by lot by their keys; what was told before is not looked at again."""
    count, last = 0, 0
    while lot := list(rows.filter(pk__gt=last).order_by("pk")[:LOTS_OF]):
        last = lot[-1].pk
        owed = [tell(row) for row in lot]
        keys = [one[2].key for one in owed]
        had = Notification.objects.unscoped(_SERVES_ALL).filter(
            key__in=keys, user__in={one[1] for one in owed}
        )
        known = set(had.values_list("user", "key"))
        fresh = [one for one in owed if (one[1], one[2].key) not in known]
        for case, person, news in fresh:
            seeing = who_see([person], case.organisation, news.thing, news.thing_id)
            count += notify(case.organisation_id, seeing, news)
    return count


def _deadline(case: Case) -> tuple[Case, int, News]:
    assert case.due_at is not None
    assert case.assignee_id is not None
    key = f"due:{case.uuid}:{case.due_at:%Y-%m-%d}"  # a date that moves is told anew
    data = {"due": case.due_at.isoformat()}
    return case, case.assignee_id, News(DEADLINE, CASE, case.uuid, key, data=data)


def _task(task: Task) -> tuple[Case, int, News]:
    assert task.due_at is not None
    assert task.assignee_id is not None
    data = {"due": task.due_at.isoformat(), "title": task.title}
    key = f"task:{task.uuid}:{task.due_at:%Y-%m-%dT%H:%M}"
    return task.case, task.assignee_id, News(TASK_DUE, TASKS, task.uuid, key, data=data)


# --- Watched views --------------------------------------------------------------------------------


@transaction.atomic
def watch_view(actor: Actor, view: UUID, *, watched: bool) -> SavedView:
    """The actor is told when a case comes into the view, from now on, or no longer."""
    row = SavedView.objects.for_actor(actor).get_or_refuse(uuid=view)
    if actor.user_id is None:
        raise Refused(VIEW_CASE, _("Only a person watches a view."))
    if watched:
        ViewWatch.objects.for_actor(actor).get_or_create(
            view=row,
            user_id=actor.user_id,
            defaults={"organisation_id": actor.organisation_id},
        )
    else:
        ViewWatch.objects.for_actor(actor).filter(view=row).delete()
    return row


def watched_by(actor: Actor) -> set[int]:
    """The keys of the views that the actor watches."""
    return set(ViewWatch.objects.for_actor(actor).values_list("view", flat=True))


def look_at_views(now: datetime | None = None) -> int:
    """So many watched views, those looked at longest ago first, have told of the cases that came into
    them since; how many pieces of news that were."""
    now = now or timezone.now()
    rows = ViewWatch.objects.unscoped(_SERVES_ALL).order_by(
        F("looked_at").asc(nulls_first=True), "pk"
    )
    told = 0
    for pk in list(rows.values_list("pk", flat=True)[:WATCHES_AT_ONCE]):
        try:
            told += _look(pk, now)
        except Exception:
            log.exception("A watched view could not be looked at: %s", pk)
    return told


@transaction.atomic
def _look(pk: int, now: datetime) -> int:
    """One watch is looked at; who may not open the view or see cases any more watches it no more."""
    rows = ViewWatch.objects.unscoped(_SERVES_ALL).select_related("user", "organisation", "view")
    watch = (
        rows.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(pk=pk).first()
    )
    if watch is None:  # somebody else looks
        return 0
    actor = actor_for(watch.user, watch.organisation, Origin(Door.TASK))
    if actor is None:  # away for now: nothing is remembered, nothing told
        ViewWatch.objects.unscoped(_SERVES_ALL).filter(pk=pk).update(looked_at=now)
        return 0
    if not SavedView.objects.opened_by(actor).filter(pk=watch.view_id).exists():
        watch.delete()
        return 0
    before, first = watch.known, watch.looked_at is None
    held = _held(actor, watch.view)
    if held is None:
        held = before
    watch.known, watch.looked_at = held, now
    watch.save(update_fields=["known", "looked_at", "updated_at"])
    return 0 if first else _tell_new(actor, watch, _came(held, before))


def _held(actor: Actor, view: SavedView) -> list[int] | None:
    """The newest cases of the view; None when it cannot be asked now."""
    asked = saved.asked_by(Understanding(actor), view)
    if asked is None:
        return None
    try:
        with patience(asked.also):
            rows = matching(actor, asked).order_by("-opened_at", "-pk")
            return list(rows.values_list("pk", flat=True)[:NEWEST])
    except DomainError:
        return None


def _came(held: Collection[int], before: list[int]) -> list[int]:
    """What is there and was not; of a view that holds more than is remembered, nothing older than that:
    such cases were beyond its end."""
    came = [key for key in held if key not in set(before)]
    if len(before) < NEWEST:
        return came
    oldest = Case.objects.unscoped(_SERVES_ALL).filter(pk=before[-1]).first()
    if oldest is None:
        return came
    rows = Case.objects.unscoped(_SERVES_ALL).filter(pk__in=came, opened_at__gte=oldest.opened_at)
    newer = set(rows.values_list("pk", flat=True))
    return [key for key in came if key in newer]


def _tell_new(actor: Actor, watch: ViewWatch, came: list[int]) -> int:
    """A few one by one, many as one."""
    data = {"view": watch.view.name}
    if len(came) > SINGLY:
        key = f"view:{watch.view.uuid}:{watch.looked_at:%Y-%m-%dT%H:%M:%S}"
        told = {**data, "batch": True, "count": len(came)}
        news = News(IN_VIEW, VIEW, watch.view.uuid, key, data=told)
        return notify(watch.organisation_id, [watch.user_id], news)
    rows = Case.objects.for_actor(actor).filter(pk__in=came).order_by("opened_at", "pk")
    return sum(
        notify(
            watch.organisation_id,
            [watch.user_id],
            News(IN_VIEW, CASE, case.uuid, f"view:{watch.view.uuid}:{case.uuid}", data=data),
        )
        for case in rows
    )

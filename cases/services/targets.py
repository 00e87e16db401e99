"""Service targets: they follow what happens in a case, and are told when in danger or missed."""

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from email.utils import formataddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from cases import targets
from cases.models import (
    Case,
    Event,
    EventKind,
    Message,
    ServiceClock,
    ServicePause,
    ServiceTarget,
    StateCategory,
)
from cases.permissions import CHANGE_CLOCK
from cases.selectors import supervisors_of, users_who_see
from cases.services.writing import moment, write
from cases.target_book import Book, Kept, nearest
from cases.targets import (
    ACCESSIBILITY,
    ASSIGNEE,
    LANGUAGE,
    SUPERVISORS,
    UNIT,
    Escalation,
    Target,
)
from crm.accounts.actors import system_actor
from crm.accounts.models import User
from crm.citizens.models import CitizenRecord
from crm.kit import outbox
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Text
from crm.kit.mail import post
from crm.organisations.models import Organisation, Unit
from crm.organisations.services import calendar_for

log = logging.getLogger(__name__)
ALERT_MAIL = "cases.target_mail"
BATCH = 500
WARNING, BREACH = "warning", "breach"
USUAL_LANGUAGE = "es"
# what a target hangs on
_HAPPENS = frozenset({EventKind.OPENED, EventKind.MOVED, EventKind.MESSAGED})
_FITS_BY = frozenset({"priority", "channel", "citizen", "language", "unit", "type_version"})
_ESCALATED = "escalated"
_SERVES_ALL = "the clock serves no single actor"


def follow(actor: Actor, case: Case, event: Event, changed: Collection[str]) -> None:
    """The targets of a case are as its new event leaves them, in the event's own transaction."""
    if event.kind not in _HAPPENS and (_FITS_BY.isdisjoint(changed) or event.data.get(_ESCALATED)):
        return
    plan = targets.of_bundle(case.type_version.bundle)
    if not plan and "type_version" not in changed:
        return
    book = _book(case, plan, new=event.kind == EventKind.OPENED)
    if not plan and not book.running:
        return
    moved = apply_event(book, event)
    keep(book)
    for one, before in moved:
        _tell_moved(actor, case, one, before, _why(changed))


def keep(book: Book) -> None:
    """What the book says stands in the database."""
    for one in book.kept:
        if one.touched:
            one.row.save()
            for pause in one.pauses:
                pause.target = one.row
                pause.save()
            one.touched = False
    _keep_nearest(book.case, [one.row for one in book.kept])


def renew(organisation: Organisation) -> int:
    """Open targets end when the calendars of now say, each that moves with its event; how many did."""
    actor, count, last = system_actor(organisation, Origin(Door.TASK)), 0, 0
    clocks = ServiceClock.objects.unscoped(_SERVES_ALL).filter(organisation=organisation)
    while rows := list(
        clocks.filter(~Q(measure=""), case__gt=last).order_by("case")[:BATCH].values_list("case")
    ):
        for (pk,) in rows:
            count += _renewed(actor, pk)
        last = rows[-1][0]
    return count


def sweep() -> int:
    """Every target that is in danger or was missed has been told, once; how many were now."""
    now, count = moment(), 0
    # of a case that was merged into another the target rests, and goes on if that is taken back
    running = ServiceTarget.objects.unscoped(_SERVES_ALL).filter(
        ended_at=None, breached_at=None, case__category__lt=StateCategory.RESOLVED
    )
    late = running.filter(due_at__lte=now).order_by("due_at")
    near = running.filter(warned_at=None, warn_at__lte=now).order_by("warn_at")
    for rows in (late, near):
        for pk, case in rows.values_list("pk", "case_id")[:BATCH]:
            try:
                count += _alerted(pk, case, now)
            except Exception:
                log.exception("A service target could not be told: %s", pk)
    return count


# --- Following ------------------------------------------------------------------------------------


def _book(case: Case, plan: Sequence[Target], *, new: bool = False) -> Book:
    kept = []
    if not new:
        rows = ServiceTarget.objects.unscoped("of a case that the verb holds")
        found = list(rows.filter(case=case))
        running = [row for row in found if row.ended_at is None]
        pauses = ServicePause.objects.unscoped("of a case that the verb holds")
        held = list(pauses.filter(target__in=running)) if running else []
        kept = [Kept(row, [one for one in held if one.target_id == row.pk]) for row in found]
    return Book(case, plan, calendar_for(case.unit), kept, needs_of(case) if plan else frozenset())


def needs_of(case: Case) -> frozenset[str]:
    """What the case's citizen needs to be attended well, as far as it is known here."""
    needs = {LANGUAGE} if case.language != USUAL_LANGUAGE else set[str]()
    if case.citizen_id is not None:
        records = CitizenRecord.objects.unscoped("the case's own citizen at its organisation")
        found = records.filter(citizen=case.citizen_id, organisation=case.organisation_id)
        for language, accessibility in found.values_list("language", "accessibility_needs"):
            needs |= {LANGUAGE} if language != USUAL_LANGUAGE else set()
            needs |= {ACCESSIBILITY} if accessibility else set()
    return frozenset(needs)


def apply_event(book: Book, event: Event) -> list[tuple[Kept, datetime]]:
    """The book is as the event leaves it; which targets it moved, with their moments before."""
    at, data = event.at, event.data
    if event.kind == EventKind.OPENED:
        book.opened()
    elif event.kind == EventKind.MOVED:
        book.moved(at, int(data["category"]))
    elif event.kind == EventKind.MESSAGED:
        if data.get("direction") == Message.Direction.IN:
            book.heard(at)
        elif not data.get("automatic"):
            book.answered(at, _written(data) if data.get("again") else None)
    else:
        return book.fitted(at)
    return []


def _written(data: dict[str, Any]) -> datetime | None:
    rows = Message.objects.unscoped("of a case that the verb holds")
    return rows.filter(uuid=data["message"]).values_list("created_at", flat=True).first()


def _why(changed: Collection[str]) -> Text:
    if "type_version" in changed:
        return _("The case follows other rules now.")
    if "unit" in changed:
        return _("The other unit has another calendar.")
    return _("For such a case there is another service target.")


def _keep_nearest(case: Case, rows: Iterable[ServiceTarget]) -> None:
    rows = list(rows)
    if rows:
        ServiceClock.objects.unscoped("of a case that the verb holds").update_or_create(
            case=case,
            defaults={
                "organisation_id": case.organisation_id,
                "unit_id": case.unit_id,
                **nearest(rows),
            },
        )


def _tell_moved(actor: Actor, case: Case, one: Kept, before: datetime, why: Text) -> None:
    told = _told(one.row) | {"why": str(why), "before": before.isoformat()}
    write(actor, CHANGE_CLOCK, case, EventKind.TARGET_RECOMPUTED, told)


def _told(row: ServiceTarget) -> dict[str, Any]:
    told = {"target": str(row.uuid), "measure": row.measure, "minutes": row.minutes}
    return told | ({"due": row.due_at.isoformat()} if row.due_at else {})


# --- For the workers ------------------------------------------------------------------------------


def _renewed(actor: Actor, pk: int) -> int:
    with transaction.atomic():
        case = _locked(pk)
        book = _book(case, ())
        moved = book.reckoned(moment())
        if not moved and not any(one.row.due_at is None for one in book.running):
            return 0
        keep(book)
        for one, before in moved:
            _tell_moved(actor, case, one, before, _("The calendar changed."))
        return len(moved)


@transaction.atomic
def _alerted(pk: int, case_key: int, now: datetime) -> int:
    """One target is told as missed or in danger, unless somebody did so meanwhile."""
    case = _locked(case_key)
    row = ServiceTarget.objects.unscoped(_SERVES_ALL).get(pk=pk)
    if row.ended_at is not None or row.breached_at is not None:
        return 0
    target = targets.read(row.rule)
    if row.due_at is not None and row.due_at <= now:
        row.breached_at, row.warned_at = row.due_at, row.warned_at or now
        kind, step, event = BREACH, target.at_breach, EventKind.TARGET_BREACHED
    elif row.warned_at is None and row.warn_at is not None and row.warn_at <= now:
        row.warned_at = now
        kind, step, event = WARNING, target.at_warning, EventKind.TARGET_WARNED
    else:
        return 0
    row.save(update_fields=["breached_at", "warned_at", "updated_at"])
    if kind == BREACH:
        ServiceClock.objects.unscoped(_SERVES_ALL).filter(case=case).update(breached=True)
    _escalate(case, row, step, kind, event)
    return 1


def _escalate(
    case: Case, row: ServiceTarget, step: Escalation, kind: str, event: EventKind
) -> None:
    actor = system_actor(case.organisation, Origin(Door.TASK))
    people = _people(actor, case, step)
    told = _told(row) | {"to": [one.full_name for one in people]}
    told["to_ids"] = [str(one.uuid) for one in people]
    write(actor, CHANGE_CLOCK, case, event, told)
    if step.raise_priority and case.priority < Case.Priority.URGENT:
        before, case.priority = case.priority, case.priority + 1
        changed = {
            "fields": ["priority"],
            "before": {"priority": before},
            "after": {"priority": case.priority},
            _ESCALATED: str(row.uuid),  # what the target itself raised does not shorten it
        }
        write(actor, CHANGE_CLOCK, case, EventKind.EDITED, changed, changed=("priority",))
    for person in people:
        outbox.send_later(
            ALERT_MAIL,
            {"target": str(row.uuid), "user": person.pk, "kind": kind},
            key=f"{row.uuid}:{kind}:{told.get('due', '')}:{person.pk}",
        )


def send_alert(target: UUID, user: int, kind: str) -> None:
    """The mail server has a target's alert for an employee, unless it ended or moved meanwhile.

    It names no citizen and no subject: whoever may see the case opens it.
    """
    rows = ServiceTarget.objects.unscoped("a worker serves every organisation").filter(
        uuid=target, ended_at=None
    )
    told = {WARNING: "warned_at", BREACH: "breached_at"}[kind]
    row = rows.select_related("case__organisation", "case__unit__organisation").first()
    person = User.objects.filter(pk=user, state=User.State.ACTIVE).first()
    if row is None or person is None or row.due_at is None or getattr(row, told) is None:
        return
    case = row.case
    with translation.override(person.language):
        due = row.due_at.astimezone(calendar_for(case.unit).zone)
        said = {
            "measure": str(row.get_measure_display()),
            "reference": case.reference,
            "unit": case.unit.name,
            "due": targets.moment_in_words(due),
            "url": f"{settings.PUBLIC_URL}{reverse('cases:detail', args=[case.uuid])}",
        }
        subject, text = (
            (
                _("Missed: %(measure)s of %(reference)s"),
                _("The service target was missed on %(due)s."),
            )
            if kind == BREACH
            else (
                _("In danger: %(measure)s of %(reference)s"),
                _("The service target ends on %(due)s."),
            )
        )
        message = EmailMessage(
            subject=subject % said,
            body=f"{text % said}\n\n{said['unit']} · {said['reference']}\n{said['url']}\n",
            from_email=formataddr((case.organisation.name, settings.DEFAULT_FROM_EMAIL)),
            to=[person.email],
        )
    post(message)


def _people(actor: Actor, case: Case, step: Escalation) -> list[User]:
    """Whom a step tells, each once: only whoever may see the case."""
    found: dict[int, User] = {}
    for name in step.tell:
        people: Iterable[User] = ()
        if name == ASSIGNEE:
            people = [case.assignee] if case.assignee else []
        elif name == SUPERVISORS:
            people = supervisors_of(actor, case.unit_id)
        elif name.startswith(UNIT):
            units = Unit.objects.for_actor(actor).filter(code=name.removeprefix(UNIT))
            people = supervisors_of(actor, next(iter(units.values_list("pk", flat=True)), None))
        found |= {one.pk: one for one in people}
    seeing = set(users_who_see(actor, case, found))
    return [one for key, one in sorted(found.items()) if key in seeing]


def _locked(pk: int) -> Case:
    rows = Case.objects.unscoped(_SERVES_ALL).select_related(
        "unit__organisation", "type_version", "case_type", "organisation", "assignee"
    )
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)

"""One act on many cases: looked through, run in the background row by row, resumable after a kill,
undone while nothing else touched its cases.

Each case is a row (`BulkRow`). What became of a row is committed together with what was done to its
case, so that whoever is killed, and however often, the next goes on exactly there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import EmptyResultSet
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cases.lists import CaseFilter, matching, patience
from cases.models import BulkAction, BulkRow, Case
from cases.permissions import RUN_BULK
from cases.services.bulk_acts import UNDO, Act, kept_of
from cases.services.bulk_macro import ALL_ACTS as ACTS
from cases.services.bulk_macro import MACRO
from cases.services.news import tell_bulk
from cases.services.writing import in_batch
from cases.texts import one_line, paragraphs
from crm.accounts.actors import actor_for, actor_for_client
from crm.accounts.services.api_clients import in_force
from crm.audit.record import record
from crm.kit import realtime
from crm.kit.actor import Actor, Door, Kind, Origin
from crm.kit.errors import Conflict, DomainError, Invalid, Refused, Text
from crm.kit.policy import require
from crm.kit.tasks import enqueue

log = structlog.get_logger(__name__)
Status, Row = BulkAction.Status, BulkRow.Status
MOST_CASES = 200_000
AT_ONCE = 200  # cases looked through within the request; more of them by a worker
LOOKED = 500  # rows looked through in one transaction
LOT = 20  # rows run in one transaction
STALLED = timedelta(minutes=1)
FORGOTTEN = timedelta(days=1)
TASK = "cases.run_bulk"


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """What is to be done: a code of bulk_macro.ALL_ACTS and its arguments."""

    action: str
    person: UUID | None = None
    unit: UUID | None = None
    move: str = ""
    reason: str = ""
    outcome: str = ""
    priority: int | None = None
    body: str = ""
    macro: UUID | None = None

    def arguments(self) -> dict[str, str]:
        """Those that the act takes, as the action's row keeps them."""
        told = {
            "person": str(self.person or ""),
            "unit": str(self.unit or ""),
            "move": self.move,
            "reason": one_line(self.reason),
            "outcome": one_line(self.outcome),
            "priority": "" if self.priority is None else str(self.priority),
            "body": paragraphs(self.body),
            "macro": str(self.macro or ""),
        }
        act = ACTS.get(self.action)
        if act is None:
            raise Invalid(errors={"action": [_("Choose one of the offered values.")]})
        missing = {name: [_("This field is required.")] for name in act.wants if not told[name]}
        if missing:
            raise Invalid(errors=missing)
        return {name: told[name] for name in (*act.wants, *act.may)}


def chosen_cases(
    actor: Actor, uuids: Iterable[UUID] = (), asked: CaseFilter | None = None
) -> QuerySet[Case]:
    """The cases that were ticked, or all that fit a list; only those that the actor may see."""
    if asked is not None:
        return matching(actor, asked).order_by("pk")
    return Case.objects.for_actor(actor).filter(uuid__in=list(uuids)).order_by("pk")


@transaction.atomic
def prepare_bulk(actor: Actor, cases: QuerySet[Case], bulk: Bulk, *, asked: str = "") -> BulkAction:
    """The action stands with the cases of this moment and is looked through: of each it is known what
    would refuse it. Nothing is done to any case."""
    require(actor, RUN_BULK)
    if actor.kind is Kind.SYSTEM:
        raise Refused(RUN_BULK, _("Only people and connected systems run bulk actions."))
    arguments = bulk.arguments()
    found = ACTS[bulk.action].prepare(actor, arguments)
    if bulk.action == MACRO:  # what is looked through is what is done
        arguments["version"] = str(found.version)
    action = _new(actor, bulk.action, arguments, asked)
    action.total = _take(action, cases)
    if not action.total:
        raise Invalid(errors={"cases": [_("No case is selected.")]})
    if action.total > MOST_CASES:
        text = _("At most %(count)s cases at once: add a filter.") % {"count": MOST_CASES}
        raise Invalid(errors={"cases": [text]})
    action.save(update_fields=["total", "updated_at"])
    if action.total <= (LOT if ACTS[bulk.action].slow else AT_ONCE):
        _look_through(actor, action, action.total)
    else:
        enqueue(TASK, str(action.uuid))
    return action


@transaction.atomic
def start_bulk(actor: Actor, action: UUID) -> BulkAction:
    """A worker has been asked to do what was looked through; once, however often it is asked."""
    row = _locked(actor, action)
    require(actor, RUN_BULK)
    if row.status == Status.CHECKING:
        raise Conflict("bulk_not_ready", _("It is still being looked through."))
    if row.status != Status.READY:
        raise Conflict("bulk_started", _("It was started or cancelled before."))
    row.status, row.started_at = Status.RUNNING, timezone.now()
    row.done = row.refused = 0
    row.save(update_fields=["status", "started_at", "done", "refused", "updated_at"])
    told = {"cases": row.total, **_audited(row)}
    record(actor, RUN_BULK, row, name=row.action, what="started", **told)
    enqueue(TASK, str(row.uuid))
    return row


@transaction.atomic
def cancel_bulk(actor: Actor, action: UUID) -> BulkAction:
    """No further case is touched; what is done stays done, and may be undone."""
    row = _locked(actor, action)
    if row.status in (Status.DONE, Status.CANCELLED, Status.FAILED):
        raise Conflict("bulk_ended", _("It has ended already."))
    before = row.status in BulkAction.BEFORE
    row.status, row.finished_at = Status.CANCELLED, timezone.now()
    row.save(update_fields=["status", "finished_at", "updated_at"])
    if not before:
        record(actor, RUN_BULK, row, name=row.action, what="cancelled", done=row.done)
    realtime.append(f"bulk:{row.uuid}", progress(row))
    return row


@transaction.atomic
def undo_bulk(actor: Actor, action: UUID) -> BulkAction:
    """An action that takes back what was done stands ready to be started: what of it can be undone, and
    what not and why, is known. Words to citizens are never taken back."""
    row = _locked(actor, action)
    require(actor, RUN_BULK)
    if row.status in BulkAction.WORKING or row.status == Status.READY:
        raise Conflict("bulk_running", _("It has not ended yet."))
    if row.action not in ACTS or stays(row):
        raise Conflict("bulk_stays", _("What this action did cannot be taken back."))
    running = row.undoings.filter(status__in=[*BulkAction.WORKING, Status.READY]).first()
    if running is not None:
        return running
    undo = _new(actor, UNDO, {}, "", undoes=row)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_bulkrow (action_id, case_id, number, status, reason, event, before)"
            " SELECT %s, case_id, row_number() OVER (ORDER BY number DESC), 0, '', event, before"
            " FROM cases_bulkrow WHERE action_id = %s AND status = %s",
            [undo.pk, row.pk, Row.DONE],
        )
        undo.total = cursor.rowcount
    if not undo.total:
        raise Conflict("bulk_nothing", _("There is nothing left to be undone."))
    undo.save(update_fields=["total", "updated_at"])
    if undo.total <= AT_ONCE:
        _look_through(actor, undo, undo.total)
    else:
        enqueue(TASK, str(undo.uuid))
    return undo


def stays(action: BulkAction) -> bool:
    """Whether it did something of which nothing can be taken back."""
    act = ACTS.get(action.action)
    if act is None or not action.done:
        return False
    done = action.rows.filter(status=Row.DONE)
    if act.undo is None:
        return True
    return done.exists() and not done.filter(before__has_key=act.keeps[0]).exists()


def run_bulk(action: UUID) -> None:
    """The action is looked through, or every case of it has been tried once: lot by lot, each with its
    own transaction. Killed anywhere, the next goes on; two workers take turns and do nothing twice."""
    while _run_next(action):
        pass


def stalled_bulks() -> list[UUID]:
    """Actions whose worker died: they have not moved for a minute."""
    rows = BulkAction.objects.unscoped("a sweeper serves every organisation").filter(
        status__in=BulkAction.WORKING, updated_at__lt=timezone.now() - STALLED
    )
    return list(rows.values_list("uuid", flat=True))


def forget_unstarted() -> None:
    """What was looked through and never started is not kept: it names cases for nothing."""
    rows = BulkAction.objects.unscoped("a sweeper serves every organisation").filter(
        started_at=None, created_at__lt=timezone.now() - FORGOTTEN
    )
    rows.delete()


def progress(action: BulkAction) -> dict[str, Any]:
    """How far it is, as the component « progress » follows it."""
    return {
        "done": action.tried,
        "total": action.total,
        "finished": action.status not in BulkAction.WORKING,
    }


@dataclass(frozen=True)
class Reason:
    """Why some cases are refused, how many, and the first of them."""

    text: str
    count: int
    first: list[BulkRow]


def reasons_of(action: BulkAction, *, most: int = 20, first: int = 5) -> list[Reason]:
    """The refusals, foreseen or met, by their reason, the commonest first."""
    rows = BulkRow.objects.unscoped("of an action that the actor reached").filter(action=action)
    refused = rows.exclude(reason="")
    by_reason = refused.values_list("reason").annotate(count=Count("pk")).order_by("-count")
    return [
        Reason(
            text,
            count,
            list(refused.filter(reason=text).select_related("case").order_by("number")[:first]),
        )
        for text, count in by_reason[:most]
    ]


def refused_rows(action: BulkAction) -> Iterator[tuple[str, str, str]]:
    """Every refusal as the file tells it, read in portions: number, reference, reason."""
    rows = BulkRow.objects.unscoped("of an action that the actor reached").filter(action=action)
    refused = rows.exclude(reason="").order_by("number")
    told = refused.values_list("number", "case__reference", "reason")
    return ((str(number), reference, reason) for number, reference, reason in told.iterator())


def what_undoing_meets(row: BulkRow, case: Case | None, act: Act) -> Text:
    """Why a row cannot be undone; nothing if it can."""
    if case is None:
        return _("It is no longer yours to see.")
    if row.event is None or row.before is None or act.undo is None:
        return _("What was done to it cannot be taken back.")
    if case.last_event != row.event:
        return _("Something else has happened in it since.")
    return ""


# --- Inside -------------------------------------------------------------------------------------


def _new(
    actor: Actor, action: str, arguments: Mapping[str, str], asked: str, **more: Any
) -> BulkAction:
    person = actor.kind is Kind.USER
    return BulkAction.objects.create(
        organisation_id=actor.organisation_id,
        action=action,
        arguments=dict(arguments),
        asked=asked[:2_000],
        requested_by_id=actor.id if person else None,
        client_id=None if person else actor.id,
        **more,
    )


def _locked(actor: Actor, action: UUID) -> BulkAction:
    """The actor's own action, locked; nobody else's exists for them."""
    rows = BulkAction.objects.for_actor(actor).select_for_update(of=("self",), no_key=True)
    return rows.get_or_refuse(uuid=action, **own(actor))


def own(actor: Actor) -> dict[str, Any]:
    """Whose actions an actor finds: those that they asked for."""
    person = actor.kind is Kind.USER
    return {"requested_by": actor.id} if person else {"client": actor.id}


def _take(action: BulkAction, cases: QuerySet[Case]) -> int:
    """The cases are the action's rows, by one statement; how many, at most one more than may be."""
    keys = cases.values_list("pk", flat=True)[: MOST_CASES + 1]
    try:
        query, parameters = keys.query.sql_with_params()
    except EmptyResultSet:  # none is named
        return 0
    with patience(True), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
        cursor.execute(
            "INSERT INTO cases_bulkrow (action_id, case_id, number, status, reason)"  # noqa: S608 - Django's own SQL
            f" SELECT %s, c.id, row_number() OVER (ORDER BY c.id), 0, '' FROM ({query}) AS c(id)",
            [action.pk, *parameters],
        )
        return int(cursor.rowcount)


def _audited(action: BulkAction) -> dict[str, Any]:
    """What the audit trail keeps of an action: not the words that it writes to people."""
    told = {name: text for name, text in action.arguments.items() if name != "body" and text}
    if action.undoes is not None:
        told["undoes"] = str(action.undoes.uuid)
    return told | ({"asked": action.asked} if action.asked else {})


def _run_next(uuid: UUID) -> bool:
    """One more lot; False when there is nothing to be done or somebody else does it."""
    with transaction.atomic():
        action = (
            BulkAction.objects.unscoped("a worker serves every organisation")
            .select_for_update(of=("self",), no_key=True)
            .select_related("requested_by", "client__organisation", "organisation", "undoes")
            .filter(uuid=uuid, status__in=BulkAction.WORKING)
            .first()
        )
        if action is None:
            return False
        actor = _actor_of(action)
        if actor is None or not actor.holds(RUN_BULK):
            return _finish(action, Status.FAILED)
        language = action.requested_by.language if action.requested_by else None
        with translation.override(language or translation.get_language()):
            if action.status == Status.CHECKING:
                act = ACTS.get(action.action)
                return _look_through(actor, action, LOT if act and act.slow else LOOKED)
            return _run_lot(actor, action)


def _waiting(action: BulkAction, after: int, most: int) -> list[BulkRow]:
    rows = BulkRow.objects.unscoped("of an action that is locked").filter(action=action)
    waiting = rows.filter(status=Row.WAITING, number__gt=after).order_by("number")
    return list(waiting[:most])


def _cases_of(actor: Actor, rows: Iterable[BulkRow]) -> dict[int, Case]:
    """The cases of rows as far as they exist for the actor, with what looking at them reads."""
    found = Case.objects.for_actor(actor).filter(pk__in=[row.case_id for row in rows])
    found = found.select_related("case_type", "unit", "assignee").prefetch_related("type_version")
    return {case.pk: case for case in found.defer("search", "description")}


def _look_through(actor: Actor, action: BulkAction, most: int) -> bool:
    """So many more rows know what would refuse them; whether there are others."""
    rows = _waiting(action, action.looked, most)
    cases = _cases_of(actor, rows)
    try:
        foresee = _foresight(actor, action)
    except DomainError:  # what it needs is gone
        return _finish(action, Status.FAILED)
    for row in rows:
        case = cases.get(row.case_id)
        row.reason = str(foresee(row, case))[:400]
    refused = [row for row in rows if row.reason]
    BulkRow.objects.unscoped("of this action").bulk_update(refused, ["reason"])
    action.looked += len(rows)
    action.refused += len(refused)
    if action.looked >= action.total:
        action.status = Status.READY
    action.save(update_fields=["looked", "refused", "status", "updated_at"])
    realtime.append(f"bulk:{action.uuid}", progress(action))
    return action.status == Status.CHECKING


Foresight = Callable[[BulkRow, Case | None], Text]


def _foresight(actor: Actor, action: BulkAction) -> Foresight:
    """Of a row and its case, why it would be refused now."""
    if action.undoes is not None:
        act = ACTS[action.undoes.action]
        return lambda row, case: what_undoing_meets(row, case, act)
    act = ACTS[action.action]
    found = act.prepare(actor, action.arguments)

    def foresee(_row: BulkRow, case: Case | None) -> Text:
        if case is None:
            return _("It is no longer yours to see.")
        return act.refusal(actor, case, action.arguments, found)

    return foresee


def _run_lot(actor: Actor, action: BulkAction) -> bool:
    rows = _waiting(action, 0, LOT)
    if not rows:
        told = {"done": action.done, "refused": action.refused, **_audited(action)}
        record(actor, RUN_BULK, action, name=action.action, what="finished", **told)
        return _finish(action, Status.DONE)
    cases = _cases_of(actor, rows)
    try:
        foresee = _foresight(actor, action)
    except DomainError:  # what it needs is gone
        return _finish(action, Status.FAILED)
    for row in rows:
        case = cases.get(row.case_id)
        row.reason = _try(actor, action, row, case, foresee)
        row.status = Row.REFUSED if row.reason else Row.DONE
    done = [row for row in rows if row.status == Row.DONE]
    BulkRow.objects.unscoped("of this action").bulk_update(
        rows, ["status", "reason", "event", "before"]
    )
    if action.undoes is not None:
        undone = BulkRow.objects.unscoped("of the action that is undone").filter(
            action=action.undoes, case__in=[row.case_id for row in done]
        )
        undone.update(status=Row.UNDONE)
    action.done += len(done)
    action.refused += len(rows) - len(done)
    action.save(update_fields=["done", "refused", "updated_at"])
    realtime.append(f"bulk:{action.uuid}", progress(action))
    return True


def _try(
    actor: Actor, action: BulkAction, row: BulkRow, case: Case | None, foresee: Foresight
) -> str:
    """Nothing when it was done, else why not."""
    if case is None:
        return _("It is no longer yours to see.")
    try:
        with transaction.atomic(), in_batch(action.uuid):
            _do(actor, action, row, case, foresee)
    except DomainError as error:
        return error.in_a_line[:400]
    except (OperationalError, InterfaceError):  # not the case's fault: the sweeper comes again
        raise
    except Exception:  # one case that nobody foresaw must not hold up the others for ever
        log.exception("bulk_case_failed", bulk=str(action.uuid), case=str(case.uuid))
        return _("Something failed; it was left as it is.")
    return ""


def _do(actor: Actor, action: BulkAction, row: BulkRow, case: Case, foresee: Foresight) -> None:
    """What the action is, done to one case that nobody else can change meanwhile; what the preview would
    refuse now is refused, also where the verb would change nothing."""
    rows = Case.objects.for_actor(actor).select_related("unit", "assignee")
    case = rows.select_for_update(of=("self",), no_key=True).defer("search").get(pk=case.pk)
    if why := foresee(row, case):
        raise Conflict("bulk_refused", why)
    if action.undoes is not None:
        act = ACTS[action.undoes.action]
        assert act.undo is not None
        assert row.before is not None
        act.undo(actor, case, row.before)
        return
    act = ACTS[action.action]
    row.before = kept_of(act, actor, case, action.arguments)
    act.do(actor, action, case, action.arguments)
    row.event = (
        Case.objects.for_actor(actor)
        .values_list("last_event", flat=True)
        .filter(pk=case.pk)
        .first()
    )


def _finish(action: BulkAction, status: BulkAction.Status) -> bool:
    action.status, action.finished_at = status, timezone.now()
    action.save(update_fields=["status", "finished_at", "updated_at"])
    tell_bulk(action)
    realtime.append(f"bulk:{action.uuid}", progress(action))
    return False


def _actor_of(action: BulkAction) -> Actor | None:
    """Who asked for it, with the rights of now: what was taken from them meanwhile is gone."""
    origin = Origin(Door.TASK, request_id=str(action.uuid))
    if action.client is not None:
        return actor_for_client(action.client, origin) if in_force(action.client) else None
    assert action.requested_by is not None
    return actor_for(action.requested_by, action.organisation, origin)

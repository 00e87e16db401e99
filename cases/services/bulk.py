"""One act on many cases: previewed, run in the background case by case, resumable after a kill."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cases.lists import CaseFilter, matching
from cases.models import BulkAction, Case
from cases.permissions import ASSIGN_CASE, RUN_BULK
from cases.services.assignment import assign_case
from cases.services.lifecycle import move_case
from cases.services.places import hidden_from
from cases.texts import one_line
from cases.workflow import OUTCOME, REASON, RESULT, Move, Workflow, of_version
from crm.accounts.actors import actor_for
from crm.accounts.models import User
from crm.audit.record import record
from crm.kit import realtime
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import DomainError, Invalid, Refused, Text
from crm.kit.policy import decide, require
from crm.kit.tasks import enqueue
from crm.organisations.models import Organisation

log = structlog.get_logger(__name__)
ASSIGN, MOVE = "assign", "move"
MOST_CASES = 10_000
MOST_PREVIEWED = 500
TELL_EVERY = 10  # cases between two words of progress
TASK = "cases.run_bulk"


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """What is to be done: give them to a person, or make a move, with what it may ask for."""

    action: str
    person: UUID | None = None
    move: str = ""
    reason: str = ""
    outcome: str = ""

    def arguments(self) -> dict[str, str]:
        """As the action's row keeps them."""
        return {
            "person": str(self.person or ""),
            "move": self.move,
            "reason": one_line(self.reason),
            "outcome": one_line(self.outcome),
        }


@dataclass(frozen=True)
class Preview:
    """How many cases it concerns, and for the first of them which would be refused and why."""

    total: int
    looked_at: int
    refusals: list[tuple[Case, Text]] = field(default_factory=list)

    @property
    def would_do(self) -> int:
        """Of those looked at."""
        return self.looked_at - len(self.refusals)


def chosen_cases(
    actor: Actor, uuids: Iterable[UUID] = (), asked: CaseFilter | None = None
) -> QuerySet[Case]:
    """The cases that were ticked, or all that fit a list; only those that the actor may see."""
    if asked is not None:
        return matching(actor, asked).order_by("pk")
    return Case.objects.for_actor(actor).filter(uuid__in=list(uuids)).order_by("pk")


def preview_bulk(actor: Actor, cases: QuerySet[Case], bulk: Bulk) -> Preview:
    """What would happen now: permissions and moves of each case, without doing anything."""
    require(actor, RUN_BULK)
    total = len(_keys(cases))
    looked = list(
        cases.select_related("case_type", "unit").prefetch_related("type_version")[:MOST_PREVIEWED]
    )
    theirs = _person(actor, bulk)
    found = ((case, _refusal(actor, case, bulk, theirs)) for case in looked)
    return Preview(total, len(looked), [(case, reason) for case, reason in found if reason])


@transaction.atomic
def start_bulk(actor: Actor, cases: QuerySet[Case], bulk: Bulk) -> BulkAction:
    """The action stands with the cases of this moment, and a worker has been asked to run it."""
    require(actor, RUN_BULK)
    if actor.user_id is None:
        raise Refused(RUN_BULK, _("Only a person runs a bulk action."))
    if bulk.action == ASSIGN:
        _person(actor, bulk)
    elif bulk.action != MOVE or not bulk.move:
        raise Invalid(errors={"action": [_("Choose one of the offered values.")]})
    keys = _keys(cases)
    if not keys:
        raise Invalid(errors={"cases": [_("No case is selected.")]})
    action = BulkAction.objects.create(
        organisation_id=actor.organisation_id,
        action=bulk.action,
        arguments=bulk.arguments(),
        case_ids=keys,
        requested_by_id=actor.user_id,
    )
    record(actor, RUN_BULK, action, name=bulk.action, cases=len(keys), **bulk.arguments())
    enqueue(TASK, str(action.uuid))
    return action


def run_bulk(action: UUID) -> None:
    """Every case of the action has been tried once: case by case, each with its own transaction.

    A case and the mark that it has been tried are committed together: killed anywhere, it goes on
    with the next; two workers on one action take turns and do nothing twice.
    """
    while _run_next(action):
        pass


def stalled_bulks() -> list[UUID]:
    """Actions whose worker died: they have not moved for a minute."""
    rows = BulkAction.objects.unscoped("a sweeper serves every organisation").filter(
        status=BulkAction.Status.RUNNING, updated_at__lt=timezone.now() - timedelta(minutes=1)
    )
    return list(rows.values_list("uuid", flat=True))


@transaction.atomic
def _run_next(uuid: UUID) -> bool:
    action = (
        BulkAction.objects.unscoped("a worker serves every organisation")
        .select_for_update(of=("self",))
        .select_related("requested_by", "organisation")
        .filter(uuid=uuid, status=BulkAction.Status.RUNNING)
        .first()
    )
    if action is None:
        return False
    actor = _actor_of(action)
    if actor is None:
        return _finish(action, BulkAction.Status.FAILED)
    if action.next_index >= len(action.case_ids):
        record(actor, RUN_BULK, action, name=action.action, done=action.done)
        return _finish(action, BulkAction.Status.DONE)
    key = action.case_ids[action.next_index]
    with translation.override(action.requested_by.language):
        refusal = _try(actor, action, key)
    action.next_index += 1
    if refusal is None:
        action.done += 1
    else:
        action.refusals.append(refusal)
    action.save(update_fields=["next_index", "done", "refusals", "updated_at"])
    if action.next_index % TELL_EVERY == 0:
        realtime.append(f"bulk:{action.uuid}", progress(action))
    return True


def _try(actor: Actor, action: BulkAction, key: int) -> dict[str, str] | None:
    """None when it was done, else why not."""
    case = Case.objects.for_actor(actor).filter(pk=key).first()
    if case is None:
        return {"reference": "—", "reason": _("It is no longer yours to see.")}
    try:
        with transaction.atomic():
            _do(actor, action, case)
    except DomainError as error:
        return {"reference": case.reference, "reason": error.in_a_line}
    except (OperationalError, InterfaceError):  # not the case's fault: the sweeper comes again
        raise
    except Exception:  # one case that nobody foresaw must not hold up the others for ever
        log.exception("bulk_case_failed", bulk=str(action.uuid), case=str(case.uuid))
        return {"reference": case.reference, "reason": _("Something failed; it was left as it is.")}
    return None


def _do(actor: Actor, action: BulkAction, case: Case) -> None:
    given = action.arguments
    if action.action == ASSIGN:
        assign_case(actor, case.uuid, UUID(given["person"]))
        return
    asks = (REASON, OUTCOME)
    move_case(actor, case.uuid, given["move"], **{name: given[name] for name in asks})


def _finish(action: BulkAction, status: BulkAction.Status) -> bool:
    action.status = status
    action.save(update_fields=["status", "updated_at"])
    realtime.append(f"bulk:{action.uuid}", progress(action))
    return False


def progress(action: BulkAction) -> dict[str, Any]:
    """How far it is, as the component « progress » follows it."""
    return {
        "done": action.next_index,
        "total": len(action.case_ids),
        "finished": action.status != BulkAction.Status.RUNNING,
    }


def _actor_of(action: BulkAction) -> Actor | None:
    """Who asked for it, with the rights of now: what was taken from them meanwhile is gone."""
    origin = Origin(Door.TASK, request_id=str(action.uuid))
    return actor_for(action.requested_by, action.organisation, origin)


def _keys(cases: QuerySet[Case]) -> list[int]:
    keys = list(cases.values_list("pk", flat=True)[: MOST_CASES + 1])
    if len(keys) > MOST_CASES:
        text = _("At most %(count)s cases at once: add a filter.") % {"count": MOST_CASES}
        raise Invalid(errors={"cases": [text]})
    return keys


def _person(actor: Actor, bulk: Bulk) -> Actor | None:
    """The person they would be given to, as an actor, to know what they can see."""
    if bulk.action != ASSIGN:
        return None
    organisation = Organisation.objects.for_actor(actor).get()
    user = User.objects.filter(uuid=bulk.person).first() if bulk.person else None
    theirs = actor_for(user, organisation, actor.origin) if user else None
    if theirs is None:
        raise Invalid(errors={"person": [_("This person does not work here.")]})
    return theirs


def _refusal(actor: Actor, case: Case, bulk: Bulk, theirs: Actor | None) -> Text:
    if theirs is not None:
        decision = decide(actor, ASSIGN_CASE, case)
        if not decision:
            return decision.reason
        return hidden_from(theirs, case)
    workflow = of_version(case.type_version.bundle)
    move = workflow.move(bulk.move)
    if move is None or case.state not in move.sources:
        text = _("From the state “%(state)s” this move is not possible.")
        return text % {"state": workflow.name_of(case.state)}
    return decide(actor, move.permission, case).reason or _missing(case, move, workflow, bulk)


def _missing(case: Case, move: Move, workflow: Workflow, bulk: Bulk) -> Text:
    given = {REASON: bulk.reason, OUTCOME: bulk.outcome}
    words = {REASON: _("Reason"), OUTCOME: _("Outcome"), RESULT: _("Way of ending")}
    missing = [
        words.get(name) or workflow.fields.label_of(name)
        for name in workflow.asks(move, case)
        if not given.get(name)
    ]
    return _("Missing: %(field)s.") % {"field": ", ".join(missing)} if missing else ""

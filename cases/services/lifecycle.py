"""Opening, editing and moving cases from state to state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import clocks, numbers
from cases.checklists import OPENED
from cases.models import (
    Case,
    CaseResult,
    CaseTypeVersion,
    Confidentiality,
    EventKind,
    Participant,
    StateCategory,
)
from cases.parts.results import Outcome
from cases.permissions import CHANGE_CASE, CLOSE_CASE, OPEN_CASE, VIEW_SPECIAL
from cases.services import representation
from cases.services.clocks import end_with_work, renew_clock
from cases.services.concurrent import reconciled
from cases.services.handing import withdraw_open
from cases.services.papers import list_papers
from cases.services.places import citizen_of, lost_to, person_for, unit_of
from cases.services.relations import take_part
from cases.services.tasks import plan_tasks, require_ready
from cases.services.writing import fetch, moment, require_work_goes_on, tell, write
from cases.texts import one_line, paragraphs
from cases.workflow import OUTCOME, REASON, RESULT, Move, Workflow, of_version
from crm.citizens.models import Channel, Citizen
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Text
from crm.kit.policy import require
from crm.organisations.models import Unit
from crm.organisations.services import calendar_for

FIRST_YEAR = 1990
A_MOMENT = timedelta(minutes=5)  # what clocks of two machines may differ
_SET_BY_VERBS = {"organisation", "case_type", "type_version", "state", "unit", "assignee"} | {
    "citizen",
    "reference",
    "data",
    "opened_at",
    "language",
}
EDITABLE = (
    "subject",
    "description",
    "priority",
    "language",
    "address",
    "latitude",
    "longitude",
    "channel",
    "data",
    "citizen",
)


@dataclass(frozen=True, kw_only=True)
class NewCase:
    """What a case is opened with. UUIDs and codes, as they come through any door."""

    case_type: str  # its code
    subject: str
    description: str = ""
    citizen: UUID | None = None
    unit: UUID | None = None  # default: where the actor works
    assignee: UUID | None = None
    channel: str = Channel.IN_PERSON
    priority: int = Case.Priority.NORMAL
    confidentiality: int | None = None  # the type's
    language: str = "es"
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    opened_at: datetime | None = None
    source: str = ""
    external_id: str | None = None
    representative: UUID | None = None  # who applies in the citizen's name
    incomplete: bool = False  # what its form still asks for is filled in later


@transaction.atomic
def open_case(actor: Actor, new: NewCase) -> Case:
    """A case of the type's published version exists, with its number, due date and first event."""
    version = published_version(actor, new.case_type)
    unit = unit_of(actor, new.unit)
    require(actor, OPEN_CASE, unit)
    workflow = of_version(version.bundle)
    opened_at = new.opened_at or moment()
    case = Case(
        organisation_id=actor.organisation_id,
        case_type=version.case_type,
        type_version=version,
        state=workflow.initial,
        category=workflow.states[workflow.initial].category,
        unit=unit,
        citizen=citizen_of(actor, new.citizen) if new.citizen else None,
        subject=one_line(new.subject),
        description=paragraphs(new.description),
        priority=new.priority,
        confidentiality=workflow.confidentiality
        if new.confidentiality is None
        else new.confidentiality,
        channel=new.channel,
        language=new.language,
        address=one_line(new.address),
        latitude=new.latitude,
        longitude=new.longitude,
        data=workflow.fields.kept(new.data),
        source=new.source,
        external_id=new.external_id,
        opened_at=opened_at,
        due_at=_due(workflow, unit, opened_at, new.channel),
        last_event=1,
    )
    _require_valid(case)
    if case.confidentiality == Confidentiality.SPECIAL:
        require(actor, VIEW_SPECIAL, unit)
    case.assignee = person_for(actor, new.assignee, case) if new.assignee else None
    if not new.incomplete:
        workflow.fields.require_valid(case.data)
    actor, holder = representation.applying(actor, case, new.representative)
    year, number = numbers.take(actor.organisation_id, opened_at)
    case.reference = numbers.reference(actor.organisation_code, year, number)
    case.save(force_insert=True)
    told = {"channel": case.channel, "type": version.case_type.name, "unit": unit.name}
    if case.assignee is not None:
        told |= {"to": case.assignee.full_name, "to_id": str(case.assignee.uuid)}
    tell(actor, OPEN_CASE, case, EventKind.OPENED, told)
    list_papers(case, workflow)
    plan_tasks(actor, case, workflow, OPENED, workflow.initial)
    if holder is not None:
        take_part(actor, OPEN_CASE, case, holder, Participant.Role.REPRESENTATIVE)
    return case


def published_version(actor: Actor, code: str) -> CaseTypeVersion:
    """The version by which cases of a type are opened now; Invalid at `case_type` when there is none."""
    mine = CaseTypeVersion.objects.filter(
        case_type__organisation=actor.organisation_id,
        case_type__code=code,
        case_type__is_active=True,
        status=CaseTypeVersion.Status.PUBLISHED,
    )
    version = next(iter(mine.select_related("case_type")), None)
    if version is None:
        raise Invalid(errors={"case_type": [_("There is no such case type, or it is not in use.")]})
    return version


@transaction.atomic
def edit_case(
    actor: Actor, case: UUID, changes: Mapping[str, Any], *, version: int | None = None
) -> Case:
    """The case says what `changes` says (fields of EDITABLE; `citizen` by UUID); equal values are none.

    Who began from an earlier `version` changes only what they changed of it: what others changed
    meanwhile stays, and Conflict names the fields that both did.
    """
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    require_work_goes_on(row)
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise Invalid(errors={name: [_("This cannot be edited.")] for name in unknown})
    cleaned = _clean(actor, row, changes)
    if version is not None and version != row.version:
        cleaned = reconciled(row, version, cleaned)
    before, after = {}, {}
    for name, value in cleaned.items():
        old = getattr(row, name)
        if old != value:
            before[name], after[name] = _told(old), _told(value)
            setattr(row, name, value)
    if not after:
        return row
    _require_valid(row)
    if "data" in after:
        of_version(row.type_version.bundle).fields.require_valid(row.data)
    told = {"fields": sorted(after), "before": before, "after": after}
    write(actor, CHANGE_CASE, row, EventKind.EDITED, told, changed=tuple(after))
    if "channel" in after:
        renew_clock(actor, row, _("It came in by another channel."))
    return row


@transaction.atomic
def move_case(
    actor: Actor,
    case: UUID,
    move: str,
    *,
    reason: str = "",
    outcome: str = "",
    result: str = "",
    data: Mapping[str, Any] | None = None,
    despite_open: bool = False,
    version: int | None = None,
) -> Case:
    """The case is in the move's target state; what the move requires is there, or Invalid says what.

    Conflict lists the tasks and papers that keep it from there; tasks that only warn of an end may
    stay open, if that is said.
    """
    row = fetch(actor, case, version)
    workflow = of_version(row.type_version.bundle)
    chosen = workflow.move(move)
    if chosen is None:
        raise NotFound(_("This case type has no such move."))
    if row.state not in chosen.sources:
        text = _("From the state “%(state)s” this move is not possible.")
        raise Conflict("move_not_possible", text % {"state": workflow.name_of(row.state)})
    require(actor, chosen.permission, row)
    given = {REASON: one_line(reason), OUTCOME: one_line(outcome), RESULT: result}
    if data:
        row.data = workflow.fields.kept({**row.data, **data})
        workflow.fields.require_valid(row.data)
    _require_asked(workflow, chosen, row, given)
    require_ready(row, workflow.target_of(chosen), despite_open=despite_open)
    return _enter(actor, row, workflow, chosen, given, with_data=bool(data))


@transaction.atomic
def close_case(
    actor: Actor,
    case: UUID,
    *,
    outcome: str = "",
    reason: str = "",
    result: str = "",
    move: str = "",
    despite_open: bool = False,
    version: int | None = None,
) -> Case:
    """Work on the case has ended, by the named move or the first that ends it from its state."""
    row = fetch(actor, case, version)
    require(actor, CLOSE_CASE, row)
    require_work_goes_on(row)
    return move_case(
        actor,
        case,
        move or _move_across(row, ended=True),
        outcome=outcome,
        reason=reason,
        despite_open=despite_open,
        result=result,
    )


@transaction.atomic
def reopen_case(actor: Actor, case: UUID, *, reason: str, version: int | None = None) -> Case:
    """Work on an ended case goes on, by the first move that leads back to it."""
    row = fetch(actor, case, version)
    require(actor, CLOSE_CASE, row)
    if not row.ended:
        raise Conflict("case_open", _("Work on this case has not ended."))
    return move_case(actor, case, _move_across(row, ended=False), reason=reason)


@transaction.atomic
def change_confidentiality(
    actor: Actor, case: UUID, level: int, *, reason: str = "", version: int | None = None
) -> Case:
    """The case has this level; special protection is given and taken by who may see such cases.

    Whoever had it and can see it no more has it no more: others find it among what nobody has.
    """
    row = fetch(actor, case, version)
    require(actor, CHANGE_CASE, row)
    if level not in Confidentiality.values:
        raise Invalid(errors={"confidentiality": [_("There is no such level.")]})
    if Confidentiality.SPECIAL in (level, row.confidentiality):
        require(actor, VIEW_SPECIAL, row)
    if level == row.confidentiality:
        return row
    told = {"from": row.confidentiality, "to": level, "reason": one_line(reason)}
    row.confidentiality = level
    if row.assignee is not None and lost_to(actor, row.assignee, row):
        gone = {"from": row.assignee.full_name, "from_id": str(row.assignee.uuid)}
        row.assignee = None
        write(actor, CHANGE_CASE, row, EventKind.RELEASED, gone, changed=("assignee",))
    kind = EventKind.CONFIDENTIALITY_CHANGED
    write(actor, CHANGE_CASE, row, kind, told, changed=("confidentiality",))
    return row


# --- Inside -------------------------------------------------------------------------------------


def _enter(
    actor: Actor,
    case: Case,
    workflow: Workflow,
    move: Move,
    given: Mapping[str, str],
    *,
    with_data: bool,
) -> Case:
    target = workflow.target_of(move)
    if target.category >= StateCategory.RESOLVED:
        end_with_work(actor, case)
        withdraw_open(actor, case)
    told = {
        "move": move.code,
        "from": case.state,
        "from_name": workflow.said_of(case.state),
        "to": target.code,
        "to_name": target.said,
        "category": target.category,
        **{name: text for name, text in given.items() if text},
    }
    entered = moment()
    result = workflow.result(given[RESULT]) if given[RESULT] else None
    if result is not None:
        told["result_name"] = result.said
    case.state, case.category = target.code, target.category
    if target.category >= StateCategory.RESOLVED:
        case.closed_at = case.closed_at or entered
        case.outcome = given[OUTCOME] or case.outcome
    else:
        case.closed_at, case.outcome = None, ""
    _keep_result(case, workflow, result)
    changed = ("state", "category", "closed_at", "outcome", *(("data",) if with_data else ()))
    write(actor, move.permission, case, EventKind.MOVED, told, changed=changed)
    plan_tasks(actor, case, workflow, target.code)
    return case


def _keep_result(case: Case, workflow: Workflow, result: Outcome | None) -> None:
    """How work ended stands beside the case while it is ended; taken up again, only in its story."""
    if not workflow.results:
        return
    kept = CaseResult.objects.unscoped("of the case at hand").filter(case=case)
    if case.closed_at is None:
        kept.delete()
    elif result is not None:
        day = timezone.localdate(case.closed_at)
        kept.update_or_create(
            case=case,
            defaults={
                "code": result.code,
                "name": result.said,
                "nomination": result.nomination,
                "term": str(result.term),
                "ended_on": day,
                "keep_until": result.keep_until(day),
            },
        )


def _require_asked(workflow: Workflow, move: Move, case: Case, given: Mapping[str, str]) -> None:
    errors: dict[str, list[Text]] = {}
    shown = workflow.fields.shown(case.data)
    asked = workflow.asks(move, case)
    for name in asked:
        if name in given:
            if not given[name]:
                errors[name] = [_("This field is required.")]
        elif name in shown:
            label = workflow.fields.label_of(name)
            errors[f"data.{name}"] = [_("Missing: %(field)s.") % {"field": label}]
    if given[RESULT] and (RESULT not in asked or workflow.result(given[RESULT]) is None):
        offered = [result.code for result in workflow.results] if RESULT in asked else []
        errors[RESULT] = [_result_refused(offered)]
    if errors:
        raise Invalid(errors=errors)


def _result_refused(offered: list[str]) -> str:
    if not offered:
        return _("This move asks for no result.")
    return _("There is no such result. There are: %(names)s.") % {"names": ", ".join(offered)}


def _move_across(case: Case, *, ended: bool) -> str:
    workflow = of_version(case.type_version.bundle)
    for move in workflow.moves_from(case.state):
        if (workflow.target_of(move).category >= StateCategory.RESOLVED) is ended:
            return move.code
    raise Conflict("move_not_possible", _("From its state there is no such move."))


def _told(value: Any) -> Any:
    """How an event keeps a value: a citizen by UUID, the rest as it is."""
    return str(value.uuid) if isinstance(value, Citizen) else value


def _clean(actor: Actor, row: Case, changes: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = dict(changes)
    if isinstance(cleaned.get("data"), Mapping):
        cleaned["data"] = of_version(row.type_version.bundle).fields.kept(cleaned["data"])
    for name in ("subject", "address"):
        if name in cleaned:
            cleaned[name] = one_line(cleaned[name])
    if "description" in cleaned:
        cleaned["description"] = paragraphs(cleaned["description"])
    if cleaned.get("citizen") is not None:
        cleaned["citizen"] = citizen_of(actor, cleaned["citizen"])
    return cleaned


def _require_valid(case: Case) -> None:
    """The model's own checks of single fields and what no constraint can say well, by field."""
    errors: dict[str, list[Text]] = {}
    try:
        case.clean_fields(exclude=_SET_BY_VERBS)
    except ValidationError as error:
        errors = {name: [*texts] for name, texts in error.message_dict.items()}
    if case.language not in dict(settings.LANGUAGES):
        errors["language"] = [_("Choose one of the offered values.")]
    latitude, longitude = case.latitude, case.longitude
    if (latitude is None) != (longitude is None):
        errors["latitude"] = [_("Give both coordinates or none.")]
    elif not (-90 <= (latitude or 0) <= 90 and -180 <= (longitude or 0) <= 180):
        errors["latitude"] = [_("There is no such place on Earth.")]
    if not case.opened_at.year >= FIRST_YEAR or case.opened_at > timezone.now() + A_MOMENT:
        errors["opened_at"] = [_("The date is in the future or too long ago.")]
    if errors:
        raise Invalid(errors=errors)


def _due(workflow: Workflow, unit: Unit, opened_at: datetime, channel: str) -> datetime | None:
    if workflow.term is None:
        return None
    return clocks.due_at(workflow.term, calendar_for(unit), opened_at, channel)

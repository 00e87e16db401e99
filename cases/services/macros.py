"""Macros: written and retired; run on a case, all their acts or none, by the same verbs as by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import macros as reading
from cases.answers import may_write_own, workflows
from cases.macro_words import LABELS
from cases.models import (
    Audience,
    Case,
    CaseTypeVersion,
    EventKind,
    Macro,
    MacroKey,
    MacroRun,
)
from cases.permissions import CHANGE_CASE, SHARE_VIEW
from cases.services.macro_steps import SETTLED, STEPS, asked, too_long, what, wrong
from cases.services.sharing import Wrong, check_placed
from cases.services.writing import batch_now, fetch, in_batch, write
from cases.texts import one_line
from cases.workflow import Workflow, of_version
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, DomainError, Invalid, NotFound, Refused, Text
from crm.kit.models import uuid7
from crm.kit.policy import require

MOST_STEPS = 10
Extra = Mapping[int, Mapping[str, Any]]
"""What whoever runs a macro adds to its steps, by their place."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a macro says."""

    name: str
    steps: Sequence[Mapping[str, Any]]
    audience: str = Audience.OWN
    unit: UUID | None = None
    case_types: Sequence[str] = ()
    states: Sequence[str] = ()


# --- Writing --------------------------------------------------------------------------------------


@transaction.atomic
def create_macro(actor: Actor, said: Said) -> Macro:
    """The macro can be run by whoever has it, as far as each of them may do its acts."""
    if said.audience == Audience.OWN and not may_write_own(actor):
        require(actor, CHANGE_CASE)
        raise Invalid(errors={"audience": [_("Only a person has macros of their own.")]})
    row = Macro(organisation_id=actor.organisation_id)
    _fill(actor, row, said)
    _save(row)
    record(actor, _right(row), row, created=True, audience=row.audience)
    return row


@transaction.atomic
def change_macro(actor: Actor, macro: UUID, said: Said, *, version: int | None = None) -> Macro:
    """The macro says this; Changed when it is past `version`."""
    row = _locked(actor, macro)
    if version is not None and row.version != version:
        raise Changed(_("Someone has changed this macro since you opened it."))
    if (row.audience == Audience.OWN) != (said.audience == Audience.OWN):
        text = _("One's own macro stays one's own: write another to share it.")
        raise Invalid(errors={"audience": [text]})
    _fill(actor, row, said)
    row.version += 1
    _save(row)
    record(actor, _right(row), row, version=row.version)
    return row


@transaction.atomic
def retire_macro(actor: Actor, macro: UUID) -> Macro:
    """The macro is offered no more; what it did stays told, and its keys are free."""
    row = _locked(actor, macro)
    if row.retired_at is None:
        row.retired_at = timezone.now()
        row.version += 1
        row.save(update_fields=["retired_at", "version", "updated_at"])
        row.keys.all().delete()
        record(actor, _right(row), row, retired=True)
    return row


@transaction.atomic
def set_key(actor: Actor, macro: UUID, sign: str) -> None:
    """For this person « m » and the sign run the macro; whatever the sign ran before, it no more does.
    An empty sign: none."""
    row = reading.macros(actor).get_or_refuse(uuid=macro)
    if actor.user_id is None:
        raise Refused(CHANGE_CASE, _("Only a person has keys."))
    sign = sign.strip().lower()
    if sign and not (len(sign) == 1 and sign.isascii() and sign.isalnum()):
        raise Invalid(errors={"sign": [_("Write one letter or digit.")]})
    mine = MacroKey.objects.for_actor(actor)
    mine.filter(macro=row).delete()
    if sign:
        mine.filter(sign=sign).delete()
        MacroKey.objects.create(user_id=actor.user_id, macro=row, sign=sign)


# --- Running --------------------------------------------------------------------------------------


class StepRefused(Conflict):
    """A step of a macro cannot be done here now: which, and why. Nothing of the macro was done."""

    def __init__(self, number: int, label: str, error: DomainError) -> None:
        text = _("Step %(number)s, “%(step)s”: %(reason)s Nothing was done.")
        said = {"number": number, "step": label, "reason": error.in_a_line}
        super().__init__("macro_step_refused", text % said, step=number, reason=error.code)
        self.status = error.status  # type: ignore[misc] # as the verb alone would have been refused


@dataclass
class Planned:
    """A step of a macro on a case: what it would do, what it asks, what refuses it."""

    number: int
    act: str
    label: str
    asks: list[str] = field(default_factory=list)
    refusal: str = ""
    tried: bool = True  # else a step before it stands in the way
    move: str = ""  # of a step that is one
    case: Case | None = None  # as it stands when its turn comes


@transaction.atomic
def run_macro(
    actor: Actor, case: UUID, macro: UUID, extra: Extra | None = None, *, key: UUID | None = None
) -> MacroRun:
    """Every act of the macro was done, one audit batch and one line of the story naming it; or StepRefused
    says which could not be and why, and nothing was done. The same `key` again gives the same run. Within
    a bulk action its acts are of the action's batch, of which each colleague is told once."""
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    known = MacroRun.objects.for_actor(actor).filter(case=row, uuid=key).first() if key else None
    if known:
        return known
    found = reading.macros(actor).get_or_refuse(uuid=macro)
    _require_fits(actor, found, row)
    steps = [[step["act"], _about(actor, step, row)] for step in found.steps]
    run = MacroRun.objects.create(
        uuid=key or uuid7(), case=row, macro=found, name=found.name, steps=steps
    )
    with in_batch(batch_now() or run.uuid):
        told = {"macro": found.name, "steps": steps, "run": str(run.uuid)}
        write(actor, CHANGE_CASE, row, EventKind.MACRO_RUN, told)
        for number, step in enumerate(found.steps, start=1):
            given = _whole(step, (extra or {}).get(number) or {})
            try:
                _do(actor, run.uuid, number, given, _now(actor, case))
            except DomainError as error:
                raise StepRefused(number, _label(actor, step, row), error) from error
    Macro.objects.for_actor(actor).filter(pk=found.pk).update(
        uses=F("uses") + 1, last_used_at=timezone.now()
    )
    return run


def try_macro(actor: Actor, case: UUID, macro: UUID, extra: Extra | None = None) -> list[Planned]:
    """What running it now would do: it is done and taken back, up to the first step that asks for
    something or is refused."""
    with transaction.atomic():
        row = fetch(actor, case)
        require(actor, CHANGE_CASE, row)
        found = reading.macros(actor).get_or_refuse(uuid=macro)
        _require_fits(actor, found, row)
        plan = _try(actor, row, found, extra or {})
        transaction.set_rollback(True)
    return plan


def _try(actor: Actor, row: Case, macro: Macro, extra: Extra) -> list[Planned]:
    plan: list[Planned] = []
    stopped = False
    for number, step in enumerate(macro.steps, start=1):
        label, move = _label(actor, step, row), step.get("move", "")
        one = Planned(number, step["act"], label, tried=not stopped, move=move)
        plan.append(one)
        if stopped:
            continue
        try:
            with transaction.atomic():
                one.case = _now(actor, row.uuid)
                given = _whole(step, extra.get(number) or {})
                one.asks = asked(step["act"], given, one.case)
                if not one.asks:
                    _do(actor, macro.uuid, number, given, one.case)
        except DomainError as error:
            one.refusal = error.in_a_line
        stopped = bool(one.asks or one.refusal)
    return plan


@dataclass(frozen=True)
class _Batch:
    """What writes once: a step of a run."""

    uuid: UUID


def _whole(step: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The step with what was left open in it: what it says itself nobody says otherwise."""
    open_ones = {name: value for name, value in told.items() if name not in {*SETTLED, "act"}}
    return {**open_ones, **step}


def _do(actor: Actor, run: UUID, number: int, given: Mapping[str, Any], case: Case) -> None:
    act = STEPS[given["act"]]
    if left := asked(given["act"], given, case):
        words = [reading.argument(one, case) for one in left]
        raise Invalid(
            errors={
                name: [_("Missing: %(field)s.") % {"field": word}]
                for name, word in zip(left, words, strict=True)
            }
        )
    if long := too_long(given):
        raise Invalid(errors={name: [text] for name, text in long.items()})
    act.do(actor, _Batch(uuid5(run, str(number))), case, given)


def _now(actor: Actor, case: UUID) -> Case:
    """The case as the steps before have left it."""
    rows = Case.objects.for_actor(actor).select_related("case_type", "type_version", "unit")
    found = rows.filter(uuid=case).first()
    if found is None:
        raise NotFound(_("After the steps before it, the case is no longer yours to see."))
    return found


def _require_fits(actor: Actor, macro: Macro, case: Case) -> None:
    if macro.pk not in {one.pk for one in reading.macros_for(actor, case)}:
        raise Conflict(
            "macro_does_not_fit", _("This macro is not for this case's unit, type and state.")
        )


def _label(actor: Actor, step: Mapping[str, Any], case: Case) -> str:
    about = _about(actor, step, case)
    label = str(LABELS[step["act"]])
    return f"{label}: {about}" if about else label


def _about(actor: Actor, step: Mapping[str, Any], case: Case) -> str:
    if step["act"] == "move":
        move = of_version(case.type_version.bundle).move(step["move"])
        return move.name if move else step["move"]
    return what(actor, step)


# --- Inside ---------------------------------------------------------------------------------------


def _right(row: Macro) -> str:
    return CHANGE_CASE if row.audience == Audience.OWN else SHARE_VIEW


def _locked(actor: Actor, macro: UUID) -> Macro:
    rows = Macro.objects.for_actor(actor).select_for_update(of=("self",))
    row = rows.select_related("unit").get_or_refuse(uuid=macro)
    _require_may(actor, row)
    return row


def _require_may(actor: Actor, row: Macro) -> None:
    decision = reading.may_change(actor, row)
    if not decision:
        raise Refused(_right(row), decision.reason, row)


def _fill(actor: Actor, row: Macro, said: Said) -> None:
    problems = Wrong()
    errors, name = problems.errors, one_line(said.name)
    unit = check_placed(actor, said, 80, problems)
    known = workflows(actor, said.case_types)
    if not 1 <= len(said.steps) <= MOST_STEPS:
        errors["steps"] = [_("A macro has from 1 to %(count)s steps.") % {"count": MOST_STEPS}]
    for number, step in enumerate(said.steps, start=1):
        for argument, text in _step_errors(actor, step, known).items():
            problems.add(f"steps.{number}.{argument}", text)
    row.name, row.audience, row.unit = name, said.audience, unit
    row.owner_id = actor.user_id if said.audience == Audience.OWN else None
    row.case_types, row.states = sorted(set(said.case_types)), sorted(set(said.states))
    row.steps = [_kept(step) for step in said.steps if step.get("act") in STEPS]
    if not errors.keys() & {"audience", "unit"}:
        _require_may(actor, row)
    if not errors and _taken(row):
        errors["name"] = [_("There is already a macro of this name.")]
    problems.raise_any()


def _kept(step: Mapping[str, Any]) -> dict[str, str]:
    act = STEPS[step["act"]]
    known = (*act.wants, *act.may)
    return {"act": step["act"]} | {
        name: str(step[name]) for name in known if step.get(name) not in (None, "")
    }


def _step_errors(
    actor: Actor, step: Mapping[str, Any], known: Mapping[str, Workflow]
) -> dict[str, Text]:
    if step.get("act") not in STEPS:
        names = ", ".join(STEPS)
        return {"act": _("There is no such act. There are: %(names)s.") % {"names": names}}
    found: dict[str, Text] = dict(wrong(actor, step))
    if step["act"] == "move" and not found:
        lacking = lacking_move(actor, str(step["move"]), known)
        if lacking:
            found["move"] = lacking
    return found


def lacking_move(actor: Actor, move: str, known: Mapping[str, Workflow]) -> str:
    """Which of the named types has no such move; of none named, whether any type has it."""
    without = [code for code, workflow in known.items() if workflow.move(move) is None]
    if without:
        text = _("The move “%(move)s” does not exist in: %(types)s.")
        return text % {"move": move, "types": ", ".join(without)}
    if not known:
        rows = CaseTypeVersion.objects.filter(
            case_type__organisation=actor.organisation_id, status=CaseTypeVersion.Status.PUBLISHED
        )
        if not any(of_version(row.bundle).move(move) for row in rows):
            return _("No case type has the move “%(move)s”.") % {"move": move}
    return ""


def _taken(row: Macro) -> bool:
    rows = Macro.objects.unscoped("a name once in its place").exclude(pk=row.pk)
    same = rows.filter(organisation=row.organisation_id, owner=row.owner_id, unit=row.unit)
    return same.filter(name=row.name, retired_at=None).exists()


def _save(row: Macro) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # somebody took the name in this very moment
        raise Invalid(errors={"name": [_("There is already a macro of this name.")]}) from None

"""Macros in the console: run on a case, with what they will do said before; their list and editor."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import answers, selectors
from cases import macros as reading
from cases.macro_forms import MacroForm, acts_given, ask_form, initial_of, told_by
from cases.macro_words import LABELS
from cases.models import Macro
from cases.permissions import CHANGE_CASE, SHARE_VIEW
from cases.presenting import row_of
from cases.services import macros as verbs
from cases.services.macro_steps import STEPS
from crm.audit.record import record_part
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, DomainError, Invalid, Refused
from crm.kit.models import uuid7
from crm.kit.policy import Decision

ACTS = [(code, LABELS[code]) for code in LABELS]


# --- On a case ------------------------------------------------------------------------------------


@require_GET
@needs(CHANGE_CASE)
def of_case(request: ActorRequest, case: UUID) -> HttpResponse:
    """The macros that fit the case, for its page, the palette and the keys."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "macros")
    context = {"case": row, "macros": reading.macros_for(request.actor, row)}
    return render(request, "cases/_case_macros.html", context)


@require_http_methods(["GET", "POST"])
@needs(CHANGE_CASE)
def run(request: ActorRequest, case: UUID, macro: UUID) -> HttpResponse:
    """What the macro would do here, what it asks and what stands in its way; then it is done."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    found = reading.macros(actor).get_or_refuse(uuid=macro)
    record_part(actor, row, "macros")
    data = request.POST if request.method == "POST" else None
    extra, plan, asking = _answered(request, case, macro, data)
    ready = asking is None and not any(one.refusal or one.asks for one in plan)
    status, refusal = (422 if data is not None and not ready else 200), ""
    if data is not None and ready:
        try:
            verbs.run_macro(actor, case, macro, extra, key=_key(request))
        except (Conflict, Invalid, Refused) as error:
            status, refusal = error.status, error.in_a_line
        else:
            messages.success(request, _("Done: %(macro)s.") % {"macro": found.name})
            return HttpResponseRedirect(_after(request, case))
    context = {
        "case": row,
        "row": row_of(actor, row),
        "macro": found,
        "plan": plan,
        "refusal": refusal or next((one.refusal for one in plan if one.refusal), ""),
        "asking": asking,
        "known": _kept(data, asking),
        "key": request.POST.get("idempotency_key") or uuid7(),
    }
    return render(request, "cases/macro_run.html", context, status=status)


def _answered(request: ActorRequest, case: UUID, macro: UUID, data: Any) -> Any:
    """What was answered so far, the plan with it, and the form of the step that asks next."""
    extra: dict[int, dict[str, Any]] = {}
    for _round in range(verbs.MOST_STEPS + 1):
        plan = verbs.try_macro(request.actor, case, macro, extra)
        step = next((one for one in plan if one.asks), None)
        if step is None:
            return extra, plan, None
        sent = data is not None and any(name.startswith(f"s{step.number}-") for name in data)
        form = ask_form(step, data if sent else None)
        if not sent or not form.is_valid() or step.number in extra:
            return extra, plan, form
        extra[step.number] = told_by(form)
    return extra, plan, None


def _kept(data: Any, asking: Any) -> list[tuple[str, str]]:
    """What was answered to steps before the one that asks now: sent again with its answer."""
    if data is None:
        return []
    prefix = f"{asking.prefix}-" if asking is not None else "-"
    return [
        (name, value)
        for name, values in data.lists()
        for value in values
        if name[:1] == "s" and "-" in name and not name.startswith(prefix)
    ]


def _key(request: ActorRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("idempotency_key", ""))
    except ValueError:
        return None


def _after(request: ActorRequest, case: UUID) -> str:
    """Back to the case, unless its macro has moved it out of sight."""
    if selectors.exists(request.actor, case):
        return reverse("cases:detail", args=[case])
    return reverse("cases:list")


# --- The list and the editor ----------------------------------------------------------------------


@require_GET
@needs(None)
def macro_list(request: ActorRequest) -> HttpResponse:
    """The macros in use, with their acts and one's own keys."""
    actor = request.actor
    found = reading.macros(actor).order_by("name", "pk")
    context = {
        "macros": [
            {"macro": row, "acts": [LABELS[step["act"]] for step in row.steps]} for row in found
        ],
        "may_write": _may_write(request),
    }
    return render(request, "cases/macros.html", context)


def _may_write(request: ActorRequest) -> bool:
    return answers.may_write_own(request.actor) or request.actor.holds(SHARE_VIEW)


@require_http_methods(["GET", "POST"])
@needs(None)
def new_macro(request: ActorRequest) -> HttpResponse:
    """A new macro."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@needs(None)
def macro(request: ActorRequest, macro: UUID) -> HttpResponse:
    """One macro: read, and changed by whoever may."""
    return _edit(request, reading.macros(request.actor).get_or_refuse(uuid=macro))


def _edit(request: ActorRequest, row: Macro | None) -> HttpResponse:
    actor, do = request.actor, request.POST.get("do", "save")
    usual = "own" if answers.may_write_own(actor) else "organisation"
    if request.method != "POST":
        acts = [step["act"] for step in row.steps] if row else []
        initial = initial_of(row) if row else {"audience": usual}
        return _page(request, MacroForm(actor=actor, acts=acts, macro=row, initial=initial), row)
    acts = acts_given(request.POST)
    if do != "save":  # a step is added, moved or removed; nothing is kept yet
        acts, initial = _reordered(request, acts, do)
        return _page(request, MacroForm(actor=actor, acts=acts, macro=row, initial=initial), row)
    form = MacroForm(request.POST, actor=actor, acts=acts, macro=row)
    if form.is_valid():
        try:
            said = form.said()
            if row is None:
                row = verbs.create_macro(actor, said)
            else:
                verbs.change_macro(actor, row.uuid, said, version=form.cleaned_data["version"])
        except (Invalid, Conflict) as error:
            form.refused(error)
            if isinstance(error, Conflict) and row is not None:  # saving again puts it over theirs
                form.data = form.data.copy()  # type: ignore[attr-defined]
                form.data["version"] = row.version  # type: ignore[index]
            return _page(request, form, row, error.status)
        messages.success(request, _("The macro has been saved."))
        return HttpResponseRedirect(reverse("cases:macro", args=[row.uuid]))
    return _page(request, form, row, 422)


def _reordered(request: ActorRequest, acts: list[str], do: str) -> tuple[list[str], dict[str, Any]]:
    """The steps as they shall stand now, with everything that was typed in them."""
    data = request.POST
    steps = [
        (
            act,
            {
                name: data.get(f"s{number}.{name}", "")
                for name in (*STEPS[act].wants, *STEPS[act].may)
            },
        )
        for number, act in enumerate(acts, start=1)
    ]
    what, _dash, place = do.partition("-")
    at = int(place) - 1 if place.isascii() and place.isdigit() else -1
    if what == "add" and data.get("new") in STEPS and len(steps) < verbs.MOST_STEPS:
        steps.append((data["new"], {}))
    elif what == "remove" and 0 <= at < len(steps):
        del steps[at]
    elif what == "up" and 1 <= at < len(steps):
        steps.insert(at - 1, steps.pop(at))
    initial: dict[str, Any] = {
        name: data.get(name, "") for name in ("name", "audience", "unit", "version")
    }
    initial |= {name: data.getlist(name) for name in ("case_types", "states")}
    for number, (_act, given) in enumerate(steps, start=1):
        initial |= {f"s{number}.{name}": value for name, value in given.items()}
    return [act for act, _given in steps], initial


def _page(request: ActorRequest, form: MacroForm, row: Any, status: int = 200) -> HttpResponse:
    change = reading.may_change(request.actor, row) if row else Decision(_may_write(request))
    context = {
        "form": form,
        "macro": row,
        "acts": ACTS,
        "change": change,
        "full": len(form.acts) >= verbs.MOST_STEPS,
        "person": request.actor.user_id is not None,
    }
    return render(request, "cases/macro.html", context, status=status)


@require_POST
@needs(None)
def retire_macro(request: ActorRequest, macro: UUID) -> HttpResponse:
    """« Retirar »."""
    verbs.retire_macro(request.actor, macro)
    messages.success(request, _("The macro is retired: it is offered no more."))
    return HttpResponseRedirect(reverse("cases:macros"))


@require_POST
@needs(None)
def macro_key(request: ActorRequest, macro: UUID) -> HttpResponse:
    """One's own key for it."""
    try:
        verbs.set_key(request.actor, macro, request.POST.get("sign", ""))
    except DomainError as error:
        if not isinstance(error, Invalid):
            raise
        messages.error(request, error.in_a_line)
    else:
        messages.success(request, _("Your key has been kept."))
    return HttpResponseRedirect(reverse("cases:macro", args=[macro]))

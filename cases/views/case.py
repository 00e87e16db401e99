"""The page of a case: its story, data, documents, relations and record."""

from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from cases import handover, selectors, services, timeline
from cases.answers import spoken_names
from cases.clocks import EXTENDS, SUSPENDS, clock
from cases.drafts import drafts_on
from cases.forms import EditCaseForm, MoveForm, show_errors
from cases.models import (
    Application,
    Case,
    Confidentiality,
    Document,
    Draft,
    Link,
    StateCategory,
)
from cases.permissions import (
    ASSIGN_CASE,
    CHANGE_CASE,
    CHANGE_CLOCK,
    ENDED,
    MERGE_CASE,
    TRANSFER_CASE,
    VIEW_CASE,
    VIEW_SPECIAL,
)
from cases.presenting import asks_in_words, named, row_of, rows_of
from cases.represented import notified, representatives_of
from cases.silence import Silence, procedure_of, silence
from cases.tasklists import Due, due_in, obstacles_of
from cases.timeline import Asked, shown
from cases.usual_messages import offered
from cases.views.merging import part_of
from cases.views.opening import chosen_citizen
from cases.workflow import OUTCOME, REASON, RESULT, Workflow, allowed_moves, of_version
from crm.audit import words
from crm.audit.models import AuditEntry
from crm.audit.permissions import VIEW_ENTRY
from crm.audit.record import record, record_part
from crm.citizens.models import Channel
from crm.citizens.permissions import VIEW_CITIZEN
from crm.citizens.selectors import shown_name
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.kit.models import StreamHead
from crm.kit.policy import Decision, decide
from crm.kit.prepared import by_key
from crm.organisations.calendars import Calendar
from crm.organisations.services import calendar_for

TABS = {
    "historia": gettext_lazy("History"),
    "datos": gettext_lazy("Data"),
    "documentos": gettext_lazy("Documents"),
    "tareas": gettext_lazy("Tasks"),
    "relaciones": gettext_lazy("Participants and relations"),
    "registro": gettext_lazy("Record"),
}
MODES = set(Draft.Kind)
RECORD_ROWS = 100
OTHERS = 5


@require_GET
@needs(VIEW_CASE)
@by_key()
def detail(request: ActorRequest, case: UUID) -> HttpResponse:
    """The whole page; one entry "viewed" says who opened it."""
    actor = request.actor
    try:
        row = selectors.case_of(actor, case)
    except NotFound:
        gone = handover.given_away(actor, case)
        if gone is None:
            raise
        return HttpResponseRedirect(reverse("cases:transfer", args=[gone.uuid]))
    merge = part_of(request, row)
    if merge is not None and "unido" not in request.GET:  # its number leads on
        told = _("%(reference)s was merged into this case.") % {"reference": row.reference}
        messages.info(request, told)
        return HttpResponseRedirect(reverse("cases:detail", args=[merge.survivor.uuid]))
    record(actor.about(row.citizen_id), "viewed", row)
    documents = selectors.documents_of(actor, row)
    participants = selectors.participants_of(actor, row)
    links = selectors.links_of(actor, row)
    relations = len(links) + sum(1 for one, _name in participants if one.ended_at is None)
    workflow = of_version(row.type_version.bundle)
    head = _head(actor, row)
    context = {
        **head,
        **_story(request, actor, row),
        "tabs": _tabs(actor, len(documents), relations, len(head["left"])),
        "fields": _fields(row, workflow),
        "result": getattr(row, "result", None),
        "merge": merge,
        "application": _application(actor, row),
        "documents": documents,
        "participants": participants,
        "links": links,
        "roles": workflow.role_choices(),
        "link_kinds": Link.Kind.choices,
        "origins": Document.Origin.choices,
        "max_bytes": settings.FILES_MAX_BYTES,
        "max_size": f"{settings.FILES_MAX_BYTES // (1024 * 1024)} MB",
        "stream_after": _stream_number(row),
        "user_id": actor.user_id,
        "recipient": _recipient(actor, row),
        "usual": offered(row, workflow, request.GET.get("tras", "")),
        "variables": spoken_names(),
        "channels": Channel.choices,
        "drafts": drafts_on(actor, row),
        "write": request.GET.get("escribir", "") if request.GET.get("escribir") in MODES else "",
        "may_see_citizen": actor.holds(VIEW_CITIZEN),
        "may_consult": actor.holds(VIEW_CITIZEN) and actor.holds(CONSULT_SYSTEMS),
        "other_cases": rows_of(actor, _others(actor, row)),
        "attended": actor.attended(row.citizen_id),
        "representatives": representatives_of(actor, row, participants),
    }
    return render(request, "cases/detail.html", context)


@require_GET
@needs(VIEW_CASE)
def story(request: ActorRequest, case: UUID) -> HttpResponse:
    """A part of the story: what came before a place, or all anew after something happened."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    record_part(actor, row, "story")
    context = _story(request, actor, row)
    if request.GET.get("antes"):
        return render(request, "cases/_story_page.html", context)
    return render(request, "cases/_live.html", {**context, **_head(actor, row)})


@require_GET
@needs(VIEW_ENTRY)
def case_record(request: ActorRequest, case: UUID) -> HttpResponse:
    """Who did and saw what in this case, from the audit trail."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "record")
    entries = AuditEntry.objects.for_actor(request.actor).filter(
        object_type="cases.case", object_id=str(row.uuid)
    )
    newest = entries.order_by("-at", "-id")[:RECORD_ROWS]
    context = {"case": row, "entries": [(entry, words.sentence(entry)) for entry in newest]}
    return render(request, "cases/_record.html", context)


@require_http_methods(["GET", "POST"])
@needs(CHANGE_CASE)
def edit(request: ActorRequest, case: UUID) -> HttpResponse:
    """Editing a case. Who is late is told what changed meanwhile and keeps everything typed."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    if row.ended and request.method != "POST":  # a POST gives back what was typed, with the reason
        messages.error(request, ENDED)
        return HttpResponseRedirect(reverse("cases:detail", args=[case]))
    workflow = of_version(row.type_version.bundle)
    form = EditCaseForm(request.POST or None, case=row, workflow=workflow)
    context: dict[str, Any] = {"case": row, "form": form, "row": row_of(actor, row)}
    record_part(actor, row, "data")
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            began = form.cleaned_data["version"]
            meanwhile = timeline.told_since(row, began)
            try:
                services.edit_case(actor, case, form.said(), version=began)
            except Invalid as error:
                show_errors(form, error)
            except Conflict as error:
                status = 409
                context |= _conflict(actor, form, row, error)
            else:
                messages.success(request, _("The case has been saved."))
                if meanwhile:
                    told = _("What others changed meanwhile was kept: %(changes)s.")
                    messages.info(request, told % {"changes": "; ".join(meanwhile)})
                return HttpResponseRedirect(reverse("cases:detail", args=[case]))
    context |= {
        "stream_after": _stream_number(row),
        "citizen": chosen_citizen(actor, form["citizen"].value()),
        "map_start": partial(selectors.map_start, actor),
        "may_search": actor.holds(VIEW_CITIZEN),
    }
    return render(request, "cases/edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@needs(VIEW_CASE)
def move(request: ActorRequest, case: UUID, move: str) -> HttpResponse:
    """One move: asks for what it requires and makes it."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    workflow = of_version(row.type_version.bundle)
    chosen = workflow.move(move)
    if chosen is None:
        raise NotFound
    record_part(actor, row, "move")
    asks = workflow.asks(chosen, row)
    form = MoveForm(request.POST or None, case=row, move=chosen, asks=asks, workflow=workflow)
    status, conflict = 422 if form.is_bound else 200, None
    ends = workflow.target_of(chosen).category >= StateCategory.RESOLVED
    if request.method == "POST" and form.is_valid():
        try:
            services.move_case(
                actor,
                case,
                move,
                reason=form.cleaned_data.get(REASON, ""),
                outcome=form.cleaned_data.get(OUTCOME, ""),
                result=form.cleaned_data.get(RESULT, ""),
                data=form.cleaned_case_data(),
                despite_open="despite_open" in request.POST,
            )
        except Invalid as error:
            show_errors(form, error)
        except Conflict as error:
            if not asks and error.code != "tasks_open":
                messages.error(request, str(error))
                return HttpResponseRedirect(reverse("cases:detail", args=[case]))
            status, conflict = error.status, error
        else:
            target = workflow.target_of(chosen).name
            messages.success(request, _("The case is now: %(state)s.") % {"state": target})
            _warn_of_open_parts(request, row, ends=ends)
            ready = any(move in one.moves for one in workflow.messages)
            after = f"?{urlencode({'tras': move})}#composer" if ready else ""
            return HttpResponseRedirect(reverse("cases:detail", args=[case]) + after)
    stands = obstacles_of(row, workflow.target_of(chosen), due_in(row))
    context = {
        "case": row,
        "caution": "" if stands.refusal else stands.caution,
        "obstacle": stands.refusal,
        "row": row_of(actor, row),
        "move": chosen,
        "target": workflow.target_of(chosen),
        "form": form,
        "decision": decide(actor, chosen.permission, row)
        if row.state in chosen.sources
        else Decision(False, _("The case is no longer in a state from which this is possible.")),
        "conflict": conflict,
        "parts": selectors.open_parts(actor, row) if ends else [],
        "changes": timeline.told_since(row, form.seen()) if conflict else [],
    }
    return render(request, "cases/move.html", context, status=status)


# --- Parts of the page --------------------------------------------------------------------------


def _warn_of_open_parts(request: ActorRequest, row: Case, *, ends: bool) -> None:
    """A case is best ended after those that are part of it."""
    if parts := selectors.open_parts(request.actor, row) if ends else []:
        text = _("Cases that are part of this one are still open: %(references)s.")
        messages.warning(request, text % {"references": ", ".join(p.reference for p in parts)})


def _head(actor: Actor, case: Case) -> dict[str, Any]:
    """What stands over the tabs, and what may be done."""
    change = decide(actor, CHANGE_CASE, case)
    working = change if not case.ended else Decision(False, ENDED)
    assign = decide(actor, ASSIGN_CASE, case)
    mine = case.assignee_id is not None and case.assignee_id == actor.user_id
    calendar = calendar_for(case.unit)
    left = due_in(case)
    return {
        "left": left,
        "case": case,
        "row": row_of(actor, case),
        "moves": _moves(actor, case, left),
        "change": change,
        "working": working,
        "assign": assign,
        "transfer": decide(actor, TRANSFER_CASE, case),
        "may_special": actor.reach(VIEW_SPECIAL).covers(case.unit_id),
        "people": list(selectors.people_who_see(actor, case)) if assign else [],
        "units": selectors.all_units(actor) if decide(actor, TRANSFER_CASE, case) else [],
        "levels": Confidentiality.choices,
        "may_take": working.allowed and case.assignee_id is None and actor.user_id is not None,
        "may_release": (mine and working.allowed) or (case.assignee_id and assign.allowed),
        "big_clock": clock(case, calendar),
        "targets": selectors.latest_targets(actor, case, timezone.now()),
        "has_term": of_version(case.type_version.bundle).term is not None,
        "silence": _silence(case, calendar),
        "papers": selectors.papers_waited_for(actor, case),
        "term_over": case.due_at is not None and case.due_at < timezone.now(),
        "clock_change": decide(actor, CHANGE_CLOCK, case),
        "may_merge": decide(actor, MERGE_CASE, case),
        "suspends": SUSPENDS.items(),
        "extends": EXTENDS.items(),
        "today": timezone.now().astimezone(calendar.zone).date(),
        "pending": handover.pending_of(case),
    }


def _silence(case: Case, calendar: Calendar) -> Silence | None:
    """Asked for once the term has passed: before, who unfolds the deadline reads it there."""
    if case.due_at is None or case.due_at >= (case.closed_at or timezone.now()):
        return None
    return silence(case, procedure_of(case), calendar, timezone.now())


def _moves(actor: Actor, case: Case, left: list[Due]) -> list[dict[str, Any]]:
    workflow = of_version(case.type_version.bundle)
    found = [(one, obstacles_of(case, one.target, left)) for one in allowed_moves(actor, case)]
    return [
        {
            "code": possible.move.code,
            "name": possible.move.name,
            "category": possible.target.category.name.lower(),
            "refusal": stands.refusal if possible.decision else possible.decision.reason,
            "caution": stands.caution,
            "missing": asks_in_words(workflow, possible.asks),
        }
        for possible, stands in found
    ]


def _fields(case: Case, workflow: Workflow) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the type asks, by section, as it was answered; not what is not asked of this case."""
    asked = workflow.fields.shown(case.data)
    return [
        (
            section.title,
            [
                (field.label, shown(field.said(case.data.get(field.name))))
                for field in section.fields
                if field.name in asked
            ],
        )
        for section in workflow.fields.sections
        if any(field.name in asked for field in section.fields)
    ]


def _others(actor: Actor, case: Case) -> list[Case]:
    if case.citizen is None:
        return []
    found = selectors.cases_of_citizen(actor, case.citizen, limit=OTHERS + 1)
    return [other for other in found if other.pk != case.pk][:OTHERS]


def _application(actor: Actor, case: Case) -> Application | None:
    """What a citizen filed by themselves."""
    if case.channel != Channel.WEB_FORM:
        return None
    return Application.objects.for_actor(actor).filter(case=case).first()


def _tabs(actor: Actor, documents: int, relations: int, tasks: int) -> list[dict[str, Any]]:
    counts = {"documentos": documents, "relaciones": relations, "tareas": tasks}
    return [
        {"id": key, "label": label, "count": counts.get(key, 0)}
        for key, label in TABS.items()
        if key != "registro" or actor.holds(VIEW_ENTRY)
    ]


def _story(request: ActorRequest, actor: Actor, case: Case) -> dict[str, Any]:
    groups = frozenset(request.GET.getlist("ver")) & set(timeline.GROUPS)
    newest_first = request.GET.get("orden") == "reciente"
    asked = Asked(groups=groups, newest_first=True, after=request.GET.get("antes", ""))
    found = timeline.story(actor, case, asked)
    more = len(found) > timeline.SIZE
    entries = found[: timeline.SIZE]
    query = request.GET.copy()
    query["antes"] = entries[-1].sort if more else ""
    return {
        "case": case,
        "entries": entries if newest_first else entries[::-1],
        "newest_first": newest_first,
        "earlier_url": f"{reverse('cases:story', args=[case.uuid])}?{query.urlencode()}"
        if more
        else "",
        "groups": [(key, label, key in groups) for key, label in timeline.GROUPS.items()],
        "story_query": request.GET.urlencode(),
        "story_whole": not groups,
    }


def _stream_number(case: Case) -> int:
    """From where the page follows the case's live stream."""
    head = StreamHead.objects.filter(stream=f"case:{case.uuid}").values_list("seq", flat=True)
    return head.first() or 0


def _recipient(actor: Actor, case: Case) -> str:
    through = notified(actor, case)
    address = services.address_for(actor, case, through)
    if case.citizen is None:
        if address:
            told = _("%(address)s will receive it by e-mail. Nobody has checked who that is.")
            return told % {"address": address}
        return _("This case has no citizen yet: what you write is only recorded.")
    name = named(case.citizen)
    if through.holder is not None and address == through.address:
        told = _("%(holder)s, who represents %(name)s, will receive it by e-mail.")
        holder = shown_name(actor, through.holder)
        return told % {"holder": holder, "name": name}
    if address:
        return _("%(name)s will receive it by e-mail.") % {"name": name}
    return _("%(name)s has no e-mail address here: it is only recorded.") % {"name": name}


def _conflict(actor: Actor, form: EditCaseForm, case: Case, error: Conflict) -> dict[str, Any]:
    """Who changed what meanwhile; the form shows at each field that both changed what both say."""
    both = error.details.get("both", {})
    changes = timeline.told_since(case, form.cleaned_data["version"])
    form.reconcile(both, error.details.get("kept", ()))
    now = []
    if "citizen" in both:
        name = shown_name(actor, case.citizen) if case.citizen else ""
        now.append((str(timeline.FIELD_LABELS["citizen"]), shown(name)))
    return {"conflict": error, "changes": changes, "now": now, "both": bool(both)}

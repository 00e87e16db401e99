"""One act on many cases: choose, preview, start, follow, and the file of what was refused."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from cases import selectors
from cases.forms import show_errors
from cases.models import BulkAction, Case
from cases.permissions import RUN_BULK
from cases.services.bulk import (
    ASSIGN,
    MOST_CASES,
    MOVE,
    Bulk,
    chosen_cases,
    preview_bulk,
    progress,
    start_bulk,
)
from cases.views.lists import list_filter
from cases.workflow import of_version
from crm.audit.record import record
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.csvfile import download
from crm.kit.errors import Invalid

MOST_MOVES_LOOKED_AT = 500


class BulkForm(forms.Form):
    """What is to be done with the chosen cases."""

    scope = forms.ChoiceField(
        label=gettext_lazy("Which cases"),
        choices=[
            ("ticked", gettext_lazy("Those selected")),
            ("filter", gettext_lazy("All those of the list")),
        ],
        widget=forms.RadioSelect,
        initial="ticked",
    )
    action = forms.ChoiceField(choices=[(ASSIGN, ASSIGN), (MOVE, MOVE)], widget=forms.HiddenInput)
    person = forms.TypedChoiceField(
        label=gettext_lazy("Assign to"), coerce=UUID, empty_value=None, required=False
    )
    move = forms.ChoiceField(label=gettext_lazy("Move"), required=False)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=1_000, required=False)
    outcome = forms.CharField(label=gettext_lazy("Outcome"), max_length=240, required=False)
    filter = forms.CharField(required=False, widget=forms.HiddenInput, max_length=20_000)

    def __init__(self, *args: Any, actor: Actor, cases: QuerySet[Case], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        action = self.data.get("action")
        if action == ASSIGN:
            people = selectors.people_of(actor)
            choices = [("", "—"), *((user.uuid, user.full_name) for user in people)]
            self.fields["person"].choices = choices  # type: ignore[attr-defined]
            for name in ("move", "reason", "outcome"):
                del self.fields[name]
        else:
            self.fields["move"].choices = [("", "—"), *_moves(cases)]  # type: ignore[attr-defined]
            del self.fields["person"]

    def bulk(self) -> Bulk:
        """What the form asks for."""
        said = self.cleaned_data
        return Bulk(
            action=said["action"],
            person=said.get("person"),
            move=said.get("move", ""),
            reason=said.get("reason", ""),
            outcome=said.get("outcome", ""),
        )

    def clean(self) -> dict[str, Any]:
        """An act needs its object."""
        said = super().clean() or {}
        wanted = "person" if said.get("action") == ASSIGN else "move"
        if not said.get(wanted) and "ready" in self.data:
            self.add_error(wanted, _("This field is required."))
        return said


@require_POST
@needs(RUN_BULK)
def prepare(request: ActorRequest) -> HttpResponse:
    """Choosing what to do, with a preview of what would be refused; started from there."""
    actor = request.actor
    ticked = _ticked(request.POST)
    by_filter = request.POST.get("scope") == "filter"
    asked = list_filter(actor, QueryDict(request.POST.get("filter", ""))) if by_filter else None
    cases = chosen_cases(actor, ticked, asked)
    form = BulkForm(request.POST.copy(), actor=actor, cases=cases)
    form.data.setdefault("scope", "ticked")  # type: ignore[attr-defined]
    context: dict[str, Any] = {"form": form, "ticked": ticked, "most": MOST_CASES}
    if form.is_valid() and "ready" in request.POST:
        try:
            if request.POST["ready"] == "start":
                action = start_bulk(actor, cases, form.bulk())
                return HttpResponseRedirect(reverse("cases:bulk", args=[action.uuid]))
            context["preview"] = preview_bulk(actor, cases, form.bulk())
        except Invalid as error:
            show_errors(form, error)
    return render(request, "cases/bulk_prepare.html", context, status=422 if form.errors else 200)


@require_GET
@needs(RUN_BULK)
def follow(request: ActorRequest, action: UUID) -> HttpResponse:
    """How far it is, and at the end what was done and refused."""
    row = _action(request.actor, action)
    context = {
        "action": row,
        "progress": progress(row),
        "stream": f"bulk:{row.uuid}",
        "refused": len(row.refusals),
        "refusals": row.refusals[:50],
    }
    return render(request, "cases/bulk.html", context)


@require_GET
@needs(RUN_BULK)
def bulk_progress(request: ActorRequest, action: UUID) -> JsonResponse:
    """The same as the live stream says, for when the link is down."""
    return JsonResponse(progress(_action(request.actor, action)))


@require_GET
@needs(RUN_BULK)
def refusals(request: ActorRequest, action: UUID) -> HttpResponseBase:
    """What was refused and why, as a file that a spreadsheet can open without harm."""
    row = _action(request.actor, action)
    record(request.actor, "exported", row, refused=len(row.refusals))
    found = ((refusal["reference"], refusal["reason"]) for refusal in row.refusals)
    return download("rechazos.csv", [_("Case number"), _("Reason")], found)


def _action(actor: Actor, action: UUID) -> BulkAction:
    """An action is its requester's."""
    return BulkAction.objects.for_actor(actor).get_or_refuse(
        uuid=action, requested_by=actor.user_id
    )


def _ticked(posted: QueryDict) -> list[UUID]:
    found = []
    for text in posted.getlist("case"):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _moves(cases: QuerySet[Case]) -> list[tuple[str, str]]:
    """The moves that lead on from some of the cases."""
    found: dict[str, str] = {}
    seen = cases.prefetch_related("type_version").only("state", "type_version")
    for case in seen[:MOST_MOVES_LOOKED_AT]:
        for move in of_version(case.type_version.bundle).moves_from(case.state):
            found.setdefault(move.code, move.name)
    return sorted(found.items(), key=lambda item: item[1])

"""The pages by which cases are merged, parted again and split."""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases import selectors
from cases.merge_forms import THIS, MergeCasesForm, SplitForm, UndoCaseMergeForm
from cases.models import Case, CaseMerge, Message, Note
from cases.permissions import MERGE_CASE
from cases.presenting import rows_of
from cases.services import merging
from crm.audit.record import record_part
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid
from crm.kit.policy import require

GET_OR_POST = ["GET", "HEAD", "POST"]
MOST = 200


@require_http_methods(GET_OR_POST)
@needs(MERGE_CASE)
def merge(request: ActorRequest, case: UUID) -> HttpResponse:
    """With which case this one is merged, and which stays; the citizen's other cases are at hand."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    require(actor, MERGE_CASE, row)
    initial = {"reference": request.GET.get("numero", "")[:40]}
    form = MergeCasesForm(request.POST if request.method == "POST" else None, initial=initial)
    status, made = HTTPStatus.OK, None

    def save() -> None:
        nonlocal made
        other = selectors.by_reference(actor, form.cleaned_data["reference"])
        if other is None:
            raise Invalid(errors={"reference": [_("There is no such case.")]})
        here = form.cleaned_data["stays"] == THIS
        gone, stays = (other, row) if here else (row, other)
        made = merging.merge_cases(actor, gone.uuid, stays.uuid, reason=form.cleaned_data["reason"])

    if request.method == "POST":
        status = form.saved(save)
        if made is not None:
            messages.success(request, _("The two cases are one. The old number leads here."))
            return redirect("cases:detail", made.survivor.uuid)
    else:
        record_part(actor, row, "merge")
    context = {"case": row, "form": form, "others": rows_of(actor, _others(request, row))}
    return render(request, "cases/merge.html", context, status=status)


def _others(request: ActorRequest, row: Case) -> list[Case]:
    if row.citizen is None:
        return []
    found = selectors.cases_of_citizen(request.actor, row.citizen, limit=10)
    return [one for one in found if one.pk != row.pk and one.citizen_id == row.citizen_id]


@require_http_methods(GET_OR_POST)
@needs(MERGE_CASE)
def undo(request: ActorRequest, merge: UUID) -> HttpResponse:
    """What would go where if a merge of cases were taken back, and taking it back."""
    actor = request.actor
    found = merging.merge_of(actor, merge)
    form = UndoCaseMergeForm(request.POST if request.method == "POST" else None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = form.saved(
            lambda: merging.undo_case_merge(actor, merge, reason=form.cleaned_data["reason"])
        )
        if status == HTTPStatus.OK:
            messages.success(request, _("The cases are two again."))
            return redirect("cases:detail", found.merged.uuid)
    else:
        record_part(actor, found.survivor, "merge")
    preview = merging.preview_case_undo(actor, merge)
    context = {"merge": found, "form": form, "preview": preview}
    return render(request, "cases/unmerge.html", context, status=status)


@require_http_methods(GET_OR_POST)
@needs(MERGE_CASE)
def split(request: ActorRequest, case: UUID) -> HttpResponse:
    """What of a case goes to a case of its own."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    require(actor, MERGE_CASE, row)
    form = SplitForm(
        request.POST if request.method == "POST" else None,
        Message.objects.for_actor(actor).filter(case=row).order_by("created_at")[:MOST],
        Note.objects.for_actor(actor).filter(case=row).order_by("created_at")[:MOST],
        selectors.documents_of(actor, row)[:MOST],
    )
    status, made = HTTPStatus.OK, None

    def save() -> None:
        nonlocal made
        made = merging.split_case(
            actor,
            case,
            subject=form.cleaned_data["subject"],
            reason=form.cleaned_data["reason"],
            **{
                name: [UUID(text) for text in form.cleaned_data.get(name, ())]
                for name in ("messages", "notes", "documents")
            },
        )

    if request.method == "POST":
        status = form.saved(save)
        if made is not None:
            messages.success(request, _("What you chose is in a case of its own."))
            return redirect("cases:detail", made.uuid)
    else:
        record_part(actor, row, "split")
    return render(request, "cases/split.html", {"case": row, "form": form}, status=status)


def part_of(request: ActorRequest, row: Case) -> CaseMerge | None:
    """The merge by which a case is part of another that the actor may see."""
    if not row.ended:
        return None
    merges = CaseMerge.objects.for_actor(request.actor).filter(
        merged=row,
        kind=CaseMerge.Kind.MERGE,
        undone_at=None,
        survivor__in=Case.objects.for_actor(request.actor),
    )
    return merges.select_related("survivor").first()

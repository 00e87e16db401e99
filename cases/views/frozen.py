"""Pages of answers kept in a case: keeping one, their list, one as it was shown."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cases import frozen, selectors
from cases.permissions import CHANGE_CASE, VIEW_CASE
from cases.services import freezing
from crm.audit.record import record_part
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid


@require_POST
@needs(CHANGE_CASE)
def freeze(request: ActorRequest) -> HttpResponse:
    """Keep in a case what was shown, and go to the case."""
    try:
        case = UUID(request.POST.get("case", ""))
    except ValueError as error:
        raise Invalid(errors={"case": [_("Choose a case.")]}) from error
    row = freezing.freeze(request.actor, case, request.POST.get("shown", ""))
    told = _("Kept in the case %(reference)s: %(source)s.")
    messages.success(request, told % {"reference": row.case.reference, "source": row.source})
    return HttpResponseRedirect(reverse("cases:frozen", args=[case, row.uuid]))


@require_GET
@needs(VIEW_CASE)
def frozen_list(request: ActorRequest, case: UUID) -> HttpResponse:
    """The answers kept in the case: a part of its page."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "frozen")
    context = {"case": row, "frozen": frozen.of_case(request.actor, row)}
    return render(request, "cases/_frozen_list.html", context)


@require_GET
@needs(CONSULT_SYSTEMS)
def frozen_answer(request: ActorRequest, case: UUID, answer: UUID) -> HttpResponse:
    """One answer as it was shown."""
    row = freezing.open_frozen(request.actor, case, answer)
    context = {"case": row.case, "frozen": row, "rows": frozen.rows_in_words(row)}
    return render(request, "cases/frozen.html", context)

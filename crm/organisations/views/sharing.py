"""Agreements with other organisations on data of citizens."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid
from crm.kit.policy import decide
from crm.organisations import services
from crm.organisations.calendars import ONE_DAY
from crm.organisations.forms import AgreementForm
from crm.organisations.models import DataClass, Organisation, SharingAgreement
from crm.organisations.permissions import MANAGE_SHARING
from crm.organisations.views.settings import GET_OR_POST


@require_safe
@needs(MANAGE_SHARING)
def agreements(request: ActorRequest) -> HttpResponse:
    """What the organisation shares and what is shared with it."""
    today = timezone.localdate()
    names = dict(DataClass.choices)
    rows = (
        SharingAgreement.objects.for_actor(request.actor)
        .select_related("giver", "receiver")
        .order_by("revoked_at", "-created_at")
    )
    organisation = Organisation.objects.for_actor(request.actor).get()
    context = {
        "agreements": [
            {
                "row": row,
                "given": row.giver_id == request.actor.organisation_id,
                "shared": [names[name] for name in row.data_classes if name in names],
                "in_force": row.revoked_at is None and today in row.valid,
                "last_day": row.valid.upper and row.valid.upper - ONE_DAY,
            }
            for row in rows
        ],
        "may": decide(request.actor, MANAGE_SHARING, organisation),
    }
    return render(request, "organisations/agreements.html", context)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_SHARING)
def new_agreement(request: ActorRequest) -> HttpResponse:
    """A new agreement."""
    others = (
        Organisation.objects.unscoped("any organisation can be the other party")
        .filter(is_active=True)
        .exclude(pk=request.actor.organisation_id)
        .order_by("name")
    )
    form = AgreementForm(
        request.POST or None, organisations=[(row.code, row.name) for row in others]
    )
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        try:
            services.make_agreement(request.actor, receiver_code=given.pop("receiver"), **given)
        except Invalid as error:
            form.refused(error)
        else:
            messages.success(request, _("The agreement is in the register."))
            return redirect("organisations:agreements")
    status = 422 if request.method == "POST" else 200
    return render(request, "organisations/new_agreement.html", {"form": form}, status=status)


@require_POST
@needs(MANAGE_SHARING)
def revoke(request: ActorRequest, agreement_id: UUID) -> HttpResponse:
    """Withdraw an agreement."""
    services.revoke_agreement(request.actor, agreement_id)
    messages.success(request, _("The agreement has been withdrawn."))
    return redirect("organisations:agreements")

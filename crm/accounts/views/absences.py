"""When somebody is away: their own page of it, or that of somebody of one's units."""

from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.accounts.access import ActorRequest, needs
from crm.accounts.forms import AbsenceForm
from crm.accounts.models import Absence
from crm.accounts.services import absences as services
from crm.kit.actor import Actor
from crm.kit.errors import Conflict

PAST = 10


@needs(None)
@require_http_methods(["GET", "POST"])
def absences(request: ActorRequest, user_id: UUID) -> HttpResponse:
    """The days away of one person, and recording more."""
    actor = request.actor
    membership = services.member_for(actor, user_id)
    form = AbsenceForm(request.POST or None, membership=membership)

    def save() -> None:
        said = form.cleaned_data
        services.record_absence(
            actor,
            user_id,
            first=said["first"],
            last=said["last"],
            substitute=said["substitute"].uuid if said["substitute"] else None,
            returns=said["returns"],
        )
        messages.success(request, _("Recorded."))

    status = 200
    if request.method == "POST":
        status = form.saved(save)
        if status == HTTPStatus.OK:
            return redirect("accounts:absences", user_id)
    now = timezone.now()
    rows = (
        Absence.objects.for_actor(actor).filter(user=membership.user).select_related("substitute")
    )
    shown = [_in_days(actor, row) for row in rows.order_by("-starts_at")]
    context = {
        "person": membership.user,
        "myself": membership.user_id == actor.user_id,
        "form": form,
        "coming": [row for row in reversed(shown) if row.absence.ends_at > now],
        "past": [row for row in shown if row.absence.ends_at <= now][:PAST],
        "now": now,
    }
    return render(request, "accounts/absences.html", context, status=status)


@needs(None)
@require_POST
def end_absence(request: ActorRequest, absence_id: UUID) -> HttpResponse:
    """Back, or not going."""
    row = (
        Absence.objects.for_actor(request.actor)
        .select_related("user")
        .get_or_refuse(uuid=absence_id)
    )
    try:
        services.end_absence(request.actor, absence_id)
        messages.success(request, _("The absence has been ended."))
    except Conflict as error:
        messages.error(request, str(error.message))
    return redirect("accounts:absences", row.user.uuid)


@dataclass(frozen=True)
class _Shown:
    """An absence as the page shows it: by days."""

    absence: Absence
    first: date
    last: date


def _in_days(actor: Actor, row: Absence) -> _Shown:
    first = services.local_day(actor, row.starts_at)
    return _Shown(row, first, services.local_day(actor, row.ends_at - services.ONE_SECOND))

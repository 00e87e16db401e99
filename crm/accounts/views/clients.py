"""Connected systems: their keys, what they may do, and when they were last used."""

from datetime import datetime, time
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.accounts import selectors
from crm.accounts.access import ActorRequest, needs
from crm.accounts.forms import ApiClientForm
from crm.accounts.permissions import MANAGE_API_CLIENTS
from crm.accounts.services import api_clients as services
from crm.accounts.views.people import show_at_fields
from crm.kit.errors import Invalid


@needs(MANAGE_API_CLIENTS)
@require_http_methods(["GET", "POST"])
def clients(request: ActorRequest) -> HttpResponse:
    """The connected systems; a POST connects one more and shows its key, this once."""
    form = ApiClientForm(request.POST or None)
    key = ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            _client, key = services.create_api_client(
                request.actor,
                name=data["name"].strip(),
                scopes=data["scopes"],
                expires_at=timezone.make_aware(datetime.combine(data["expires_on"], time.max)),
            )
            form = ApiClientForm()
        except Invalid as error:
            renamed = {"expires_at": "expires_on"}
            show_at_fields(
                form,
                Invalid(
                    errors={renamed.get(name, name): texts for name, texts in error.errors.items()}
                ),
            )
    context = {"form": form, "key": key, "clients": selectors.api_clients(request.actor)}
    return render(request, "accounts/clients.html", context, status=422 if form.errors else 200)


@needs(MANAGE_API_CLIENTS)
@require_POST
def revoke(request: ActorRequest, client_id: UUID) -> HttpResponse:
    """The key opens nothing any more."""
    client = services.revoke_api_client(request.actor, client_id)
    messages.success(request, _("Revoked: %(name)s.") % {"name": client.name})
    return redirect("accounts:clients")

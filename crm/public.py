"""Pages for everyone that belong to no single room: the statement, and what stands where none does."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.kit.errors import DomainError, NotFound, Refused
from crm.kit.web import error_page, request_id
from crm.organisations.models import Organisation


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The statement that every page links to (RD 1112/2018 art. 15)."""
    organisations = Organisation.objects.unscoped("who answers is public").filter(is_active=True)
    return render(
        request, "public/accessibility.html", {"organisations": organisations.order_by("name")}
    )


@require_safe
def simulators(request: HttpRequest) -> HttpResponse:
    """Where one plays the citizen's part, in demos only: so far by e-mail."""
    if not settings.SIMULATORS:
        raise Http404
    return redirect("mail:simulator")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No page has this address; it looks like a row that does not exist."""
    return error_page(request, NotFound())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A library said no, not one of our verbs; it looks like a refusal of theirs."""
    return error_page(request, Refused("", str(exception)))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What came is no request that can be read: too large, cut, or for another host."""
    message = _("The request could not be read or is too large. Go back and try again.")
    return error_page(request, DomainError("bad_request", message))


def server_error(request: HttpRequest) -> HttpResponse:
    """Something broke, perhaps the database: made without it, with the code that finds the log."""
    context = {"code": request_id(request), "LANGUAGE_CODE": get_language()}
    return HttpResponse(render_to_string("errors/500.html", context), status=500)

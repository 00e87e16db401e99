"""An organisation's look, as browsers fetch it: its colour as a style sheet and its logo. For anybody."""

import re
from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header, quote_etag
from django.views.decorators.http import condition, require_safe

from crm.kit.errors import NotFound
from crm.kit.files import open_stored
from crm.organisations.models import Organisation

_CACHED = "public, max-age=300"


def _organisation(code: str) -> Organisation:
    return (
        Organisation.objects.unscoped("how an organisation looks is public")
        .only("code", "name", "accent", "logo")
        .get_or_refuse(code=code)
    )


def _etag(request: HttpRequest, code: str) -> str:
    organisation = _organisation(code)
    seen = f"{organisation.accent} {organisation.logo}"
    return quote_etag(sha256(seen.encode()).hexdigest()[:32])


@require_safe
@condition(etag_func=_etag)
def accent(request: HttpRequest, code: str) -> HttpResponse:
    """The organisation's colour for every element that says `data-org`; the rest follows from it."""
    organisation = _organisation(code)
    css = f'[data-org="{organisation.code}"]{{--accent-base:{organisation.accent}}}\n'
    return HttpResponse(css, content_type="text/css", headers={"Cache-Control": _CACHED})


@require_safe
@condition(etag_func=_etag)
def logo(request: HttpRequest, code: str) -> HttpResponse:
    """The logo: pixels that we wrote ourselves, whatever was uploaded."""
    organisation = _organisation(code)
    if not organisation.logo:
        raise NotFound
    with open_stored(organisation.logo) as file:
        picture = file.read()
    name = content_disposition_header(False, f"{organisation.code}.webp") or "inline"
    return HttpResponse(
        picture,
        content_type="image/webp",
        headers={"Cache-Control": _CACHED, "Content-Disposition": name},
    )


@require_safe
def preview(request: HttpRequest, colour: str) -> HttpResponse:
    """A colour that is only being tried, for the element that says `data-org="preview"`."""
    if not re.fullmatch(r"[0-9a-f]{6}", colour):
        raise NotFound
    css = f'[data-org="preview"]{{--accent-base:#{colour}}}\n'
    return HttpResponse(css, content_type="text/css", headers={"Cache-Control": _CACHED})

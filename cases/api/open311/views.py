"""The doors of GeoReport v2: discovery, services, requests. Reading is public, reporting needs a key."""

import math
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from cases.api.open311 import requests, written
from cases.models import Confidentiality, Document
from cases.services.reports import Report, open_report
from crm.accounts.services.api_clients import actor_by_key
from crm.audit.record import record
from crm.integrations.models import PublishedService
from crm.kit import files
from crm.kit.actor import Actor, Door, Origin
from crm.kit.api import idempotency, limits
from crm.kit.api.parsing import fingerprint
from crm.kit.errors import (
    DomainError,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
    from_database,
    tell_refusal,
)
from crm.kit.web import client_ip, request_id
from crm.organisations.models import Organisation

CHANGESET = "2026-11-21T00:00:00+01:00"
MOST_BYTES = 256 * 1024
_ATTRIBUTE = re.compile(r"attribute\[([^\]]{1,80})\](\[\])?")
_SAFE = frozenset({"GET", "HEAD"})

View = Callable[..., HttpResponseBase]


def georeport(*methods: str) -> Callable[[View], View]:
    """A view whose every answer, errors too, is in the form of its address; no session counts here."""

    def dress(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def dressed(request: HttpRequest, code: str, form: str, **kwargs: Any) -> HttpResponseBase:
            if request.method not in {*methods, *({"HEAD"} if "GET" in methods else ())}:
                answer: HttpResponseBase = written.errors(form, 405, [_("Not by this method.")])
                answer["Allow"] = ", ".join(methods)
                return answer
            actor = None
            try:
                actor = _caller(request)
                organisation = _organisation(request, code)
                if actor is not None and actor.organisation_id != organisation.pk:
                    raise _wrong_key()
                answer = view(request, organisation, actor, form, **kwargs)
            except (DomainError, ObjectDoesNotExist, DatabaseError) as error:
                answer = _explained(form, actor, error)
            except (SuspiciousOperation, MultiPartParserError):
                answer = written.errors(form, 400, [_("The request cannot be read.")])
            if request.method in _SAFE:
                answer["Access-Control-Allow-Origin"] = "*"  # no cookie is read here
            return answer

        return dressed

    return dress


class WrongKey(DomainError):  # noqa: N818 - named for what it says
    """No key, or one that opens nothing here."""

    status = 403


def _wrong_key() -> WrongKey:
    return WrongKey("key", _("The api_key is missing or not valid."))


def _caller(request: HttpRequest) -> Actor | None:
    """The connected system whose key came, counted like every caller; None for a reader without one."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise Invalid(_("The request is too large."), code="too_large")
    _require_text(request)
    key = request.POST.get("api_key") or request.GET.get("api_key", "")
    origin = Origin(Door.API, request_id(request), client_ip(request))
    actor = actor_by_key(key, origin) if key else None
    if actor is not None:
        limits.take_for(actor)
        return actor
    counted = limits.take_for_stranger(client_ip(request))
    if key and counted is None:  # if nobody can count, nobody guesses
        raise Unavailable("limits", _("Try again in a moment."))
    if key or request.method not in _SAFE:
        raise _wrong_key()
    return None


def _require_text(request: HttpRequest) -> None:
    """What no database keeps is refused."""
    for given in (request.GET, request.POST):
        for name, texts in given.lists():
            for text in (name, *texts):
                if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
                    raise Invalid(_("A text holds the character NUL, which cannot be kept."))


def _organisation(request: HttpRequest, code: str) -> Organisation:
    rows = Organisation.objects.unscoped("who takes in reports is public")
    organisation = rows.filter(code__iexact=code, is_active=True).first()
    named = request.GET.get("jurisdiction_id") or request.POST.get("jurisdiction_id")
    if organisation is None or (named and named.lower() != code.lower()):
        raise NotFound(_("There is no such jurisdiction here."))
    return organisation


def _explained(form: str, actor: Actor | None, error: Exception) -> HttpResponse:
    found = from_database(error) if isinstance(error, DatabaseError) else error
    if isinstance(found, ObjectDoesNotExist):
        found = NotFound()
    if not isinstance(found, DomainError):
        raise error
    if isinstance(found, Refused):
        tell_refusal(actor, found)
    if isinstance(found, Invalid):
        told = [
            f"{name}: {text}" if name else str(text)
            for name, texts in found.errors.items()
            for text in texts
        ]
        return written.errors(form, 400, told or [str(found.message)])
    answer = written.errors(form, found.status, [str(found.message)])
    wait = getattr(found, "retry_after", None)
    if wait is not None:
        answer["Retry-After"] = str(wait)
    return answer


# --- Reading -------------------------------------------------------------------------------------


@georeport("GET")
def discovery(
    request: HttpRequest, organisation: Organisation, actor: Actor | None, form: str
) -> HttpResponse:
    """Where everything is."""
    base = settings.PUBLIC_URL + reverse("open311:discovery_json", args=[organisation.code.lower()])
    item = {
        "changeset": CHANGESET,
        "contact": organisation.name,
        "key_service": settings.PUBLIC_URL + "/accesibilidad/",
        "endpoints": [
            {
                "specification": "http://wiki.open311.org/GeoReport_v2",
                "url": base.rpartition("/")[0] + "/v2",
                "changeset": CHANGESET,
                "type": "production" if settings.PRODUCTION else "test",
                "formats": [written.TYPES[name].partition(";")[0] for name in ("json", "xml")],
            }
        ],
    }
    return written.one(form, "discovery", item)


@georeport("GET")
def services(
    request: HttpRequest, organisation: Organisation, actor: Actor | None, form: str
) -> HttpResponse:
    """What can be reported."""
    found = requests.services_of(organisation)
    fields = requests.definitions(found)
    items = [requests.service_item(one, fields.get(one.case_type)) for one in found]
    return written.several(form, "services", "service", items)


@georeport("GET")
def definition(
    request: HttpRequest,
    organisation: Organisation,
    actor: Actor | None,
    form: str,
    service_code: str,
) -> HttpResponse:
    """The attributes of a service."""
    service = _service(organisation, service_code)
    fields = requests.definitions([service]).get(service.case_type)
    return written.one(form, "service_definition", requests.definition_item(service, fields))


def _service(organisation: Organisation, code: str) -> PublishedService:
    for service in requests.services_of(organisation):
        if service.code == code:
            return service
    raise NotFound(_("There is no service “%(code)s”.") % {"code": code[:60]})


@georeport("GET", "POST")
def service_requests(
    request: HttpRequest, organisation: Organisation, actor: Actor | None, form: str
) -> HttpResponse:
    """What was reported; a POST reports."""
    if request.method == "POST":
        assert actor is not None, "a POST without a key came through"
        return _report(request, organisation, actor, form)
    found = requests.services_of(organisation)
    if codes := set(filter(None, request.GET.get("service_code", "").split(","))):
        found = [service for service in found if service.code in codes]
    rows = requests.visible(organisation, found, actor)
    return _told(list(requests.filtered(rows, request.GET.dict())), found, actor, form)


@georeport("GET")
def service_request(
    request: HttpRequest,
    organisation: Organisation,
    actor: Actor | None,
    form: str,
    number: str,
) -> HttpResponse:
    """One report."""
    found = requests.services_of(organisation)
    rows = requests.visible(organisation, found, actor)
    case = rows.filter(reference__iexact=number).first()
    if case is None:
        raise NotFound(_("There is no service request %(number)s.") % {"number": number[:60]})
    return _told([case], found, actor, form)


@georeport("GET")
def token(
    request: HttpRequest, organisation: Organisation, actor: Actor | None, form: str, token: str
) -> HttpResponse:
    """The number of a report by its token: the id that it bears in the API and in events."""
    try:
        wanted = UUID(token)
    except ValueError:
        raise NotFound(_("There is no such token.")) from None
    found = requests.services_of(organisation)
    case = requests.visible(organisation, found, actor).filter(uuid=wanted).first()
    if case is None:
        raise NotFound(_("There is no such token."))
    item = {"service_request_id": case.reference, "token": str(case.uuid)}
    return written.several(form, "service_requests", "request", [item])


def _told(
    cases: list[Any], found: list[PublishedService], actor: Actor | None, form: str
) -> HttpResponse:
    by_type = {service.case_type: service for service in found}
    if actor is not None and any(c.confidentiality != Confidentiality.PUBLIC for c in cases):
        record(actor, "searched", what="service requests", found=len(cases))
    items = [requests.item(case, by_type[case.case_type.code]) for case in cases]
    return written.several(form, "service_requests", "request", items)


# --- Reporting -----------------------------------------------------------------------------------


def _report(
    request: HttpRequest, organisation: Organisation, actor: Actor, form: str
) -> HttpResponse:
    """One case for one report: sent again with the same key (Idempotency-Key), or without one word for
    word, it is answered with the same number."""
    service = _service(organisation, request.POST.get("service_code", ""))
    report = _read(request, service)

    def act() -> HttpResponse:
        case = open_report(actor, service, report)
        item = {"service_request_id": case.reference, "service_notice": None, "account_id": None}
        return written.several(form, "service_requests", "request", [item], 201)

    return idempotency.once(
        actor,
        request.headers.get(idempotency.HEADER) or f"open311-{fingerprint(request)}",
        address=f"POST {request.path}",
        fingerprint=fingerprint(request),
        act=act,
    )


def _read(request: HttpRequest, service: PublishedService) -> Report:
    given = request.POST
    errors: dict[str, list[Any]] = {}
    description = given.get("description", "").strip()
    if not description or len(description) > 4_000:
        errors["description"] = [_("Describe the matter in up to 4,000 characters.")]
    latitude, longitude = _place(given, errors)
    address = given.get("address_string", "") or given.get("address_id", "")
    if latitude is None and not address.strip() and not errors:
        errors["lat"] = [_("Send lat and long, or address_string.")]
    if len(address) > 300:
        errors["address_string"] = [_("Write at most %(limit)s characters.") % {"limit": 300}]
    if errors:
        raise Invalid(errors=errors)
    fields = requests.definitions([service]).get(service.case_type)
    return Report(
        description=description,
        address=address,
        latitude=latitude,
        longitude=longitude,
        data=requests.attributes(fields, _given_attributes(given)),
        reporter=_reporter(given),
        language=get_language() or "es",
    )


def _given_attributes(given: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, texts in given.lists():
        if match := _ATTRIBUTE.fullmatch(name):
            found.setdefault(match[1], []).extend(map(str, texts))
    return found


def _reporter(given: Any) -> dict[str, str]:
    """Who they say they are. What they link to is never fetched."""
    names = " ".join(filter(None, (given.get("first_name", ""), given.get("last_name", ""))))
    said = {
        _("Name"): names,
        _("Email"): given.get("email", ""),
        _("Phone"): given.get("phone", ""),
        _("Picture (not fetched)"): given.get("media_url", ""),
    }
    return {label: text[:500] for label, text in said.items() if text}


def _place(given: Any, errors: dict[str, list[Any]]) -> tuple[float | None, float | None]:
    found = []
    for name, most in (("lat", 90), ("long", 180)):
        text = given.get(name, "").strip()
        try:
            value = float(text) if text else None
        except ValueError:
            value = math.nan
        if value is not None and not abs(value) <= most:
            errors[name] = [_("Write a number of degrees.")]
        found.append(value)
    if (found[0] is None) != (found[1] is None):
        errors["lat"] = [_("Send lat and long together.")]
    return found[0], found[1]


# --- Pictures ------------------------------------------------------------------------------------


@require_safe
def media(request: HttpRequest, code: str, document: UUID) -> HttpResponseBase:
    """A public picture of a public report."""
    limits.take_for_stranger(client_ip(request))
    organisation = _organisation(request, code)
    found = requests.services_of(organisation)
    documents = Document.objects.unscoped("a public one of a case that anybody may read")
    kept = documents.filter(
        uuid=document,
        confidentiality=Confidentiality.PUBLIC,
        withdrawn_at=None,
        media_type__startswith="image/",
        case__in=requests.visible(organisation, found, None),
    ).first()
    if kept is None:
        raise NotFound
    return files.serve(kept.path, name=kept.name, media_type=kept.media_type, scan=kept.scan)

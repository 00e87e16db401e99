"""What every page shares: private responses, errors in words, health and metrics."""

import ipaddress
import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import redis
import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django_structlog.middlewares import RequestMiddleware

from crm.kit import outbox, valkey
from crm.kit.errors import DomainError, NotFound, Refused, from_database, tell_refusal
from crm.kit.registry import Registry

log = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]


def request_id(request: HttpRequest) -> str:
    """The id that ties together the log lines and audit entries of one request."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def client_ip(request: HttpRequest) -> str | None:
    """The caller's address; a proxy's word is taken only from as many proxies as are trusted."""
    address = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
        if len(chain) >= proxies:
            address = chain[-proxies]
    try:
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return None


def counted_by(ip: str | None) -> str:
    """What limits count an address by: whoever has one of IPv6 has the 2^64 around it, too."""
    if ip is None:
        return ""
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv4Address):
        return ip
    return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address) >> 64 << 64))


class RequestLog(RequestMiddleware):
    """Logs requests without their query: what people search for are names and numbers."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method and path alone."""
        return f"{request.method} {request.path}"


class PrivatePages:
    """Nothing that an employee sees is kept by a cache on the way."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, forbidding storage unless the view said otherwise."""
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class DomainErrors:
    """Turns errors of the domain into pages: the same reasons as API and sockets give."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on; errors come to process_exception."""
        if request.content_type == "multipart/form-data":
            request.encoding = "utf-8"  # whatever codec of Python's the request names
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: object, ids: dict[str, Any]
    ) -> HttpResponse | None:
        """The page for a text with a NUL, which no database keeps; the API reads its own bodies."""
        if any("\0" in part for part in ids.values() if isinstance(part, str)):
            return error_page(request, NotFound())  # an address that nothing can have
        if getattr(view, "csrf_exempt", False):
            return None
        texts = [request.GET] if request.method == "GET" else [request.GET, request.POST]
        if any("\0" in text for given in texts for _name, all_ in given.lists() for text in all_):
            message = _("A text holds the character NUL, which cannot be kept.")
            return error_page(request, DomainError("nul", message))
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for an error that the view did not handle itself."""
        if isinstance(error, ObjectDoesNotExist):
            error = NotFound()
        elif isinstance(error, DatabaseError):
            error = from_database(error) or error
        if not isinstance(error, DomainError):
            return None
        if isinstance(error, Refused):
            tell_refusal(getattr(request, "actor", None), error)
        return error_page(request, error)


def error_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page that says what went wrong and what to do; a script is told the same as a problem."""
    if getattr(request, "htmx", None) or not request.accepts("text/html"):
        problem = {"title": str(error.title), "status": error.status, "detail": error.in_a_line}
        response: HttpResponse = JsonResponse(
            problem, status=error.status, content_type="application/problem+json"
        )
    else:
        response = _page_of(request, error)
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        response["Retry-After"] = str(getattr(error, "retry_after", 60))
    return response


def _page_of(request: HttpRequest, error: DomainError) -> HttpResponse:
    names = {403: "errors/403.html", 404: "errors/404.html", 429: "errors/429.html"}
    return render(
        request,
        names.get(error.status, "errors/problem.html"),
        {"error": error, "title": error.title, "reason": error.message},
        status=error.status,
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's protection ran out (signed out, or cookies off): say so and how to go on."""
    return render(request, "errors/csrf.html", {"reason": reason}, status=403)


@dataclass(frozen=True, slots=True)
class Health:
    """What a room says of its own health: a value for /healthz, and whether that is as it should be."""

    value: object
    well: bool


health: Registry[Callable[[], Health]] = Registry("health check")


def healthz(request: HttpRequest) -> JsonResponse:
    """Whether the installation works: database, broker, workers, oldest undrained row, and what the
    rooms registered.

    `alarms` names what somebody should look at although pages are still served.
    """
    report: dict[str, Any] = {
        "database": "ok",
        "broker": "ok",
        "workers": 0,
        "oldest_undrained_s": 0,
    }
    healthy = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        oldest = outbox.oldest_due()
        if oldest:
            report["oldest_undrained_s"] = max(0, int((timezone.now() - oldest).total_seconds()))
        found = {name: health[name]() for name in health}
        report |= {name: finding.value for name, finding in found.items()}
        report["alarms"] = [name for name, finding in found.items() if not finding.well]
    except DatabaseError:
        report["database"] = "down"
        healthy = False
    try:
        report["workers"] = _workers()
    except redis.RedisError:
        report["broker"] = "down"
        healthy = False
    report["status"] = "ok" if healthy else "down"
    return JsonResponse(report, status=HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE)


def _workers() -> int:
    """How many workers said in the last minute that they live (kit.tasks.heartbeat)."""
    now = timezone.now().timestamp()
    count = valkey.client().zcount("ventanilla:workers", now - 60, "+inf")
    assert isinstance(count, int)
    return count

"""/metrics for those allowed: Prometheus figures of the web workers, and what every room's health says."""

import ipaddress
from hmac import compare_digest
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django_prometheus import exports
from prometheus_client import Gauge

from crm.kit import outbox
from crm.kit.errors import NotFound
from crm.kit.models import Outbox
from crm.kit.web import client_ip, health

# Facts of the installation, not of a process: whichever web worker wrote last is right.
LATEST: Final = "mostrecent"
_waiting = Gauge(
    "ventanilla_outbox_waiting",
    "Effects owed to the world and not yet carried out",
    multiprocess_mode=LATEST,
)
_dead = Gauge(
    "ventanilla_outbox_dead", "Effects given up after the last attempt", multiprocess_mode=LATEST
)
_well = Gauge(
    "ventanilla_well",
    "Whether a room says that it is as it should be",
    ["check"],
    multiprocess_mode=LATEST,
)


def metrics(request: HttpRequest) -> HttpResponse:
    """The figures; to others the address does not exist."""
    if not _allowed(request):
        raise NotFound
    _waiting.set(
        Outbox.objects.exclude(status=Outbox.Status.DEAD).count() if outbox.oldest_due() else 0
    )
    _dead.set(Outbox.objects.filter(status=Outbox.Status.DEAD).count())
    for name in health:
        _well.labels(check=name).set(health[name]().well)
    response: HttpResponse = exports.ExportToDjangoView(request)
    return response


def _allowed(request: HttpRequest) -> bool:
    """A bearer of the token; without a token set, only a caller on this machine."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    address = client_ip(request)
    return address is not None and ipaddress.ip_address(address).is_loopback

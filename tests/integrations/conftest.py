"""Other systems, and circuits that nobody else has opened."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache

from crm.integrations.models import Connection
from crm.kit.actor import Actor
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.integrations.servers import Elsewhere, Reply, saying

BENEFITS = (
    b'{"total": 1, "prestaciones": [{"denominacion": "Ingreso m\xc3\xadnimo vital",'
    b' "estado": {"texto": "En vigor"}, "importe": 612.4, "fecha": "2026-01-02", "secreto": "x"}]}'
)
FIELDS = "Prestación = denominacion\nSituación = estado.texto\nImporte = importe\nDesde = fecha"


@pytest.fixture(autouse=True)
def no_circuits() -> Iterator[None]:
    """What other tests counted is forgotten."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def elsewhere(settings: Any) -> Iterator[Callable[[Reply], Elsewhere]]:
    """Starts other systems, which this installation may call."""
    started: list[Elsewhere] = []
    settings.OUTBOUND_ALLOWED_HOSTS = []

    def start(reply: Reply) -> Elsewhere:
        made = Elsewhere(reply)
        started.append(made)
        settings.OUTBOUND_ALLOWED_HOSTS.append(made.address.removeprefix("http://"))
        return made

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def admin(world: World) -> Actor:
    """Who sets up connections here."""
    return acting(employee(world.here, "administrator", full_name="Ada Admin"))


@pytest.fixture
def registry(elsewhere: Callable[[Reply], Elsewhere]) -> Elsewhere:
    """A registry that answers well."""
    return elsewhere(saying(200, BENEFITS))


def described(address: str, **more: Any) -> dict[str, Any]:
    """A connection to it, as an administrator describes it."""
    return {
        "name": "Registro",
        "base_url": address,
        "path": "/personas/{number}",
        "authentication": Connection.Authentication.BEARER,
        "secret": "clave-123",
        "records_at": "prestaciones",
        "fields": FIELDS,
        "seconds": 1,
        "retries": 0,
        "cache_seconds": 60,
        "keep_hours": 24,
        "legal_basis": "Ley 39/2015, art. 28.2",
        **more,
    }

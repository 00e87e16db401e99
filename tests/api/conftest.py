"""Callers of the API: systems with keys, as other people's programs are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from crm.accounts.actors import system_actor
from crm.accounts.services.api_clients import create_api_client
from crm.kit.api import limits
from crm.organisations.models import Organisation
from tests.conftest import World
from tests.factories.accounts import ORIGIN


def key_for(organisation: Organisation, *scopes: str, name: str = "Sistema") -> str:
    """A key of the organisation for these scopes."""
    _client, key = create_api_client(
        system_actor(organisation, ORIGIN),
        name=name,
        scopes=scopes or ["cases.view_case"],
        expires_at=timezone.now() + timedelta(days=1),
    )
    return key


@pytest.fixture(autouse=True)
def own_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else's requests count: all tests come from one address."""
    monkeypatch.setattr(limits, "PREFIX", f"test:{uuid4()}")


class Caller(Client):
    """A program with a key, or without one."""

    def __init__(self, key: str = "", **options: Any) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        super().__init__(headers=headers, raise_request_exception=False, **options)

    def send(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        """The answer to a JSON request; headers by name, underscores for hyphens."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        data = {} if method == "get" else {"content_type": "application/json"}
        data |= {} if body is None else {"data": body}
        if method == "post" and body is None:
            data["data"] = ""
        return getattr(self, method)(f"/api/v1{address}", headers=given, **data)


@pytest.fixture
def caller(world: World) -> Callable[..., Caller]:
    """Makes callers of Alice's organisation with the scopes named."""

    def make(*scopes: str) -> Caller:
        return Caller(key_for(world.here, *scopes, name=f"Sistema {uuid4()}"))

    return make

"""The cache: JSON in Valkey, since whoever could write there must not be able to run code here.

While Valkey is away each process remembers for itself: limits of tries count on, a one-time code is taken
once by a process, and nobody who has a right to come in is kept out.
"""

import dataclasses
import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError

_AWAY = 5  # seconds that Valkey is not asked again after it did not answer
log = structlog.get_logger(__name__)


class JsonSerializer:
    """How the Redis cache writes values down, instead of Django's pickle."""

    def dumps(self, value: Any) -> int | str:
        """Whole numbers stay numbers, so that Valkey can count on them."""
        return value if type(value) is int else json.dumps(value, default=_plain)

    def loads(self, data: bytes) -> Any:
        """The value again."""
        return json.loads(data)


def _plain(value: Any) -> Any:
    """Other people's dataclasses (the back office's hits) as objects, lazy words as texts."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)


def _or_here(name: str) -> Callable[..., Any]:
    """The method of the Redis cache, and the same one of this process's memory while Valkey is away."""
    method = getattr(RedisCache, name)

    @wraps(method)
    def ask(self: "Cache", *given: Any, **named: Any) -> Any:
        if time.monotonic() >= self.away_until:
            try:
                return method(self, *given, **named)
            except RedisError as error:
                self.away_until = time.monotonic() + _AWAY
                log.warning("cache_unavailable", error=type(error).__name__)
        return getattr(self.here, name)(*given, **named)

    return ask


class Cache(RedisCache):
    """Valkey, or this process's own memory while Valkey is away."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        options = {**params, "OPTIONS": {}}
        self.here = LocMemCache("while Valkey is away", options)
        self.away_until = 0.0

    add = _or_here("add")
    get = _or_here("get")
    set = _or_here("set")
    touch = _or_here("touch")
    delete = _or_here("delete")
    get_many = _or_here("get_many")
    has_key = _or_here("has_key")
    incr = _or_here("incr")
    set_many = _or_here("set_many")
    delete_many = _or_here("delete_many")
    clear = _or_here("clear")

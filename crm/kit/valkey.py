"""The one way to Valkey of our own code; how long it waits is in settings (VALKEY_PATIENCE)."""

from functools import cache

import redis
from django.conf import settings


def client() -> redis.Redis:
    """A client whose connections are shared; RedisError within a second when Valkey is away."""
    return _client(settings.COUNTERS_URL)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, **settings.VALKEY_PATIENCE)

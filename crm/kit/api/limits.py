"""How much one caller may ask for: so many requests a minute, counted in Valkey."""

import time
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm.kit import valkey
from crm.kit.actor import Actor
from crm.kit.errors import TooMany
from crm.kit.web import counted_by

PREFIX = "ventanilla:rate"
WINDOW = 60  # seconds
STRANGERS_PER_MINUTE = 120  # requests from one address without a valid key

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a caller's minute."""

    name: str
    limit: int
    used: int
    reset: int  # seconds until the next minute

    @property
    def headers(self) -> dict[str, str]:
        """RateLimit and RateLimit-Policy as drafted by the IETF's HTTPAPI group."""
        left = max(0, self.limit - self.used)
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={WINDOW}',
            "RateLimit": f'"{self.name}";r={left};t={self.reset}',
        }


def take_for(actor: Actor) -> Allowance | None:
    """Count a request of somebody known; None when nobody counts now: known callers go on."""
    return take("caller", f"{actor.kind}:{actor.id}", settings.API_RATE_PER_MINUTE)


def take_for_stranger(ip: str | None) -> Allowance | None:
    """Count a request of an address that showed no valid key; TooMany when it goes on like that."""
    return take("address", f"ip:{counted_by(ip)}", STRANGERS_PER_MINUTE)


def take(name: str, who: str, limit: int) -> Allowance | None:
    """Count something that `who` asks for; TooMany beyond the limit, None when nobody counts now."""
    now = time.time()
    key = f"{PREFIX}:{who}:{int(now // WINDOW)}"
    try:
        pipeline = valkey.client().pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, WINDOW)
        used = int(pipeline.execute()[0])
    except redis.RedisError as error:
        log.warning("rate_limit_unavailable", error=type(error).__name__)
        return None
    allowance = Allowance(name, limit, used, WINDOW - int(now % WINDOW))
    if used > limit:
        raise TooMany(_("Too many requests in this minute."), retry_after=allowance.reset)
    return allowance

"""Reasons for access that somebody stated: kept in their session for a quarter of an hour."""

import time
from uuid import UUID

from crm.kit.access import ActorRequest

KEPT = 15 * 60  # seconds
_SESSION = "reasons_for_access"


def keep(request: ActorRequest, citizen: UUID, reason: str) -> None:
    """This is why the person's record is opened in this session from now on."""
    request.session[_SESSION] = {
        **_valid(request),
        _key(request, citizen): [reason, time.time() + KEPT],
    }


def stated(request: ActorRequest, citizen: UUID) -> str:
    """The reason stated for this person, for this organisation; empty when none, or long ago."""
    reason, _until = _valid(request).get(_key(request, citizen), ("", 0))
    return reason


def _key(request: ActorRequest, citizen: UUID) -> str:
    return f"{request.actor.organisation_id}:{citizen}"


def _valid(request: ActorRequest) -> dict[str, tuple[str, float]]:
    now = time.time()
    return {
        key: (reason, until)
        for key, (reason, until) in request.session.get(_SESSION, {}).items()
        if until > now
    }

"""Attending somebody who speaks for another: kept in the session for a while, weighed anew each time."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from crm.citizens.models import Citizen
from crm.citizens.permissions import VIEW_CITIZEN
from crm.citizens.representing import attended, mandates_of
from crm.kit.access import ActorRequest
from crm.kit.actor import Actor, Attended
from crm.kit.errors import NotFound, Refused

KEPT = 30 * 60  # seconds: one at the desk or on the telephone
AT_ONCE = 5
_SESSION = "attending"
GetResponse = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Pair:
    """Who is attended, and in whose name."""

    holder: Citizen
    grantor: Citizen


def begin(request: ActorRequest, pair: Pair) -> None:
    """From now on the person's data are shown in this session as far as may be told to the holder."""
    kept = _valid(request)
    kept.pop(_key(request.actor, pair.grantor.uuid), None)
    newest = list(kept.items())[-(AT_ONCE - 1) :]
    mine = (_key(request.actor, pair.grantor.uuid), [str(pair.holder.uuid), time.time() + KEPT])
    request.session[_SESSION] = dict([*newest, mine])


def leave(request: ActorRequest, grantor: UUID) -> None:
    """The person is attended in nobody's name any more."""
    kept = _valid(request)
    kept.pop(_key(request.actor, grantor), None)
    request.session[_SESSION] = kept


def _pairs(request: HttpRequest, actor: Actor) -> list[tuple[UUID, UUID]]:
    """Holder and grantor of everybody attended now in this session, for this organisation."""
    found = []
    for key, (holder, _until) in _valid(request).items():
        organisation, _colon, grantor = key.partition(":")
        if organisation == str(actor.organisation_id):
            found.append((UUID(holder), UUID(grantor)))
    return found


def narrowed(actor: Actor, pairs: Iterable[tuple[UUID, UUID]]) -> Actor:
    """The actor who is shown of these grantors only what may be told to these holders at this moment."""
    wanted = list(pairs)
    if not wanted:
        return actor
    people = Citizen.objects.for_actor(actor).in_bulk(
        {uuid for pair in wanted for uuid in pair}, field_name="uuid"
    )
    met = [
        Pair(people[holder], people[grantor])
        for holder, grantor in wanted
        if holder in people and grantor in people
    ]
    return replace(actor, attends=tuple(_attended(actor, met)))


def _attended(actor: Actor, met: list[Pair]) -> Iterable[Attended]:
    sides = Q(pk__in=[])
    for pair in met:
        sides |= Q(holder=pair.holder, grantor=pair.grantor)
    mandates = list(mandates_of(actor).filter(sides).order_by("-assurance", "-id"))
    for pair in met:
        mine = [
            one
            for one in mandates
            if (one.holder_id, one.grantor_id) == (pair.holder.pk, pair.grantor.pk)
        ]
        yield attended(actor, pair.holder, pair.grantor, mine)


HEADER = "On-Behalf-Of"


def by_mandate(actor: Actor, said: str) -> Actor:
    """The actor who asks for the holder of the mandate of this id: shown what that mandate lets be told
    of its grantor now, and of nobody else anything. Refused with the reason when that is nothing."""
    found = mandates_of(actor).filter(uuid=_uuid(said)).first()
    if found is None:
        raise NotFound
    told = attended(actor, found.holder, found.grantor, [found])
    if told.refusal:
        raise Refused(VIEW_CITIZEN, told.refusal, found)
    return replace(actor, attends=(replace(told, alone=True),), on_behalf_of=told.words)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error


class AttendingMiddleware:
    """Narrows `request.actor` while its session attends somebody in another's name."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """What may be told is asked of the database in every request: what is revoked is told no more."""
        actor: Actor | None = getattr(request, "actor", None)
        if actor is not None and (pairs := _pairs(request, actor)):
            request.actor = narrowed(actor, pairs)  # type: ignore[attr-defined]
        return self.get_response(request)


def _key(actor: Actor, grantor: UUID) -> str:
    return f"{actor.organisation_id}:{grantor}"


def _valid(request: HttpRequest) -> dict[str, list[Any]]:
    now = time.time()
    kept = request.session.get(_SESSION, {})
    return {key: [holder, until] for key, (holder, until) in kept.items() if until > now}

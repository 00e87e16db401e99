"""What another system said of a person, as it was shown: sealed, so that a higher room can keep exactly that."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from crm.citizens.models import Citizen
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.registry import Registry
from crm.kit.secrets import decrypt, encrypt

LASTS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as one actor was shown it: of whom, by which system, when, why and by what rule."""

    citizen: str
    connection: str
    source: str
    legal_basis: str
    permission: str  # that its readers hold
    purpose: str
    asked_at: datetime
    obtained_at: datetime
    records: Any  # crm.integrations.mapping.Taken
    stale: bool = False

    @property
    def content(self) -> str:
        """It in one form: the same answer shown twice is the same text, whoever it was shown to."""
        said = {name: value for name, value in self.as_plain().items() if name not in _PASSING}
        return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 of its content."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    def as_plain(self) -> dict[str, Any]:
        """It in JSON's kinds."""
        moments = {name: getattr(self, name).isoformat() for name in _MOMENTS}
        return {**asdict(self), **moments}


_MOMENTS = ("asked_at", "obtained_at")
_PASSING = ("asked_at", "purpose", "stale")  # of the look, not of the answer


def seal(actor: Actor, shown: Shown) -> str:
    """The answer as a text that this actor may hand back for an hour, and nobody can read or alter."""
    until = (timezone.now() + LASTS).isoformat()
    return encrypt(json.dumps({**shown.as_plain(), "for": _who(actor), "until": until}))


def unseal(actor: Actor, text: str) -> Shown:
    """What was shown to this actor; Conflict when too long ago, Invalid when it is no such text."""
    wrong = Invalid(errors={"shown": [_("This is no answer that was shown to you.")]})
    try:
        said = json.loads(decrypt(text))
        whose, until = said.pop("for"), parse_datetime(said.pop("until"))
        asked_at, obtained_at = (datetime.fromisoformat(said.pop(name)) for name in _MOMENTS)
        shown = Shown(asked_at=asked_at, obtained_at=obtained_at, **said)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise wrong from error
    if whose != _who(actor):
        raise wrong
    if until is None or until < timezone.now():
        raise Conflict(
            "answer_too_old", _("The answer was shown too long ago. Ask again and keep that.")
        )
    return shown


def _who(actor: Actor) -> list[Any]:
    return [actor.kind, actor.id, actor.organisation_id]


@dataclass(frozen=True, slots=True)
class Keeper:
    """Where an answer may be kept: the address that takes it, and what it can be kept with."""

    url: str
    places: list[tuple[UUID, str]]  # first the one from which the person was opened


keepers: Registry[Callable[[Actor, Citizen, str], Keeper | None]] = Registry("keeper of answers")
"""Higher rooms say where an actor may keep what is shown of a person, opened from this reference."""


def keeper_for(actor: Actor, citizen: Citizen, reference: str) -> Keeper | None:
    """Where the actor may keep it, if anywhere."""
    offered = (offer(actor, citizen, reference) for offer in keepers.values())
    return next((one for one in offered if one and one.places), None)

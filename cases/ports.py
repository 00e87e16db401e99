"""Seams of the room: what higher rooms add to procedures, and the threads in which citizens write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from django.core.mail.backends.base import BaseEmailBackend

from cases.models import Case, Message, Procedure
from crm.kit.actor import Actor
from crm.kit.registry import Registry


class Booking(Protocol):
    """A room where citizens book appointments by themselves."""

    def services(self, actor: Actor) -> Mapping[str, str]:
        """Code → name of what they can book in the actor's organisation now, in order."""

    def address(self, actor: Actor, service: str) -> str:
        """The path of the page where that one is booked; empty when it cannot be booked now."""


bookings: Registry[Booking] = Registry("way to book")


def bookable(actor: Actor) -> dict[str, str]:
    """Code → name of everything that citizens can book by themselves."""
    return {
        code: name
        for booking in bookings.values()
        for code, name in booking.services(actor).items()
    }


def booking_address(actor: Actor, procedure: Procedure) -> str:
    """Where a citizen books the appointment of a procedure; empty when there is none to book now."""
    if not procedure.booking:
        return ""
    found = (booking.address(actor, procedure.booking) for booking in bookings.values())
    return next(filter(None, found), "")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """From whom and with which headers a message of a case leaves by e-mail, and by which mail server."""

    sender: str
    subject: str
    headers: Mapping[str, str] = field(default_factory=dict)
    server: Callable[[], BaseEmailBackend | None] = lambda: None  # None: the installation's


class Thread(Protocol):
    """A room in which citizens of cases write by e-mail."""

    def address(self, case: Case) -> str:
        """Where the case's citizen last wrote from; empty when that is nobody or not surely theirs."""

    def letterhead(self, message: Message) -> Letterhead | None:
        """How a message to that address goes on with what they wrote; None when it begins anew."""


threads: Registry[Thread] = Registry("thread of letters")

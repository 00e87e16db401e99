"""Seams of the room: what higher rooms add to the catalogue of procedures."""

from collections.abc import Mapping
from typing import Protocol

from cases.models import Procedure
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

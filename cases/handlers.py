"""Effects that the cases room owes the world, carried out by workers from the outbox."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cases import telling
from cases.events import CaseEvent
from cases.services import access, deliver_message, filing, targets
from cases.services.news import tell_people
from cases.services.notes import DELIVER, doubt_message
from crm.kit import outbox


def doubt(payload: Mapping[str, Any]) -> None:
    """Say on the message that its sending broke off."""
    doubt_message(UUID(payload["message"]))


@outbox.effect(DELIVER, in_doubt=doubt)
def deliver(payload: Mapping[str, Any]) -> None:
    """Hand a queued message to the mail server; a second run finds it sent and does nothing."""
    deliver_message(UUID(payload["message"]))


@outbox.effect(filing.RECEIPT_MAIL)
def receipt(payload: Mapping[str, Any]) -> None:
    """Send the receipt of an application to whoever filed it."""
    filing.send_receipt(UUID(payload["application"]))


@outbox.effect(access.CODE_MAIL)
def access_code(payload: Mapping[str, Any]) -> None:
    """Send the code that opens a case to its mailbox, while it is of use."""
    access.send_code(UUID(payload["access"]), payload["code"])


@outbox.effect(targets.ALERT_MAIL)
def target_alert(payload: Mapping[str, Any]) -> None:
    """Tell an employee of a service target that is in danger or was missed."""
    targets.send_alert(UUID(payload["target"]), payload["user"], payload["kind"])


@outbox.effect(CaseEvent.topic)
def tell_other_systems(payload: Mapping[str, Any]) -> None:
    """Whoever subscribed to the event is owed it; a second run owes nothing more."""
    telling.tell(payload)


@outbox.effect(CaseEvent.topic)
def tell_colleagues(payload: Mapping[str, Any]) -> None:
    """Employees whom the event concerns have the news of it; a second run tells nobody twice."""
    tell_people(payload)

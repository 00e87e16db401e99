"""What the cases room tells other systems: which events, and how much of a case each subscription hears."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cases.models import Case, Confidentiality, Event, EventKind
from crm.integrations import outgoing
from crm.integrations.ports import Topic, topics

TOLD = {
    EventKind.OPENED: Topic("cases.opened", _("A case was opened")),
    EventKind.EDITED: Topic("cases.edited", _("A case was edited")),
    EventKind.MOVED: Topic("cases.moved", _("A case moved to another state")),
    EventKind.UNIT_CHANGED: Topic("cases.unit_changed", _("A case went to another unit")),
    EventKind.MESSAGED: Topic("cases.messaged", _("A message was written or received")),
    EventKind.ATTACHED: Topic("cases.attached", _("A document was added")),
}
"""Internal notes and who works on a case stay here."""


def register() -> None:
    """Offer the events."""
    for topic in TOLD.values():
        topics.register(topic.name, topic)


def tell(payload: Mapping[str, Any]) -> None:
    """Whoever subscribed is owed the event once. Specially protected cases are nobody else's matter."""
    topic = TOLD.get(payload["kind"])
    if topic is None:
        return
    told = outgoing.listeners(payload["organisation_id"], topic.name)
    if not told:
        return
    rows = Event.objects.unscoped("a worker tells whom it concerns").select_related(
        "case__case_type", "case__unit", "case__citizen"
    )
    event = rows.filter(case__uuid=payload["case"], seq=payload["seq"]).first()
    if event is None or event.case.confidentiality == Confidentiality.SPECIAL:
        return
    outgoing.announce(
        told,
        topic.name,
        event=f"{event.case.uuid}.{event.seq}",
        subject=f"cases/{event.case.uuid}",
        at=event.at,
        data={
            "case": str(event.case.uuid),
            "reference": event.case.reference,
            "number": event.seq,
            "url": f"{settings.PUBLIC_URL}/api/v1/cases/{event.case.uuid}/",
        },
        content=_content(event.case),
    )


def _content(case: Case) -> dict[str, Any]:
    """The case as it stands, in the words of the API."""
    return {
        "case_type": case.case_type.code,
        "unit": str(case.unit.uuid),
        "citizen": str(case.citizen.uuid) if case.citizen else None,
        "subject": case.subject,
        "state": case.state,
        "category": case.category,
        "outcome": case.outcome,
        "opened_at": case.opened_at.isoformat(),
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
    }

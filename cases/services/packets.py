"""What of a case another unit or organisation may see before it is theirs: only what was ticked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Case, Confidentiality, Document, Message
from cases.permissions import VIEW_SPECIAL
from cases.timeline import shown
from cases.workflow import of_version
from crm.citizens.models import Channel, CitizenRecord, ContactPoint
from crm.citizens.permissions import VIEW_PROTECTED
from crm.citizens.selectors import shown_name
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Refused, Text
from crm.organisations.models import DataClass

PARTS: Mapping[str, Text] = {
    "description": gettext_lazy("Description"),
    "place": gettext_lazy("Place"),
    "citizen": gettext_lazy("Citizen"),
    "contact": gettext_lazy("Contact points of the citizen"),
    "data": gettext_lazy("Form data"),
    "messages": gettext_lazy("Messages with the citizen"),
}
"""What may travel besides the subject and the documents. Internal notes never do."""

NEEDS: Mapping[str, DataClass] = {
    "citizen": DataClass.IDENTITY,
    "contact": DataClass.CONTACT,
}
"""The class of data that an agreement must let through for a part; of the others CASE_CONTENT."""


@dataclass(frozen=True, kw_only=True)
class Ticked:
    """What the sender lets travel: parts by name, documents by UUID."""

    parts: frozenset[str] = frozenset()
    documents: tuple[UUID, ...] = ()

    def classes(self) -> set[str]:
        """The classes of data that this is."""
        rest = self.parts - NEEDS.keys() or self.documents
        found = {NEEDS[part] for part in self.parts & NEEDS.keys()}
        return {str(one) for one in found | ({DataClass.CASE_CONTENT} if rest else set())}


def packet_of(actor: Actor, case: Case, ticked: Ticked) -> dict[str, Any]:
    """What the other side will see, as it is now; Invalid names what cannot travel."""
    unknown = ticked.parts - PARTS.keys()
    if unknown:
        raise Invalid(errors={"parts": [_("Choose one of the offered values.")]})
    if "contact" in ticked.parts and "citizen" not in ticked.parts:
        raise Invalid(errors={"parts": [_("Contact points travel only with the citizen.")]})
    made: dict[str, Any] = {
        "subject": case.subject,
        "case_type": case.case_type.name,
        "opened_at": case.opened_at.isoformat(),
        "priority": case.priority,
        "language": case.language,
        "channel": case.channel,
        "documents": [_document(row) for row in _documents(actor, case, ticked.documents)],
    }
    for part in PARTS:
        if part in ticked.parts:
            made |= _PARTS[part](actor, case)
    return made


def settled(packet: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a packet when the matter is settled: what it was made of, and nothing of it."""
    return {
        "parts": [part for part in PARTS if part in packet],
        "documents": [
            {"sha256": one["sha256"], "size": one["size"]} for one in packet.get("documents", [])
        ],
    }


def documents_in(packet: Mapping[str, Any]) -> list[str]:
    """The UUIDs of the documents of a packet."""
    return [one["id"] for one in packet.get("documents", []) if "id" in one]


# --- Inside -------------------------------------------------------------------------------------


def _documents(actor: Actor, case: Case, wanted: Collection[UUID]) -> list[Document]:
    rows = Document.objects.for_actor(actor).filter(case=case, uuid__in=wanted, withdrawn_at=None)
    found = list(rows.order_by("pk"))
    if len(found) < len(set(wanted)):
        raise Invalid(errors={"documents": [_("There is no such document in this case.")]})
    special = any(row.confidentiality == Confidentiality.SPECIAL for row in found)
    if special and not actor.reach(VIEW_SPECIAL).covers(case.unit_id):
        text = _("Specially protected documents are sent only by who may see such.")
        raise Refused(VIEW_SPECIAL, text, case)
    return found


def _document(row: Document) -> dict[str, Any]:
    return {
        "id": str(row.uuid),
        "name": row.name,
        "size": row.size,
        "sha256": row.sha256,
        "media_type": row.media_type,
        "confidentiality": row.confidentiality,
    }


def _description(_actor: Actor, case: Case) -> dict[str, Any]:
    return {"description": case.description}


def _place(_actor: Actor, case: Case) -> dict[str, Any]:
    return {"place": {"address": case.address, "at": [case.latitude, case.longitude]}}


def _citizen(actor: Actor, case: Case) -> dict[str, Any]:
    citizen = case.citizen
    if citizen is None:
        return {"citizen": None}
    records = CitizenRecord.objects.for_actor(actor)
    protected = records.filter(citizen=citizen, protected=True).exists()
    if protected and not actor.holds(VIEW_PROTECTED):
        text = _("The citizen's record is protected: only who may open such sends it.")
        raise Refused(VIEW_PROTECTED, text, case)
    name = shown_name(actor, citizen)
    return {"citizen": {"id": str(citizen.uuid), "name": name, "protected": protected}}


def _contact(actor: Actor, case: Case) -> dict[str, Any]:
    rows = ContactPoint.objects.for_actor(actor).filter(
        organisation=case.organisation_id, citizen=case.citizen_id, ended_at=None
    )
    known = rows.filter(channel__in=[Channel.EMAIL, Channel.PHONE]).exclude(
        quality=ContactPoint.Quality.BAD
    )
    points = known.order_by("-preferred", "pk") if case.citizen_id else ()
    return {"contact": [{"channel": one.channel, "address": one.address} for one in points]}


def _data(_actor: Actor, case: Case) -> dict[str, Any]:
    fields = of_version(case.type_version.bundle).fields
    return {
        "data": [
            {
                "name": field.name,
                "label": field.label,
                "value": case.data[field.name],
                "shown": shown(case.data[field.name]),
            }
            for field in fields
            if case.data.get(field.name) not in (None, "", [])
        ]
    }


def _messages(actor: Actor, case: Case) -> dict[str, Any]:
    rows = Message.objects.for_actor(actor).filter(case=case).order_by("created_at", "pk")
    return {
        "messages": [
            {
                "at": row.created_at.isoformat(),
                "direction": row.direction,
                "channel": row.channel,
                "author": row.author_name,
                "body": row.body,
            }
            for row in rows
        ]
    }


_PARTS = {
    "description": _description,
    "place": _place,
    "citizen": _citizen,
    "contact": _contact,
    "data": _data,
    "messages": _messages,
}

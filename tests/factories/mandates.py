"""Mandates for tests, made by the real verbs."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from crm.citizens.models import Citizen, Mandate
from crm.citizens.services.mandates import NewMandate, register_mandate
from crm.kit import files
from crm.kit.actor import Actor

PAPER = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def new_mandate(holder: Citizen, **values: Any) -> NewMandate:
    """A general mandate to be told and to apply, registered today and for a year."""
    today: date = timezone.localdate()
    said: dict[str, Any] = {
        "holder": holder.uuid,
        "scope": "general",
        "acts": ["inform", "file"],
        "proof": "registered",
        "proof_number": "RAP-1",
        "granted_on": today,
        "valid_until": today + timedelta(days=365),
        **values,
    }
    return NewMandate(**said)


def make_mandate(
    actor: Actor, grantor: Citizen, holder: Citizen, *, checked: bool = True, **values: Any
) -> Mandate:
    """Recorded by the actor and, unless said otherwise, its proof checked."""
    return register_mandate(actor, grantor.uuid, new_mandate(holder, **values), checked=checked)


def stored(name: str = "poder.txt") -> files.Stored:
    """A kept file."""
    return files.store([b"Poder otorgado ante notario"], name)

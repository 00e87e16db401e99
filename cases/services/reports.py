"""Services that other systems may report to, and the cases that their reports become."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases.models import Case, CaseType, Confidentiality
from cases.permissions import OPEN_CASE, PUBLISH_CASE_TYPE
from cases.services.lifecycle import NewCase, open_case
from cases.services.notes import add_note
from cases.services.places import unit_of
from cases.texts import one_line
from crm.audit.record import record
from crm.citizens.models import Channel
from crm.integrations.models import PublishedService
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Invalid
from crm.kit.policy import require

SOURCE = "open311"
LONGEST_SUBJECT = 120
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True, kw_only=True)
class Report:
    """What somebody reports. Who they say they are is not proved: it is kept as a note, not as a person."""

    description: str
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    reporter: Mapping[str, str] = field(default_factory=dict)
    language: str = "es"


@transaction.atomic
def open_report(actor: Actor, service: PublishedService, report: Report) -> Case:
    """The report is a case of the service's type in its unit; public where the service is."""
    require(actor, OPEN_CASE, service.unit)
    first, _newline, _rest = one_line(report.description[:4_000]).partition(". ")
    case = open_case(
        actor,
        NewCase(
            case_type=service.case_type,
            subject=first[:LONGEST_SUBJECT].strip() or service.name,
            description=report.description,
            unit=service.unit.uuid,
            channel=Channel.WEB_FORM,
            confidentiality=Confidentiality.PUBLIC if service.public else Confidentiality.INTERNAL,
            address=report.address,
            latitude=report.latitude,
            longitude=report.longitude,
            data=report.data,
            source=SOURCE,
            language=report.language,
        ),
    )
    said = [f"{label}: {one_line(text)}" for label, text in report.reporter.items() if text.strip()]
    if said:
        intro = _("Reported through another application. It is not proved who they are.")
        add_note(actor, case.uuid, "\n".join([intro, *said]))
    return case


@transaction.atomic
def publish_service(actor: Actor, given: Mapping[str, Any]) -> PublishedService:
    """Other systems can report to it."""
    require(actor, PUBLISH_CASE_TYPE)
    row = PublishedService(organisation_id=actor.organisation_id)
    _describe(actor, row, given)
    row.save()
    record(actor, PUBLISH_CASE_TYPE, row, created=True, public=row.public)
    return row


@transaction.atomic
def change_service(
    actor: Actor, service: UUID, given: Mapping[str, Any], *, seen: Any = None
) -> PublishedService:
    """The service is as described now; what was reported before stays as it is."""
    require(actor, PUBLISH_CASE_TYPE)
    rows = PublishedService.objects.for_actor(actor).select_for_update(of=("self",))
    row = rows.get_or_refuse(uuid=service)
    if seen is not None and row.updated_at != seen:
        raise Changed(_("Somebody else has changed this service. Compare before saving again."))
    _describe(actor, row, given)
    row.save()
    record(actor, PUBLISH_CASE_TYPE, row, public=row.public, is_active=row.is_active)
    return row


def _describe(actor: Actor, row: PublishedService, given: Mapping[str, Any]) -> None:
    """The row, still to be saved, is as given; Invalid with the errors of each field."""
    for name in ("code", "name", "description", "group", "keywords", "case_type"):
        setattr(row, name, str(given.get(name, getattr(row, name))).strip())
    for name in ("public", "is_active"):
        setattr(row, name, bool(given.get(name, getattr(row, name))))
    errors = _wrong_words(row) | _wrong_type(actor, row)
    others = PublishedService.objects.for_actor(actor).exclude(pk=row.pk)
    if others.filter(code=row.code).exists():
        errors["code"] = [_("There is a service of this code already.")]
    if "unit" in given:
        try:
            row.unit = unit_of(actor, given["unit"])
        except Invalid as error:
            errors |= {name: list(texts) for name, texts in error.errors.items()}
    if errors:
        raise Invalid(errors=errors)


def _wrong_words(row: PublishedService) -> dict[str, list[Any]]:
    errors: dict[str, list[Any]] = {}
    if not _CODE.fullmatch(row.code):
        errors["code"] = [_("Use small letters, digits and hyphens.")]
    if not row.name or len(row.name) > 160:
        errors["name"] = [_("Give it a name by which people know it.")]
    return errors


def _wrong_type(actor: Actor, row: PublishedService) -> dict[str, list[Any]]:
    if not CaseType.objects.for_actor(actor).filter(code=row.case_type, is_active=True).exists():
        return {"case_type": [_("There is no such case type, or it is not in use.")]}
    others = PublishedService.objects.for_actor(actor).exclude(pk=row.pk)
    if row.is_active and others.filter(case_type=row.case_type, is_active=True).exists():
        return {"case_type": [_("Another service in use opens cases of this type.")]}
    return {}

"""Service requests: which cases are ones, for whom, and how the standard calls what they say."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from cases.models import Case, CaseTypeVersion, Confidentiality, Document, StateCategory
from cases.models.case import CaseQuerySet
from cases.permissions import VIEW_CASE
from cases.workflow import of_version
from crm.integrations.models import PublishedService
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.files import Scan
from crm.organisations.models import Organisation

MOST, LONGEST = 1_000, timedelta(days=90)
_STATUSES = {
    "open": Q(category__lt=StateCategory.RESOLVED),
    "closed": Q(category__gte=StateCategory.RESOLVED),
}
_KINDS = {"integer": "number", "number": "number", "boolean": "singlevaluelist"}


# --- Services ------------------------------------------------------------------------------------


def services_of(organisation: Organisation) -> list[PublishedService]:
    """What can be reported to the organisation now."""
    rows = PublishedService.objects.unscoped("what can be reported is public")
    return list(rows.filter(organisation=organisation, is_active=True).order_by("group", "name"))


def definitions(services: list[PublishedService]) -> dict[str, Any]:
    """The fields of each service's case type, by the type's code."""
    codes = {service.case_type for service in services}
    rows = CaseTypeVersion.objects.filter(
        case_type__organisation__in={service.organisation_id for service in services},
        case_type__code__in=codes,
        status=CaseTypeVersion.Status.PUBLISHED,
    ).select_related("case_type")
    return {row.case_type.code: of_version(row.bundle).fields for row in rows}


def service_item(service: PublishedService, fields: Any) -> dict[str, Any]:
    """A service of the list."""
    return {
        "service_code": service.code,
        "service_name": service.name,
        "description": service.description,
        "metadata": bool(fields is not None and list(fields)),
        "type": "realtime",
        "keywords": service.keywords,
        "group": service.group,
    }


def definition_item(service: PublishedService, fields: Any) -> dict[str, Any]:
    """The attributes that a report of the service may have."""
    return {
        "service_code": service.code,
        "attributes": [
            {
                "variable": True,
                "code": field.name,
                "datatype": _datatype(field),
                "required": field.required,
                "datatype_description": None,
                "order": number,
                "description": field.label,
                "values": _values(field),
            }
            for number, field in enumerate(fields or (), 1)
        ],
    }


def _datatype(field: Any) -> str:
    if field.type == "array":
        return "multivaluelist"
    if field.choices:
        return "singlevaluelist"
    if field.schema.get("format") in {"date", "date-time"}:
        return "datetime"
    long = field.type == "string" and int(field.schema.get("maxLength", 0)) > 255
    return "text" if long else _KINDS.get(field.type, "string")


def _values(field: Any) -> list[dict[str, str]]:
    if field.type == "boolean":
        return [{"key": "true", "name": _("Yes")}, {"key": "false", "name": _("No")}]
    return [{"key": str(choice), "name": str(choice)} for choice in field.choices]


def attributes(fields: Any, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """What came as `attribute[code]`, as the case type's own values."""
    data: dict[str, Any] = {}
    for field in fields or ():
        texts = [text for text in given.get(field.name, ()) if text]
        if texts:
            data[field.name] = texts if field.type == "array" else _value(field, texts[0])
    unknown = sorted(set(given) - {field.name for field in fields or ()})
    if unknown:
        text = _("The service has no attribute “%(name)s”.") % {"name": unknown[0][:60]}
        raise Invalid(errors={f"attribute[{unknown[0][:60]}]": [text]})
    return data


def _value(field: Any, text: str) -> Any:
    if field.type == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    try:
        if field.type == "integer":
            return int(text)
        if field.type == "number":
            return float(text)
    except ValueError:
        return text  # the schema says what is wrong with it
    return text


# --- Requests ------------------------------------------------------------------------------------


def visible(
    organisation: Organisation, services: list[PublishedService], actor: Actor | None
) -> CaseQuerySet:
    """The requests that anybody may read, or all that a key which sees cases may read."""
    codes = [service.case_type for service in services]
    if actor is not None and actor.holds(VIEW_CASE):
        rows = Case.objects.for_actor(actor)
        rows = rows.exclude(confidentiality=Confidentiality.SPECIAL)
    else:
        rows = Case.objects.unscoped("what is reported in public is read in public").filter(
            organisation=organisation,
            confidentiality=Confidentiality.PUBLIC,
            case_type__code__in=[service.case_type for service in services if service.public],
        )
    shown = Document.objects.unscoped("of cases that may be read: the public ones only").filter(
        confidentiality=Confidentiality.PUBLIC, withdrawn_at=None, media_type__startswith="image/"
    )
    return (
        rows.filter(case_type__code__in=codes)
        .select_related("case_type", "unit")
        .prefetch_related(Prefetch("documents", shown.order_by("pk"), to_attr="shown"))
    )


def filtered(rows: CaseQuerySet, query: Mapping[str, str]) -> CaseQuerySet:
    """Those that are asked for: by number, else of some days, newest first, a thousand at most."""
    numbers = _listed(query, "service_request_id")
    if numbers:
        return rows.filter(reference__in=numbers[:MOST]).order_by("-opened_at", "-id")[:MOST]
    begin, end = _span(query)
    rows = rows.filter(opened_at__gte=begin, opened_at__lte=end)
    if statuses := _listed(query, "status"):
        wanted = Q()
        for status in statuses:
            if status not in _STATUSES:
                raise Invalid(errors={"status": [_("The status is open or closed.")]})
            wanted |= _STATUSES[status]
        rows = rows.filter(wanted)
    return rows.order_by("-opened_at", "-id")[:MOST]


def _listed(query: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in query.get(name, "").split(",") if part.strip()]


def _span(query: Mapping[str, str]) -> tuple[datetime, datetime]:
    """From when to when: ninety days at most, by default the last ones."""
    begin, end = (_moment(query, name) for name in ("start_date", "end_date"))
    if end is None:
        end = min(begin + LONGEST, timezone.now()) if begin else timezone.now()
    if begin is None:
        begin = end - LONGEST
    if not begin <= end <= begin + LONGEST:
        raise Invalid(errors={"end_date": [_("Ask for ninety days at most.")]})
    return begin, end


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name, "").strip().replace(" ", "+")  # a plus that nobody escaped
    if not text:
        return None
    try:
        found = parse_datetime(text)
        if found is None or not 1970 <= found.year <= 9000:
            raise ValueError(text)
    except ValueError:
        message = _("Write the moment by ISO 8601: 2026-11-20T09:41:00+01:00.")
        raise Invalid(errors={name: [message]}) from None
    return found if found.tzinfo else timezone.make_aware(found)


def item(case: Case, service: PublishedService) -> dict[str, Any]:
    """A case in the standard's words."""
    return {
        "service_request_id": case.reference,
        "status": "closed" if case.ended else "open",
        "status_notes": case.outcome or None,
        "service_name": service.name,
        "service_code": service.code,
        "description": case.description or case.subject,
        "agency_responsible": case.unit.name,
        "service_notice": None,
        "requested_datetime": case.opened_at,
        "updated_datetime": case.updated_at,
        "expected_datetime": case.due_at,
        "address": case.address or None,
        "address_id": None,
        "zipcode": None,
        "lat": case.latitude,
        "long": case.longitude,
        "media_url": _media(case, service),
    }


def _media(case: Case, service: PublishedService) -> str | None:
    """Where the first picture is that anybody may see; of a case that not anybody may read, none."""
    if case.confidentiality != Confidentiality.PUBLIC or not service.public:
        return None
    documents: list[Document] = getattr(case, "shown", [])
    found = next((one for one in documents if Scan(one.scan).downloadable), None)
    if found is None:
        return None
    code = service.organisation.code.lower()
    return f"{settings.PUBLIC_URL}{reverse('open311:media', args=[code, found.uuid])}"

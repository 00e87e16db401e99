"""An appointment as iCalendar (RFC 5545, 5546): one UID for its life, SEQUENCE counts its moves."""

from collections.abc import Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from scheduling.models import Appointment, Modality, Status

PUBLISH, REQUEST, CANCEL = "PUBLISH", "REQUEST", "CANCEL"
_LONGEST = 75  # octets of a line, without its end
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def written(row: Appointment, method: str = PUBLISH) -> str:
    """The appointment as a calendar of one event; with CANCEL it leaves the calendars that have it."""
    organisation = row.office.unit.organisation
    with translation.override(row.language):
        summary = f"{row.service.name} · {organisation.short_name or organisation.name}"
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Ventanilla//Appointments//ES",
            f"METHOD:{method}",
            "BEGIN:VEVENT",
            f"UID:{row.ical_uid}",
            f"SEQUENCE:{row.ical_sequence}",
            f"DTSTAMP:{_utc(timezone.now())}",
            f"DTSTART:{_utc(row.starts_at)}",
            f"DTEND:{_utc(row.ends_at)}",
            f"SUMMARY:{escaped(summary)}",
            f"DESCRIPTION:{escaped(_description(row))}",
            f"STATUS:{'CANCELLED' if row.status == Status.CANCELLED else 'CONFIRMED'}",
            f"ORGANIZER;CN={_parameter(organisation.name)}:mailto:{settings.DEFAULT_FROM_EMAIL}",
        ]
        if row.email and method != PUBLISH:
            lines.append(f"ATTENDEE;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{row.email}")
        if row.modality == Modality.IN_PERSON:
            lines.append(f"LOCATION:{escaped(f'{row.office.name}, {row.office.address}')}")
            if row.office.latitude is not None:
                lines.append(f"GEO:{row.office.latitude:.6f};{row.office.longitude:.6f}")
        lines += ["END:VEVENT", "END:VCALENDAR"]
    return "".join(f"{part}\r\n" for line in lines for part in folded(line))


def escaped(text: str) -> str:
    """A text as a value holds it."""
    return text.translate(_ESCAPES)


def folded(line: str) -> Iterator[str]:
    """The line in parts of at most 75 octets, no character cut; each but the first begins with a space."""
    part = ""
    for sign in line:
        if len((part + sign).encode()) > _LONGEST:
            yield part
            part = " "
        part += sign
    yield part


def _description(row: Appointment) -> str:
    papers = "".join(f"\n- {paper}" for paper in row.service.required_papers)
    told = _("Reference: %(reference)s") % {"reference": row.shown_reference}
    return f"{told}\n{_('What to bring')}:{papers}" if papers else told


def _parameter(text: str) -> str:
    return '"' + "".join(sign for sign in text if sign.isprintable() and sign != '"') + '"'


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"

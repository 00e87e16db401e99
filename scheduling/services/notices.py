"""What a person is told by e-mail; whether it is still true is decided when it is sent."""

from datetime import datetime, timedelta
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from email.utils import formataddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.accounts.actors import system_actor
from crm.kit import outbox
from crm.kit.actor import Door, Origin
from crm.kit.mail import post
from crm.kit.secrets import decrypt
from scheduling.ical_writing import CANCEL, REQUEST, written
from scheduling.models import Appointment, EventKind, Notice, Status
from scheduling.permissions import BOOK_APPOINTMENT
from scheduling.presenting import day_and_hour, shown_code
from scheduling.services.writing import moment, write

DELIVER_NOTICE = "scheduling.deliver_notice"
DAY_BEFORE = timedelta(hours=24)
GIVE_UP_AFTER = timedelta(hours=20)
_METHODS = {
    Notice.Kind.BOOKED: REQUEST,
    Notice.Kind.MOVED: REQUEST,
    Notice.Kind.CANCELLED: CANCEL,
}


def tell(row: Appointment, kind: Notice.Kind) -> Notice | None:
    """The person will hear of it, once for this arrangement; whoever has no mailbox is not told so."""
    if not row.email:
        return None
    notice, made = Notice.objects.get_or_create(
        appointment=row, kind=kind, sequence=row.ical_sequence, defaults={"address": row.email}
    )
    if made:
        outbox.send_later(DELIVER_NOTICE, {"notice": str(notice.uuid)}, key=str(notice.uuid))
    return notice


@transaction.atomic
def send_code_again(row: Appointment) -> None:
    """The code is on its way to the person's mailbox once more."""
    if not row.email:
        return
    notice, _made = Notice.objects.get_or_create(
        appointment=row,
        kind=Notice.Kind.CODE,
        sequence=row.ical_sequence,
        defaults={"address": row.email},
    )
    notice.state = Notice.State.QUEUED
    notice.save(update_fields=["state", "updated_at"])
    outbox.send_later(DELIVER_NOTICE, {"notice": str(notice.uuid)})


def remind_due() -> int:
    """Everybody whose appointment is within a day is to be reminded, once for each time arranged;
    how many are now. Who arranged it within that day knows it anyway."""
    now, count = moment(), 0
    told = Notice.objects.unscoped("reminders of every organisation").filter(
        kind=Notice.Kind.REMINDER, sequence=F("appointment__ical_sequence")
    )
    due = (
        Appointment.objects.unscoped("reminders of every organisation")
        .filter(status=Status.BOOKED, starts_at__gt=now, starts_at__lte=now + DAY_BEFORE)
        .filter(arranged_at__lt=F("starts_at") - DAY_BEFORE)
        .exclude(email="")
        .exclude(pk__in=told.values("appointment"))
        .order_by("starts_at", "pk")
    )
    for row in due[:500]:
        with transaction.atomic():
            count += tell(row, Notice.Kind.REMINDER) is not None
    return count


def deliver_notice(notice: UUID) -> None:
    """What is still true has been handed to the mail server, or has failed for good; else TryLater."""
    found = (
        Notice.objects.unscoped("a worker serves every organisation")
        .select_related("appointment__service", "appointment__office__unit__organisation")
        .filter(uuid=notice, state=Notice.State.QUEUED)
        .first()
    )
    if found is None:
        return
    if not _still_true(found, moment()):
        _settle(notice, Notice.State.SKIPPED)
        return
    try:
        post(_mail(found))
    except outbox.Undeliverable:
        _settle(notice, Notice.State.FAILED)
    except outbox.TryLater:
        if timezone.now() - found.updated_at < GIVE_UP_AFTER:
            raise
        _settle(notice, Notice.State.FAILED)
    else:
        _settle(notice, Notice.State.SENT)


def doubt_notice(notice: UUID) -> None:
    """The notice may have arrived or not; it is not sent again by itself."""
    _settle(notice, Notice.State.UNKNOWN)


def _still_true(notice: Notice, now: datetime) -> bool:
    row = notice.appointment
    if notice.kind == Notice.Kind.CANCELLED:
        return row.status == Status.CANCELLED
    if notice.sequence != row.ical_sequence:
        return False
    if notice.kind == Notice.Kind.CODE:
        return row.status in {Status.HELD, Status.BOOKED}
    return row.status == Status.BOOKED and row.starts_at > now


@transaction.atomic
def _settle(notice: UUID, state: Notice.State) -> None:
    """What became of it stands in the notice; a reminder that left, in the appointment's story, too."""
    row = (
        Notice.objects.unscoped("a worker serves every organisation")
        .select_for_update(of=("self",))
        .filter(uuid=notice, state__in=[Notice.State.QUEUED, Notice.State.UNKNOWN])
        .first()
    )
    if row is None:
        return
    row.state = state
    row.sent_at = timezone.now() if state == Notice.State.SENT else None
    row.save(update_fields=["state", "sent_at", "updated_at"])
    if row.kind == Notice.Kind.REMINDER and state == Notice.State.SENT:
        appointment = (
            Appointment.objects.unscoped("a worker serves every organisation")
            .select_for_update(of=("self",))
            .select_related("office", "citizen", "organisation")
            .get(pk=row.appointment_id)
        )
        actor = system_actor(appointment.organisation, Origin(Door.TASK))
        write(actor, BOOK_APPOINTMENT, appointment, EventKind.REMINDED)


def _mail(notice: Notice) -> EmailMessage:
    row = notice.appointment
    organisation = row.office.unit.organisation
    host = settings.PUBLIC_URL.split("//")[-1].split(":")[0]
    page = settings.PUBLIC_URL + reverse("scheduling:find", args=[organisation.code])
    with translation.override(row.language):
        subjects = {
            Notice.Kind.CODE: _("Your code to confirm the appointment: %(code)s"),
            Notice.Kind.BOOKED: _("Your appointment is confirmed: %(when)s"),
            Notice.Kind.MOVED: _("Your appointment has changed: %(when)s"),
            Notice.Kind.CANCELLED: _("Your appointment is cancelled: %(when)s"),
            Notice.Kind.REMINDER: _("Reminder of your appointment: %(when)s"),
        }
        when = day_and_hour(row)
        code = shown_code(decrypt(row.code))
        context = {
            "row": row,
            "when": when,
            "code": code,
            "organisation": organisation,
            "page": f"{page}?referencia={row.reference}",
        }
        message = EmailMessage(
            subject=subjects[Notice.Kind(notice.kind)] % {"when": when, "code": code},
            body=render_to_string(f"scheduling/mail/{notice.kind}.txt", context),
            from_email=formataddr((organisation.name, settings.DEFAULT_FROM_EMAIL)),
            to=[notice.address],
            headers={"Message-ID": f"<{notice.uuid}@{host}>"},
        )
        method = _METHODS.get(Notice.Kind(notice.kind))
        if method:
            message.attach(_calendar(row, method))
    return message


def _calendar(row: Appointment, method: str) -> MIMEBase:
    """The appointment as a mail program puts it into a calendar, or takes it out."""
    part = MIMEBase("text", "calendar", method=method, charset="UTF-8")
    part.set_payload(written(row, method).encode())
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename="cita.ics")
    return part

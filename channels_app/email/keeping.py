"""How long the source of a letter is kept: as long as its case needs it, then as its organisation says.

What was read of it (words, files, who and when) stays in the conversation; only the raw message goes, and
with it what it showed of servers on the way and of files that were refused.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from cases.models import Case
from channels_app.models import InboundMail
from crm.audit.record import record_by_itself
from crm.kit.actor import Door
from crm.organisations import options
from crm.organisations.models import Organisation

MOST = 2_000  # sources of an organisation in one go
_MONTH = timedelta(days=30.4375)
_Status = InboundMail.Status


def forget_sources() -> int:
    """Sources that have been kept long enough are gone; how many, in all organisations."""
    organisations = Organisation.objects.unscoped("each by its own rule").order_by("pk")
    return sum(_forget(organisation) for organisation in organisations)


def _forget(organisation: Organisation) -> int:
    months = options.read(organisation).mail_source_months
    before = timezone.now() - months * _MONTH
    with transaction.atomic():
        rows = list(
            _served(organisation, before)
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("received_at")
            .values_list("pk", flat=True)[:MOST]
        )
        if rows:
            InboundMail.objects.unscoped("each by its own rule").filter(pk__in=rows).update(
                raw=None
            )
            record_by_itself(
                "retention_run",
                organisation_id=organisation.pk,
                door=Door.TASK,
                kind="mail_source",
                rows=len(rows),
            )
    return len(rows)


def _served(organisation: Organisation, before: datetime) -> "QuerySet[InboundMail]":
    """Those that came before that moment and that nothing needs any more.

    Whoever has not decided yet needs it (quarantine); so does a case that is open, or was closed since,
    and a conversation that goes on.
    """
    cases = Case.objects.unscoped("of the letters").filter(
        conversation_links__conversation=OuterRef("message__conversation")
    )
    needed = cases.filter(Q(closed_at=None) | Q(closed_at__gte=before))
    return (
        InboundMail.objects.unscoped("each by its own rule")
        .filter(organisation=organisation, raw__isnull=False, received_at__lt=before)
        .exclude(status=_Status.QUARANTINE)
        .filter(
            Q(message=None)
            | Q(message__conversation__closed_at__lt=before)
            | Q(Exists(cases), message__conversation__last_message_at__lt=before)
        )
        .exclude(Exists(needed))
    )

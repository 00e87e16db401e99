"""Files of conversations that came while the virus scanner did not answer."""

import time

from django.db import transaction

from channels_app.models import Attachment
from channels_app.permissions import ATTEND
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.kit import files
from crm.kit.actor import Door, Origin
from crm.kit.errors import NotFound

PATIENCE = 60  # seconds for a scanner that answers slowly


def look_again(at_most: int = 200) -> int:
    """Files that wait for the scanner are judged, those asked about longest ago first; how many were."""
    waiting = Attachment.objects.unscoped("the scanner judges for everyone").filter(
        scan=files.Scan.UNAVAILABLE
    )
    judged, began = 0, time.monotonic()
    for attachment in waiting.select_related("organisation").order_by("updated_at", "pk")[:at_most]:
        if time.monotonic() - began > PATIENCE:
            break
        try:
            found = files.scan(attachment.path)
        except NotFound:
            found = files.Scan.UNAVAILABLE
        with transaction.atomic():
            attachment.scan = found
            attachment.save(update_fields=["scan", "updated_at"])
            if found != files.Scan.UNAVAILABLE:
                actor = system_actor(attachment.organisation, Origin(Door.TASK))
                record(actor, ATTEND, attachment, scan=found.value)
                judged += 1
    return judged

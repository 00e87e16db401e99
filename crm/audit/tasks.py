"""The audit trail's own work: sealing, checkpoints, next year's partition, verification on request."""

from celery import shared_task
from django.db import connection
from django.utils import timezone

from crm.audit import chain, checkpoints
from crm.audit.services import verify_trail
from crm.kit.actor import Door
from crm.kit.tasks import every


@every(2)
@shared_task(name="audit.seal", expires=10)
def seal() -> None:
    """Seal what is final by now; a pass that finds nothing costs three look-ups."""
    chain.seal()


@every(60)
@shared_task(name="audit.checkpoint", expires=60)
def checkpoint() -> None:
    """Sign the end of the chain in the file outside the database."""
    checkpoints.write()


@every(24 * 3600)
@shared_task(name="audit.make_partitions")
def make_partitions() -> None:
    """Have this year's and next year's partition ready."""
    year = timezone.now().year
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_make_partition(y) FROM unnest(%s) y", [[year, year + 1]])


@shared_task(name="audit.verify")
def verify(organisation_id: int, asked_by: str) -> None:
    """Verify the trail for an auditor who asked for it; the result is an entry of the trail."""
    verify_trail(organisation_id=organisation_id, door=Door.TASK, asked_by=asked_by)

"""Background work on cases."""

from uuid import UUID

from celery import shared_task

from cases.services import bulk
from crm.kit.tasks import enqueue, every


@shared_task(name=bulk.TASK)
def run_bulk(action: str) -> None:
    """Run a bulk action to its end."""
    bulk.run_bulk(UUID(action))


@every(60)
@shared_task(name="cases.resume_bulk")
def resume_bulk() -> None:
    """Take up again the bulk actions whose worker died."""
    for action in bulk.stalled_bulks():
        enqueue(bulk.TASK, str(action))

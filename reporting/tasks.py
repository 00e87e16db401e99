"""Tasks of the reporting room: each takes ids and may run twice."""

from celery import shared_task

from crm.kit.tasks import enqueue, every
from reporting import leases, services


@shared_task(name="reporting.make_history")
def make_history(pk: int) -> None:
    """Make one queued history."""
    services.make_history(pk)


@shared_task(name="reporting.make_batch")
def make_batch(pk: int) -> None:
    """Go on with a batch of histories."""
    services.make_batch(pk)


@every(10)
@shared_task(name="reporting.sweep")
def sweep() -> None:
    """Hand out again what waits: what was never told, what is due again, what died with its worker."""
    for task, pk in leases.due():
        enqueue(task, pk)

"""Tasks of the reporting room: each takes ids and may run twice."""

from celery import shared_task

from crm.kit.tasks import enqueue, every
from crm.organisations.models import Organisation
from reporting import exporting, facts, leases, services


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


@shared_task(name="reporting.make_export")
def make_export(pk: int) -> None:
    """Make one file that was asked for."""
    exporting.make_export(pk)


@every(20)
@shared_task(name="reporting.refresh_facts", soft_time_limit=1800, time_limit=1900)
def refresh_facts() -> None:
    """Count what has happened since the last time; one organisation's trouble is not the others'."""
    rows = Organisation.objects.unscoped("counting serves no single actor").filter(is_active=True)
    for organisation in rows.order_by("pk"):
        facts.refresh_alone(organisation)


@every(3600)
@shared_task(name="reporting.forget_exports")
def forget_exports() -> None:
    """Exports go after a week, with their bytes."""
    exporting.forget_exports()

"""The clock and the senders of campaigns; each may run twice."""

from celery import shared_task

from campaigns.services import launching, sending
from crm.kit.tasks import every


@every(5)
@shared_task(name="campaigns.tend", expires=30)
def tend() -> None:
    """Launch what is due; end what has nothing left to send."""
    launching.tend()


@every(5)
@shared_task(name="campaigns.send", expires=10)
def send() -> None:
    """Send what is due."""
    sending.send_due()


@every(30)
@shared_task(name="campaigns.sweep", expires=30)
def sweep() -> None:
    """Find again what died with its worker."""
    sending.sweep()

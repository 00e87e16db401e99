"""Background work on appointments."""

from celery import shared_task

from crm.kit.tasks import every
from scheduling import services


@every(60)
@shared_task(name="scheduling.expire_holds", expires=60)
def expire_holds() -> None:
    """Free the times that nobody confirmed."""
    services.expire_holds()


@every(300)
@shared_task(name="scheduling.remind", expires=300)
def remind() -> None:
    """Remind everybody whose appointment is within a day; what is sent is decided when it is sent."""
    services.remind_due()

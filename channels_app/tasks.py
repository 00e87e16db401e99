"""Background work on conversations."""

from celery import shared_task

from channels_app.services import presence, routing, scanning, visiting
from crm.kit.tasks import every


@every(5)
@shared_task(name="channels.sweep", expires=5)
def sweep() -> None:
    """Make up for what no notification told: offers that ran out, desks that closed, work that waits."""
    presence.sweep()
    routing.expire_offers()
    routing.end_wrap_ups()
    routing.take_from_the_gone()
    visiting.sweep_silent()
    routing.match_all()


@every(300)
@shared_task(name="channels.look_again", expires=300)
def look_again() -> None:
    """Have the virus scanner judge the files that came while it did not answer."""
    scanning.look_again()

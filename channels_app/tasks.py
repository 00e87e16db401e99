"""Background work on conversations."""

from uuid import UUID

from celery import shared_task

from channels_app.bots import first_level, owed
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
    first_level.sweep_owed()


@every(300)
@shared_task(name="channels.look_again", expires=300)
def look_again() -> None:
    """Have the virus scanner judge the files that came while it did not answer."""
    scanning.look_again()


@shared_task(name=owed.PHRASE, expires=30)
def phrase_answer(answer: str) -> None:
    """Have a language model phrase an answer that is owed."""
    first_level.phrase(UUID(answer))

"""What is done for citizens behind the scenes."""

import time

from celery import shared_task

from crm.citizens import vocabulary
from crm.citizens.services import duplicates, mandates
from crm.kit.tasks import every, exclusive

A_WHILE = 40  # seconds


@every(24 * 3600)
@shared_task(name="citizens.count_name_words")
def count_name_words() -> None:
    """Count anew how many people bear each word of a name; a second one at a time is dropped."""
    with exclusive("citizens.count_name_words") as mine:
        if mine:
            vocabulary.count_bearers()


@every(24 * 3600)
@shared_task(name="citizens.tell_expiring_mandates")
def tell_expiring_mandates() -> None:
    """Tell once of each mandate that its last day is near."""
    mandates.tell_expiring()


@every(300)
@shared_task(name="citizens.look_again", expires=300)
def look_again() -> None:
    """Have the virus scanner judge the proofs that came while it did not answer."""
    mandates.look_again()


@every(24 * 3600)
@shared_task(name="citizens.begin_duplicate_scans")
def begin_duplicate_scans() -> None:
    """Have every organisation's records looked through; one that runs goes on."""
    duplicates.start_everywhere()


@every(300)
@shared_task(name=duplicates.LOOK)
def look_for_duplicates() -> None:
    """Look through records batch by batch for a while; what is left is the next run's."""
    until = time.monotonic() + A_WHILE
    while time.monotonic() < until and duplicates.look_on():
        pass

"""What is done for citizens behind the scenes."""

from celery import shared_task

from crm.citizens import vocabulary
from crm.kit.tasks import every, exclusive


@every(24 * 3600)
@shared_task(name="citizens.count_name_words")
def count_name_words() -> None:
    """Count anew how many people bear each word of a name; a second one at a time is dropped."""
    with exclusive("citizens.count_name_words") as mine:
        if mine:
            vocabulary.count_bearers()

"""Background work on news."""

from celery import shared_task

from crm.kit.tasks import every
from crm.notices import services


@every(30)
@shared_task(name="notices.owe_digests", expires=30)
def owe_digests() -> None:
    """Who wants news by e-mail now is owed one."""
    services.owe_digests()


@every(3600)
@shared_task(name="notices.forget_old", expires=3600)
def forget_old() -> None:
    """News that were read are not kept for long."""
    services.forget_old()

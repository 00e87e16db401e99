"""Background work of e-mail."""

from uuid import UUID

from celery import shared_task

from channels_app.email import fetching, keeping
from channels_app.models import AccountKind, ChannelAccount
from crm.kit.tasks import enqueue, every

FETCH = "channels.fetch_mailbox"


@every(30)
@shared_task(name="channels.fetch_mail", expires=30)
def fetch_mail() -> None:
    """Have every mailbox looked into whose time has come."""
    for account in fetching.due():
        enqueue(FETCH, account)


@shared_task(name=FETCH, expires=300)
def fetch_mailbox(account: str) -> None:
    """Take in what is new in one mailbox; a second one at a time finds it leased and goes."""
    row = (
        ChannelAccount.objects.unscoped("a worker serves every organisation")
        .select_related("organisation", "unit", "queue")
        .filter(kind=AccountKind.EMAIL, is_active=True, uuid=UUID(account))
        .first()
    )
    if row is not None:
        fetching.fetch(row)


@every(3600)
@shared_task(name="channels.forget_mail_sources")
def forget_mail_sources() -> None:
    """Sources of letters that have served are not kept."""
    keeping.forget_sources()

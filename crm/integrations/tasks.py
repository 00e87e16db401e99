"""Work for the workers: telling who is to be told, and forgetting what has been kept long enough."""

from celery import shared_task
from django.utils import timezone

from crm.integrations import outgoing
from crm.integrations.models import CallLog, Connection, KeptAnswer, WebhookDelivery
from crm.kit.tasks import every

_REASON = "kept long enough"


@every(2)
@shared_task(name="integrations.deliver_webhooks")
def deliver_webhooks() -> None:
    """Send what is due until nothing is."""
    while outgoing.deliver_due():
        pass


@every(3600)
@shared_task(name="integrations.forget_old_rows")
def forget_old_rows() -> None:
    """Drop calls after 90 days, deliveries after 30, and answers after as long as each connection says."""
    now = timezone.now()
    CallLog.objects.unscoped(_REASON).filter(at__lt=now - CallLog.KEPT).delete()
    old = WebhookDelivery.objects.unscoped(_REASON)
    old.filter(created_at__lt=now - WebhookDelivery.KEPT).delete()
    for connection in Connection.objects.unscoped(_REASON):
        kept = KeptAnswer.objects.unscoped(_REASON).filter(connection=connection)
        kept.filter(fetched_at__lt=now - connection.keeps_for).delete()

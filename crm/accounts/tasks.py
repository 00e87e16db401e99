"""What accounts sweep away: sessions, attempts and links that are over."""

from datetime import timedelta

from axes.models import AccessAttempt
from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from crm.accounts.models import Invitation
from crm.kit.tasks import every

ATTEMPTS_KEPT = timedelta(days=1)
INVITATIONS_KEPT = timedelta(days=30)


@every(3600)
@shared_task(name="accounts.forget_old_rows")
def forget_old_rows() -> None:
    """Drop sessions that expired, attempts to sign in after a day, and links a month after their end."""
    now = timezone.now()
    SessionStore.clear_expired()
    AccessAttempt.objects.filter(attempt_time__lt=now - ATTEMPTS_KEPT).delete()
    Invitation.objects.unscoped("sweeping").filter(expires_at__lt=now - INVITATIONS_KEPT).delete()

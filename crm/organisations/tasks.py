"""The organisations room's own work: official holidays of the years to come."""

from celery import shared_task

from crm.kit.tasks import every
from crm.organisations.models import WorkingCalendar
from crm.organisations.selectors import PUBLIC_CALENDAR
from crm.organisations.services import load_public_holidays


@every(24 * 3600)
@shared_task(name="organisations.load_holidays")
def load_holidays() -> None:
    """Every shared calendar has the holidays up to the year after next."""
    shared = WorkingCalendar.objects.unscoped("shared by all").filter(organisation=None)
    for code in shared.values_list("code", flat=True):
        load_public_holidays(code.removeprefix(PUBLIC_CALENDAR).removeprefix("-") or None)

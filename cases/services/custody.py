"""Since when which unit is responsible for a case: what the trigger of Custody is told."""

from django.db import connection

from cases.models import Case, Custody
from cases.models.transfers import MOMENT
from cases.services.writing import moment
from crm.organisations.models import Unit


def tell_moment() -> None:
    """What the transaction does with units from here on happened at the moment that is being told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [MOMENT, moment().isoformat()])


def begin_custody(case: Case, since_opened: Unit) -> None:
    """A case that has no rows yet says that the unit has had it since it was opened."""
    rows = Custody.objects.unscoped("of a case that a verb holds")
    if not rows.filter(case=case).exists():
        rows.create(case=case, unit=since_opened, since=case.opened_at)


def hand_over(case: Case, received: Case) -> None:
    """From now on another organisation's unit has the matter: both cases tell it with all before.

    The received case was opened when the given one was, so that its term does not begin anew.
    """
    begin_custody(case, case.unit)
    rows = Custody.objects.unscoped("of cases that a verb holds")
    last = rows.get(case=case, until=None)
    last.until = max(moment(), last.since)
    last.save(update_fields=["until"])
    told = [(row.unit_id, row.since, row.until) for row in rows.filter(case=case)]
    rows.bulk_create(
        [
            *(
                Custody(case=received, unit_id=unit, since=since, until=until)
                for unit, since, until in told
            ),
            *(Custody(case=one, unit=received.unit, since=last.until) for one in (case, received)),
        ]
    )

"""What becomes of offices when units close or merge."""

from django.utils.translation import gettext_lazy as _

from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.organisations.models import Unit
from scheduling.models import Office
from scheduling.permissions import MANAGE_AGENDA


def reason_to_stay_open(unit: Unit) -> Text | None:
    """A unit whose offices take appointments is not closed; None if it has none."""
    offices = Office.objects.unscoped("a unit's own, whoever closes it").filter(unit=unit)
    count = offices.filter(is_active=True).count()
    if not count:
        return None
    return _("It has offices that take appointments: %(count)s.") % {"count": count}


def move_all(actor: Actor, source: Unit, target: Unit) -> int:
    """The offices of the first unit are the second's, with all their agendas; how many."""
    offices = Office.objects.for_actor(actor).filter(unit=source).select_for_update()
    rows = list(offices.order_by("pk"))
    for office in rows:
        office.unit = target
        office.save(update_fields=["unit", "updated_at"])
        record(actor, MANAGE_AGENDA, office, act="unit", unit=str(target.uuid))
    return len(rows)

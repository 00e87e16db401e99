"""What becomes of cases when their unit closes or is merged into another."""

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from cases.events import CaseEvent
from cases.models import UNSETTLED, Case, CaseTransfer, Consultation, EventKind, StateCategory, Task
from cases.permissions import TRANSFER_CASE
from cases.services.custody import tell_moment
from cases.services.handing import locked_case, settle, tell_case
from crm.audit.record import record_rows
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.organisations.models import Unit

MOST_COUNTED = 1_000


def reason_to_stay_open(unit: Unit) -> Text | None:
    """A unit with open cases cannot close: nobody would be responsible for them."""
    open_ones = Case.objects.unscoped("a unit's own").filter(
        unit=unit, category__lt=StateCategory.RESOLVED
    )
    count = len(open_ones.values_list("pk")[: MOST_COUNTED + 1])
    if not count:
        given = Task.objects.unscoped("a unit's own").filter(unit=unit, state__in=UNSETTLED)
        if given.exists():
            return _("It has tasks to do: give them to another unit first.")
        return None
    shown = str(count) if count <= MOST_COUNTED else f"{MOST_COUNTED}+"
    return _("It has open cases: %(count)s. Change their unit first.") % {"count": shown}


def move_all(actor: Actor, unit: Unit, into: Unit) -> int:
    """Every case of the unit is of the other, open or ended, each with its event; how many.

    Set by set in the database: a unit may hold a hundred thousand.
    """
    told = [actor.kind, actor.id, actor.name[:200]]
    Task.objects.unscoped("a unit's own").filter(unit=unit).update(unit=into)
    tell_moment()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE moved (id bigint, uuid uuid, reference text, seq int, version int)"
            " ON COMMIT DROP"
        )
        cursor.execute(
            """
            WITH changed AS (
                UPDATE cases_case SET unit_id = %s, last_event = last_event + 1,
                  version = version + 1, updated_at = now()
                WHERE unit_id = %s RETURNING id, uuid, reference, last_event, version)
            INSERT INTO moved SELECT * FROM changed
            """,
            [into.pk, unit.pk],
        )
        count: int = cursor.rowcount
        cursor.execute(
            """
            INSERT INTO cases_event (case_id, organisation_id, seq, kind, at, actor_kind, actor_id,
              actor_name, data)
            SELECT id, %s, seq, %s, now(), %s, %s::bigint, %s,
              jsonb_build_object('from', %s::text, 'to', %s::text, 'reason', %s::text,
                'version', version)
            FROM moved
            """,
            [
                actor.organisation_id,
                EventKind.UNIT_CHANGED,
                *told,
                unit.name,
                into.name,
                _("The units were merged."),
            ],
        )
        record_rows(
            actor,
            TRANSFER_CASE,
            Case,
            "SELECT uuid, reference, jsonb_build_object('unit', %s::text) FROM moved",
            [into.code],
        )
        cursor.execute(
            """
            INSERT INTO kit_outbox (topic, payload)
            SELECT %s, jsonb_build_object('organisation_id', %s, 'case', uuid,
              'reference', reference, 'seq', seq, 'kind', %s::text)
            FROM moved
            """,
            [CaseEvent.topic, actor.organisation_id, EventKind.UNIT_CHANGED],
        )
        cursor.execute("DROP TABLE moved")
    return count


# --- What lies between units ---------------------------------------------------------------------


def reason_to_answer_first(unit: Unit) -> Text | None:
    """A unit that others wait for cannot close: nobody would answer them."""
    offers = CaseTransfer.objects.unscoped("a unit's own").filter(
        target_unit=unit, state=CaseTransfer.State.OFFERED
    )
    asked = Consultation.objects.unscoped("a unit's own").filter(
        target_unit=unit, state__in=Consultation.OPEN
    )
    if offers.exists() or asked.exists():
        return _("Transfers or questions wait for its answer: answer them first.")
    return None


def move_between(actor: Actor, unit: Unit, into: Unit) -> int:
    """What was sent to the unit is sent to the other; what would go from it to itself is withdrawn."""
    why, count = str(_("The units were merged.")), 0
    ends = Q(origin_unit=unit) | Q(target_unit=unit)
    offers = CaseTransfer.objects.unscoped("a unit's own").filter(
        ends, state=CaseTransfer.State.OFFERED
    )
    asked = Consultation.objects.unscoped("a unit's own").filter(ends, state__in=Consultation.OPEN)
    for rows, kind in (
        (offers, EventKind.TRANSFER_WITHDRAWN),
        (asked, EventKind.CONSULTATION_WITHDRAWN),
    ):
        for found in rows.order_by("pk"):
            case = locked_case(found.case_id)
            row = found
            origin = into.pk if row.origin_unit_id == unit.pk else row.origin_unit_id
            target = into.pk if row.target_unit_id == unit.pk else row.target_unit_id
            if origin == target:
                settle(row, actor.name, type(row).State.WITHDRAWN)
                tell_case(actor, case, row, kind, {"reason": why})
            else:
                row.origin_unit_id, row.target_unit_id = origin, target
            row.save()
            count += 1
    return count

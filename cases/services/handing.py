"""What transfers and questions to other areas do alike: where they go, until when, who is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.clocks import end_of
from cases.models import Case, CaseTransfer, Consultation, EventKind
from cases.models.transfers import Between
from cases.permissions import CHANGE_CASE, TRANSFER_CASE
from cases.services.packets import settled
from cases.services.writing import moment, write
from cases.terms import deadline, read_term
from cases.texts import one_line, paragraphs
from crm.accounts.actors import system_actor
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.organisations import options
from crm.organisations.calendars import NotCovered, add_working_time
from crm.organisations.models import DataClass, Organisation, SharingAgreement, Unit
from crm.organisations.services import calendar_for

LONGEST = 4_000
B = TypeVar("B", bound=Between)


def receiving_unit(actor: Actor, case: Case, unit: UUID, organisation: str = "") -> Unit:
    """The open unit to which something is sent, of the actor's organisation or of that of the code;
    Invalid if there is none."""
    rows = Unit.objects.unscoped("any organisation's unit may be written to")
    found = (
        rows.select_related("organisation")
        .filter(uuid=unit, closed_on=None, organisation__is_active=True)
        .filter(organisation__code=organisation or actor.organisation_code)
        .first()
    )
    if found is None:
        raise Invalid(errors={"unit": [_("There is no such unit, or it is closed.")]})
    if found.pk == case.unit_id:
        raise Invalid(errors={"unit": [_("The case is already in this unit.")]})
    return found


def words(text: str, field: str = "text", most: int = LONGEST) -> str:
    """What was written, which must be something and not too much."""
    given = paragraphs(text) if most == LONGEST else one_line(text)
    if not given:
        raise Invalid(errors={field: [_("This field is required.")]})
    if len(given) > most:
        raise Invalid(errors={field: [_("Write at most %(limit)s characters.") % {"limit": most}]})
    return given


def until(unit: Unit, term: str) -> datetime:
    """When a term given to a unit ends: 4h in its hours of attention, 3wd at the end of a day there."""
    calendar, now = calendar_for(unit), moment()
    text = term.strip()
    hours = text.removesuffix("h")
    if text.endswith("h") and hours.isdecimal() and hours.isascii() and 1 <= int(hours) <= 200:
        try:
            return add_working_time(calendar, now, timedelta(hours=int(hours)))
        except NotCovered:
            message = _("The calendar of %(unit)s says no hours of attention: give it days.")
            raise Invalid(errors={"term": [message % {"unit": unit.name}]}) from None
    try:
        read = read_term(text)
    except ValueError:
        read = None
    if read is None or read.count > 200 or read.unit not in ("wd", "d", "m"):
        raise Invalid(errors={"term": [_("Write the time as 4h, 3wd, 15d or 1m.")]})
    today = now.astimezone(calendar.zone).date()
    try:
        return end_of(deadline(calendar, today, [read]).due, calendar)
    except NotCovered as error:
        raise Invalid(errors={"term": [error.message]}) from None


def agreement_for(giver_id: int, receiver_id: int, classes: set[str]) -> SharingAgreement | None:
    """The agreement in force today by which the one may give these classes of data to the other."""
    rows = SharingAgreement.objects.unscoped("between the two that write to each other")
    return (
        rows.filter(
            giver=giver_id,
            receiver=receiver_id,
            revoked_at=None,
            valid__contains=timezone.localdate(),
            data_classes__contains=sorted(classes | {DataClass.CASE_STATUS.value}),
        )
        .order_by("pk")
        .first()
    )


@dataclass(frozen=True, slots=True)
class AsIfIn:
    """A case as the rules would see it in another unit: who may decide there whether to have it."""

    organisation_id: int
    unit_id: int
    confidentiality: int
    ended: bool


def as_if_in(unit: Unit, case: Case) -> AsIfIn:
    """The case as if it were in that unit already."""
    return AsIfIn(unit.organisation_id, unit.pk, case.confidentiality, case.ended)


def locked_case(pk: int) -> Case:
    """The case that lies between two units, locked, whoever's it is."""
    rows = Case.objects.unscoped("what lies between two units was fetched for the actor")
    rows = rows.select_related("case_type", "type_version", "unit__organisation", "citizen")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)


def locked(rows: QuerySet[B], row: B) -> B:
    """The row as it stands, locked. Its case is locked before it, by everybody."""
    found = rows.filter(pk=row.pk).select_for_update(of=("self",))
    return found.select_related(
        "origin_unit__organisation", "target_unit__organisation", "agreement"
    ).get()


def writer_for(actor: Actor, case: Case) -> Actor:
    """Who writes in the case: the actor, or in another organisation's case that organisation's own
    system in the name of the actor's organisation."""
    if actor.organisation_id == case.organisation_id:
        return actor
    return system_for(case, actor, actor.organisation_name)


def system_for(case: Case, actor: Actor, name: str) -> Actor:
    """The system of the case's organisation, writing in that name what the actor brings."""
    organisation = Organisation.objects.unscoped("whose case it is").get(pk=case.organisation_id)
    return system_actor(organisation, actor.origin, name=name)


def settle(row: Between, by: str, state: str) -> None:
    """The row is answered; of what it showed of the case nothing is kept here."""
    row.state = state  # type: ignore[attr-defined] # both kinds have one
    row.answered_at, row.answered_by_name = moment(), by[:200]
    row.packet = settled(row.packet)


def named_unit(row: Between, organisation_id: int) -> str:
    """The unit asked, with its organisation for the others."""
    unit = row.target_unit
    if unit.organisation_id == organisation_id:
        return unit.name
    return f"{unit.organisation.name}, {unit.name}"


def tell_case(
    actor: Actor,
    case: Case,
    row: Between,
    kind: EventKind,
    told: Mapping[str, Any] | None = None,
    *,
    permission: str = TRANSFER_CASE,
) -> None:
    """The event stands in the case that the row is about."""
    data = {
        type(row).__name__.lower(): str(row.uuid),
        "to": named_unit(row, case.organisation_id),
        **(told or {}),
    }
    write(actor, permission, case, kind, data)


def withdraw_open(actor: Actor, case: Case) -> None:
    """Work on a locked case ends: what was offered or asked about it needs no answer any more."""
    told = str(_("Work on the case has ended."))
    offers = CaseTransfer.objects.unscoped("of the case at hand")
    open_ones = offers.filter(case=case, state=CaseTransfer.State.OFFERED)
    for row in open_ones.select_related("target_unit__organisation").select_for_update(
        of=("self",)
    ):
        settle(row, actor.name, CaseTransfer.State.WITHDRAWN)
        row.save()
        tell_case(actor, case, row, EventKind.TRANSFER_WITHDRAWN, {"reason": told})
    withdraw_questions(actor, case)


def withdraw_questions(actor: Actor, case: Case) -> None:
    """What was asked about a locked case needs no answer any more."""
    rows = Consultation.objects.unscoped("of the case at hand").filter(
        case=case, state__in=Consultation.OPEN
    )
    for row in rows.select_related("target_unit__organisation").select_for_update(of=("self",)):
        settle(row, actor.name, Consultation.State.WITHDRAWN)
        row.save()
        told = {"reason": str(_("Work on the case has ended."))}
        kind = EventKind.CONSULTATION_WITHDRAWN
        tell_case(actor, case, row, kind, told, permission=CHANGE_CASE)


def require_no_offer(case: Case) -> None:
    """Conflict while the case is offered to somebody: what they decide upon does not change hands."""
    rows = CaseTransfer.objects.unscoped("of the case at hand").select_related("target_unit")
    row = rows.filter(case=case, state=CaseTransfer.State.OFFERED).first()
    if row is not None:
        text = _("The case is offered to %(unit)s: withdraw that first.")
        raise Conflict("transfer_open", text % {"unit": row.target_unit.name})


def require_push(actor: Actor, case: Case, target: Unit) -> None:
    """Conflict when the organisation decided that the unit accepts such cases first, unless the actor
    is who would accept."""
    organisation = Organisation.objects.for_actor(actor).only("options").get()
    decided = options.read(organisation)
    asked = {"*", target.code} & set(decided.acceptance_units) or {"*", case.case_type.code} & set(
        decided.acceptance_types
    )
    if asked and not actor.reach(TRANSFER_CASE).covers(target.pk):
        text = _("%(unit)s accepts such cases first: offer it the transfer.")
        raise Conflict("acceptance_needed", text % {"unit": target.name})

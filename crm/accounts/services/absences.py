"""Who is away, from when until when, and who stands in: one's own, or that of people of one's units."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import Absence, Membership, User
from crm.accounts.permissions import MANAGE_ABSENCES
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.kit.policy import require
from crm.organisations.models import Organisation
from crm.organisations.selectors import organisation_calendar

LONGEST = timedelta(days=3 * 366)
ONE_SECOND = timedelta(seconds=1)  # before midnight: the last day is the one that ended


@transaction.atomic
def record_absence(
    actor: Actor,
    person: UUID,
    *,
    first: date,
    last: date,
    substitute: UUID | None = None,
    returns: bool = True,
) -> Absence:
    """The person is away from the first day to the last, both whole days on the organisation's clock.

    Their open cases go to the substitute, or back to the queue, when it begins; with `returns` those
    that are still open come back when it ends. Invalid with the errors of each field.
    """
    membership = member_for(actor, person)
    stand_in = _substitute(actor, membership, substitute)
    today = local_day(actor, timezone.now())
    errors = {}
    if last < first:
        errors["last"] = [_("It ends before it begins.")]
    elif last < today:
        errors["last"] = [_("It is over already: only what is to come is recorded.")]
    elif last - first > LONGEST:
        errors["last"] = [_("An absence lasts three years at most.")]
    if errors:
        raise Invalid(errors=errors)
    starts, ends = day_begins(actor, first), day_begins(actor, last + timedelta(days=1))
    # two who write it at once: the database lets one through, and this says it beforehand
    User.objects.select_for_update(no_key=True).get(pk=membership.user_id)
    other = (
        Absence.objects.for_actor(actor)
        .filter(user=membership.user, starts_at__lt=ends, ends_at__gt=starts)
        .first()
    )
    if other is not None:
        text = _("There is an absence from %(first)s to %(last)s already: end it first.")
        days = {"first": other.starts_at, "last": other.ends_at - ONE_SECOND}
        shown = {name: local_day(actor, at).strftime("%d/%m/%Y") for name, at in days.items()}
        raise Invalid(errors={"first": [text % shown]})
    absence = Absence.objects.create(
        organisation_id=actor.organisation_id,
        user=membership.user,
        starts_at=starts,
        ends_at=ends,
        substitute=stand_in,
        returns=returns,
    )
    told: dict[str, Any] = {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "substitute": stand_in.full_name if stand_in else None,
    }
    record(actor, MANAGE_ABSENCES, membership.user, **told)
    return absence


@transaction.atomic
def end_absence(actor: Actor, absence: UUID) -> Absence | None:
    """The person is back from now on; what had not begun is not, and nothing is returned of it."""
    row = (
        Absence.objects.for_actor(actor)
        .select_related("user")
        .select_for_update(of=("self",), no_key=True)
        .get_or_refuse(uuid=absence)
    )
    member_for(actor, row.user.uuid)
    now = timezone.now()
    if row.ends_at <= now:
        raise Conflict("absence_over", _("This absence is over already."))
    begun = row.starts_at < now
    record(actor, MANAGE_ABSENCES, row.user, ended=begun, cancelled=not begun)
    if not begun:
        row.delete()
        return None
    row.ends_at = now
    row.save(update_fields=["ends_at", "updated_at"])
    return row


def absent_now(organisation_id: int, at: datetime | None = None) -> Mapping[int, Absence]:
    """Whoever is away from an organisation at a moment, by the person's key."""
    rows = Absence.objects.unscoped("whoever gives out work asks").in_force(at or timezone.now())
    mine = rows.filter(organisation=organisation_id).select_related("user", "substitute")
    return {row.user_id: row for row in mine}


def stands_in(absences: Mapping[int, Absence], user_id: int) -> User | None:
    """Who does an absent person's work: their substitute, or of one who is away too, theirs in turn.

    Nobody where the chain ends with somebody absent, or comes round to itself.
    """
    passed = {user_id}
    absence = absences[user_id]
    while absence.substitute is not None and absence.substitute_id not in passed:
        if absence.substitute.pk not in absences:
            return absence.substitute
        passed.add(absence.substitute.pk)
        absence = absences[absence.substitute.pk]
    return None


def day_begins(actor: Actor, day: date) -> datetime:
    """When a day begins where the organisation is."""
    zone = organisation_calendar(Organisation.objects.for_actor(actor).get()).zone
    return datetime.combine(day, time(), zone)


def local_day(actor: Actor, at: datetime) -> date:
    """The day that it is then where the organisation is."""
    return at.astimezone(
        organisation_calendar(Organisation.objects.for_actor(actor).get()).zone
    ).date()


def member_for(actor: Actor, person: UUID) -> Membership:
    """Who works here, where the actor is that person or may record absences in their unit."""
    rows = Membership.objects.for_actor(actor).in_force().select_related("user")
    found = rows.filter(user__uuid=person).first()
    if found is None:
        raise NotFound
    if found.user_id != actor.user_id:
        require(actor, MANAGE_ABSENCES, found)
    return found


def _substitute(actor: Actor, member: Membership, substitute: UUID | None) -> User | None:
    if substitute is None:
        return None
    rows = Membership.objects.for_actor(actor).in_force().select_related("user")
    found = rows.filter(user__uuid=substitute, user__state=User.State.ACTIVE).first()
    if found is None:
        raise Invalid(errors={"substitute": [_("This person does not work here.")]})
    if found.user_id == member.user_id:
        raise Invalid(errors={"substitute": [_("Nobody stands in for themselves.")]})
    return found.user

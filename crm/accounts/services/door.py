"""Coming in and going out: what is written down of it, and what a person is told of the last time."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import BigIntegerField, F, OuterRef
from django.db.models.functions import Coalesce

from crm.accounts.models import Membership, User
from crm.accounts.sessions import current_organisation
from crm.audit.models import Result
from crm.audit.record import record_at_the_door
from crm.kit.actor import Origin


@dataclass(frozen=True, slots=True)
class LastAccess:
    """What a person is shown after signing in (RD 311/2022 op.acc.6.R5)."""

    at: datetime | None
    failed: int


@transaction.atomic
def sign_in(user: User, origin: Origin) -> LastAccess:
    """The user has come in; returns when it did before and how often somebody failed since."""
    known = User.objects.select_for_update().get(pk=user.pk)
    last = LastAccess(known.last_login, known.failed_logins)
    user.previous_login, user.failed_logins = known.last_login, 0
    user.save(update_fields=["previous_login", "failed_logins"])
    _note(user, origin, "sign_in")
    return last


@transaction.atomic
def refuse_sign_in(email: str, origin: Origin, *, reason: str) -> None:
    """Somebody was refused; the same work whether or not there is an account of that address."""
    users = User.objects.filter(email=email.strip().lower())
    users.update(failed_logins=F("failed_logins") + 1)
    works_at = Membership.objects.unscoped("before there is an actor").filter(
        user=OuterRef("pk"), ended_at=None
    )
    home = Coalesce(
        "current_organisation_id",
        works_at.values("organisation_id")[:1],
        output_field=BigIntegerField(),
    )
    user = users.annotate(home=home).first()
    record_at_the_door(
        origin,
        "sign_in_refused",
        user_id=user.pk if user else None,
        name=str(user) if user else "",
        organisation_id=user.home if user else None,
        result=Result.REFUSED,
        reason=reason,
    )


def sign_out(user: User, origin: Origin) -> None:
    """The user has gone out."""
    _note(user, origin, "sign_out")


def end_session(user: User, origin: Origin, *, reason: str) -> None:
    """A session of the user was ended by time, suspension or from another session."""
    _note(user, origin, "session_ended", reason=reason)


def change_second_factor(user: User, origin: Origin, *, change: str, kind: str) -> None:
    """The user added, removed or renewed a second factor."""
    _note(user, origin, "second_factor_changed", change=change, kind=kind)


def change_password(user: User, origin: Origin, *, how: str) -> None:
    """The user has a new password."""
    _note(user, origin, "password_changed", how=how)


def _note(user: User, origin: Origin, action: str, **data: str) -> None:
    organisation = current_organisation(user)
    record_at_the_door(
        origin,
        action,
        user_id=user.pk,
        name=str(user),
        organisation_id=organisation.pk if organisation else None,
        **data,
    )

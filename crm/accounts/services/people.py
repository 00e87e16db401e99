"""Employees: invited into an organisation, taking a seat, suspended and back, and gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts import sessions
from crm.accounts.actors import system_actor
from crm.accounts.models import Invitation, Membership, Role, User
from crm.accounts.permissions import INVITE_USER
from crm.accounts.services import door
from crm.accounts.services.roles import administrators_remain, create_standard_roles, give_role
from crm.audit.record import record
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.outbox import send_later
from crm.kit.policy import require
from crm.kit.secrets import digest, encrypt, new_token
from crm.organisations.models import Organisation, Unit

LINK_LASTS = timedelta(hours=24)  # attacks-and-faults.md B2.16
INVITATION_MAIL, JOINED_MAIL, RESET_MAIL = (
    "accounts.invitation_mail",
    "accounts.joined_mail",
    "accounts.reset_mail",
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role to be given, in a unit or (None) in the whole organisation."""

    role: Role
    unit: Unit | None


@transaction.atomic
def invite(
    actor: Actor, *, email: str, full_name: str, unit: Unit | None, grants: Sequence[Grant] = ()
) -> Membership:
    """The person takes a seat and has a link by e-mail to set a password; who has one just joins."""
    require(actor, INVITE_USER, Membership(organisation_id=actor.organisation_id, unit=unit))
    organisation = _lock_for_seat(actor)
    user = _user_named(email, full_name)
    if _of(user).filter(organisation=organisation).exists():
        raise Invalid(errors={"email": [_("This person works here already.")]})
    membership = Membership.objects.create(organisation=organisation, user=user, unit=unit)
    if user.current_organisation_id is None:
        user.current_organisation = organisation
        user.save(update_fields=["current_organisation"])
    for grant in grants:
        give_role(actor, user, grant.role, grant.unit)
    record(actor, INVITE_USER, user, invited=True, unit=unit.code if unit else None)
    follow_membership(user, actor.origin)  # who had left everywhere is back
    if user.state == User.State.ACTIVE:
        send_later(JOINED_MAIL, {"membership": membership.pk})
    else:
        _send_link(actor, membership)
    return membership


@transaction.atomic
def resend_invitation(actor: Actor, user_id: UUID) -> None:
    """Who has not come yet has a new link; the ones before open nothing."""
    membership = _member(actor, user_id)
    if membership.user.state != User.State.INVITED:
        raise Conflict("not_invited", _("This person has accepted the invitation already."))
    _send_link(actor, membership)
    record(actor, INVITE_USER, membership.user, resent=True)


@transaction.atomic
def revoke_invitation(actor: Actor, user_id: UUID) -> None:
    """Who has not come yet is not expected any more: no link, no seat, no roles here."""
    membership = _member(actor, user_id)
    if membership.user.state != User.State.INVITED:
        raise Conflict("not_invited", _("This person has accepted the invitation already."))
    _leave(membership, actor.origin)
    record(actor, INVITE_USER, membership.user, revoked=True)


@transaction.atomic
def suspend(actor: Actor, user_id: UUID, *, reason: str) -> Membership:
    """The person cannot act here until reactivated; open pages and sockets close at once."""
    membership = _member(actor, user_id)
    if membership.user_id == actor.user_id:
        raise Refused(INVITE_USER, _("Nobody suspends their own account."), membership.user)
    if not reason.strip():
        raise Invalid(errors={"reason": [_("State why: audit will read it.")]})
    if membership.suspended_at is None:
        with administrators_remain(membership.organisation):
            membership.suspended_at = timezone.now()
            membership.save(update_fields=["suspended_at", "updated_at"])
        follow_membership(membership.user, actor.origin)
        record(actor, INVITE_USER, membership.user, suspended=True, reason=reason[:240])
    return membership


@transaction.atomic
def reactivate(actor: Actor, user_id: UUID) -> Membership:
    """A suspended person may act here again."""
    membership = _member(actor, user_id)
    if membership.suspended_at is not None:
        membership.suspended_at = None
        membership.save(update_fields=["suspended_at", "updated_at"])
        follow_membership(membership.user, actor.origin)
        record(actor, INVITE_USER, membership.user, suspended=False)
    return membership


@transaction.atomic
def end_membership(actor: Actor, user_id: UUID) -> None:
    """The person no longer works here: the seat is free and its roles here are gone."""
    membership = _member(actor, user_id)
    if membership.user_id == actor.user_id:
        raise Refused(INVITE_USER, _("Nobody ends their own membership."), membership.user)
    with administrators_remain(membership.organisation):
        _leave(membership, actor.origin)
    record(actor, INVITE_USER, membership.user, ended=True)


@transaction.atomic
def remove_second_factors(actor: Actor, user_id: UUID) -> None:
    """Who lost them all sets up new ones at the next sign-in, with the password alone until then."""
    membership = _member(actor, user_id)
    if membership.user_id == actor.user_id:
        raise Refused(INVITE_USER, _("Nobody removes their own second factor here."))
    if _of(membership.user).exclude(pk=membership.pk).exists():
        text = _("This person works for others, too: ask whoever runs the installation.")
        raise Refused(INVITE_USER, text, membership.user)
    Authenticator.objects.filter(user=membership.user).delete()
    sessions.end_sessions(membership.user)
    record(actor, "second_factor_changed", membership.user, change="removed", kind="all")


@transaction.atomic
def move(actor: Actor, user_id: UUID, unit: Unit | None) -> Membership:
    """The person works in another unit; roles stay where they were given."""
    membership = _member(actor, user_id)
    require(actor, INVITE_USER, Membership(organisation_id=actor.organisation_id, unit=unit))
    membership.unit = unit
    membership.save(update_fields=["unit", "updated_at"])
    record(actor, INVITE_USER, membership.user, unit=unit.code if unit else None)
    return membership


def invitation_by(token: str) -> Invitation | None:
    """The invitation that a link opens now: not used, not expired, still wanted."""
    return (
        Invitation.objects.unscoped("the link is the key")
        .select_related("user", "organisation")
        .filter(
            token_digest=digest(token),
            used_at=None,
            expires_at__gt=timezone.now(),
            user__state=User.State.INVITED,
            user__memberships__organisation=F("organisation"),
            user__memberships__ended_at=None,
            user__memberships__suspended_at=None,
        )
        .first()
    )


@transaction.atomic
def accept_invitation(token: str, password: str, origin: Origin) -> User:
    """The invited person has a password and may sign in; the link is used up."""
    invitation = invitation_by(token)
    if invitation is None:
        raise NotFound(
            _("This link has been used, has expired or was withdrawn. Ask for a new one.")
        )
    user = User.objects.select_for_update().get(pk=invitation.user_id)
    if user.state != User.State.INVITED:  # another tab was faster
        raise NotFound(
            _("This link has been used, has expired or was withdrawn. Ask for a new one.")
        )
    _check_password(password, user)
    user.set_password(password)
    user.state = User.State.ACTIVE
    user.save(update_fields=["password", "state"])
    Invitation.objects.unscoped("the person's own").filter(user=user, used_at=None).update(
        used_at=timezone.now()
    )
    door.change_password(user, origin, how="invitation")
    return user


def ask_for_new_password(email: str) -> None:
    """If an active account has this address, it gets a link; asking is the same work for any address."""
    send_later(RESET_MAIL, {"email": encrypt(email.strip().lower())})


@transaction.atomic
def create_first_administrator(organisation: Organisation, email: str, full_name: str) -> str:
    """A new organisation has its first administrator; returns the invitation link.

    For the command line of whoever runs the installation, where there may be no e-mail yet.
    """
    create_standard_roles(organisation)
    user = _user_named(email, full_name)
    membership, _made = Membership.objects.unscoped("the first one").get_or_create(
        organisation=organisation, user=user, ended_at=None
    )
    user.current_organisation = organisation
    user.save(update_fields=["current_organisation"])
    role = Role.objects.unscoped("the first one").get(
        organisation=organisation, code="administrator"
    )
    actor = system_actor(organisation, Origin(Door.COMMAND))
    give_role(actor, user, role)
    record(actor, INVITE_USER, user, invited=True)
    return link_to(_new_token(actor, membership))


def link_to(token: str) -> str:
    """The address of an invitation; from the installation's own name, never from a request's Host."""
    return str(settings.PUBLIC_URL) + reverse("accounts:accept", args=[token])


@transaction.atomic
def follow_membership(user: User, origin: Origin) -> None:
    """The account is open while the person may act somewhere; sessions end with the last place."""
    somewhere = Membership.objects.unscoped("all of one person's").in_force().filter(user=user)
    open_now = somewhere.exists()
    if user.state == User.State.ACTIVE and not open_now:
        _set_state(user, User.State.SUSPENDED)
        if sessions.end_sessions(user):
            door.end_session(user, origin, reason="suspended")
    elif user.state == User.State.SUSPENDED and open_now:
        _set_state(user, User.State.ACTIVE)
    sessions.tell_user(user)


def seats_taken(organisation: Organisation) -> int:
    """How many memberships last; suspended people keep their seat."""
    return (
        Membership.objects.unscoped("counting seats")
        .filter(organisation=organisation, ended_at=None)
        .count()
    )


def _member(actor: Actor, user_id: UUID) -> Membership:
    """The lasting membership of a person whom the actor may manage, locked."""
    membership = (
        Membership.objects.for_actor(actor)
        .select_related("user", "organisation")
        .select_for_update(of=("self",))
        .get_or_refuse(user__uuid=user_id, ended_at=None)
    )
    require(actor, INVITE_USER, membership)
    return membership


def _of(user: User) -> QuerySet[Membership]:
    return Membership.objects.unscoped("all of one person's").filter(user=user, ended_at=None)


def _lock_for_seat(actor: Actor) -> Organisation:
    """The organisation, locked so that two invitations cannot take the same last seat."""
    organisation = Organisation.objects.for_actor(actor).select_for_update().get()
    if seats_taken(organisation) >= organisation.seat_limit:
        text = _("All seats are taken (%(seats)s): end a membership or ask for more seats.")
        raise Conflict("no_seat", text % {"seats": organisation.seat_limit})
    return organisation


def _user_named(email: str, full_name: str) -> User:
    """The account of an address; a new one, that nobody can use yet, when there is none."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(errors={"email": error.messages}) from error
    user = User.objects.filter(email=email).first()
    if user is None:
        full_name = " ".join(full_name.split())  # in one line: mails begin with it
        if not full_name:
            raise Invalid(errors={"full_name": [_("Write the person's name.")]})
        user = User.objects.create_user(email, full_name=full_name)
    return user


def _new_token(actor: Actor, membership: Membership) -> str:
    """A link's token, of which only the digest is kept; the ones before open nothing any more."""
    invitations = Invitation.objects.for_actor(actor).filter(user=membership.user)
    invitations.filter(used_at=None).delete()
    token = new_token()
    Invitation.objects.create(
        organisation_id=actor.organisation_id,
        user=membership.user,
        token_digest=digest(token),
        expires_at=timezone.now() + LINK_LASTS,
        invited_by_id=actor.user_id,
    )
    return token


def _send_link(actor: Actor, membership: Membership) -> None:
    token = _new_token(actor, membership)
    send_later(INVITATION_MAIL, {"membership": membership.pk, "token": encrypt(token)})


def _leave(membership: Membership, origin: Origin) -> None:
    """The membership has ended, with everything that hung on it."""
    user, organisation = membership.user, membership.organisation
    membership.ended_at = timezone.now()
    membership.save(update_fields=["ended_at", "updated_at"])
    user.groups.remove(*Group.objects.filter(role_place__role__organisation=organisation))
    Invitation.objects.unscoped("the person's own").filter(
        user=user, organisation=organisation, used_at=None
    ).delete()
    follow_membership(user, origin)


def _set_state(user: User, state: User.State) -> None:
    user.state = state
    user.save(update_fields=["state"])


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(errors={"password": error.messages}) from error

"""Reading accounts: who works here, what they may, and why."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, QuerySet
from django.utils import timezone
from guardian.models import GroupObjectPermission

from crm.accounts.models import (
    ApiClient,
    Membership,
    MembershipQuerySet,
    RolePlace,
    User,
    UserSession,
)
from crm.accounts.permissions import GRANT_ROLE, INVITE_USER
from crm.accounts.sessions import LOCKED, SEEN
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.policy import catalogue
from crm.organisations.models import Unit


def fingerprint(session_key: str) -> tuple[Any, ...] | None:
    """What a session's right to act hangs on, in one small query; None when the session is gone."""
    grants = GroupObjectPermission.objects.filter(group__user=OuterRef("user_id"))
    memberships = Membership.objects.unscoped("the user's own").in_force()
    return (
        UserSession.objects.filter(pk=session_key, session__expire_date__gt=timezone.now())
        .annotate(
            grants=ArraySubquery(grants.order_by("pk").values("pk")),
            works_at=ArraySubquery(
                memberships.filter(user=OuterRef("user_id")).order_by("pk").values("pk")
            ),
            state=F("user__state"),
            password=F("user__password"),
            organisation=F("user__current_organisation_id"),
        )
        .values_list("grants", "works_at", "state", "password", "organisation")
        .first()
    )


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session as its owner is shown it."""

    uuid: UUID
    started_at: datetime
    seen_at: datetime
    locked: bool
    ip: str | None
    browser: str
    current: bool


def sessions_of(user: User, current_key: str | None) -> list[OwnSession]:
    """The user's living sessions, the current one first, then the latest."""
    rows = UserSession.objects.filter(
        user=user, session__expire_date__gt=timezone.now()
    ).select_related("session")
    found = [_own_session(row, current_key) for row in rows]
    return sorted(found, key=lambda one: (one.current, one.seen_at), reverse=True)


def _own_session(row: UserSession, current_key: str | None) -> OwnSession:
    data = row.session.get_decoded()
    seen = data.get(SEEN, row.started_at.timestamp())
    return OwnSession(
        uuid=row.uuid,
        started_at=row.started_at,
        seen_at=datetime.fromtimestamp(seen, tz=UTC),
        locked=bool(data.get(LOCKED)),
        ip=row.ip,
        browser=browser_name(row.browser),
        current=row.pk == current_key,
    )


BROWSERS = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def browser_name(agent: str) -> str:
    """What a person recognises in how a browser calls itself: “Firefox · Linux”."""
    browser = next((name for mark, name in BROWSERS.items() if mark in agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part) or agent[:40]


PAGE = 50


@dataclass(frozen=True, slots=True)
class Person:
    """An employee as the list shows it."""

    membership: Membership
    state: str
    roles: list[RolePlace]


def people(
    actor: Actor, *, text: str = "", state: str = "", after: tuple[str, int] | None = None
) -> tuple[list[Person], tuple[str, int] | None]:
    """One page of the people whom the actor manages, by name, and where the next page starts."""
    found = manageable(actor)
    if text:
        found = found.filter(Q(user__full_name__icontains=text) | Q(user__email__icontains=text))
    if state in STATES:
        found = found.filter(STATES[state])
    if after:
        name, pk = after
        found = found.filter(Q(user__full_name__gt=name) | Q(user__full_name=name, pk__gt=pk))
    rows = list(found.select_related("user", "unit").order_by("user__full_name", "pk")[: PAGE + 1])
    page, more = rows[:PAGE], rows[PAGE:]
    roles = _roles_by_user([row.user_id for row in page], actor.organisation_id)
    following = (page[-1].user.full_name, page[-1].pk) if more else None
    return [Person(row, state_of(row), roles[row.user_id]) for row in page], following


def manageable(actor: Actor) -> MembershipQuerySet:
    """The memberships that the actor may invite, suspend or give roles to, by its reach."""
    reach = actor.reach(INVITE_USER) | actor.reach(GRANT_ROLE)
    lasting = Membership.objects.for_actor(actor).filter(ended_at=None)
    return lasting if reach.everywhere else lasting.filter(unit__in=reach.units)


def holders(organisation_id: int, permission: str) -> list[User]:
    """Who may do this somewhere in the organisation now: whom a notice about it concerns."""
    working = Membership.objects.unscoped("who is to be told").in_force()
    return list(
        User.objects.filter(
            state=User.State.ACTIVE,
            groups__role_place__role__organisation=organisation_id,
            groups__role_place__role__permissions__permission=permission,
            pk__in=working.filter(organisation=organisation_id).values("user"),
        )
        .distinct()
        .order_by("pk")
    )


STATES = {
    "suspended": Q(suspended_at__isnull=False),
    "invited": Q(suspended_at=None, user__state=User.State.INVITED),
    "active": Q(suspended_at=None, user__state=User.State.ACTIVE),
}


def state_of(membership: Membership) -> str:
    """How an account stands in one organisation."""
    return "suspended" if membership.suspended_at else str(membership.user.state)


def _roles_by_user(user_ids: list[int], organisation_id: int) -> dict[int, list[RolePlace]]:
    through = User.groups.through.objects.filter(
        user__in=user_ids, group__role_place__role__organisation=organisation_id
    ).select_related("group__role_place__role", "group__role_place__unit")
    found: dict[int, list[RolePlace]] = defaultdict(list)
    for row in through.order_by("group__role_place__role__name"):
        found[row.user_id].append(row.group.role_place)
    return found


def units_in_reach(actor: Actor, permission: str) -> QuerySet[Unit]:
    """The open units for which the actor holds the permission."""
    reach = actor.reach(permission)
    units = Unit.objects.for_actor(actor).filter(closed_on=None)
    return (
        units.order_by("name")
        if reach.everywhere
        else units.filter(pk__in=reach.units).order_by("name")
    )


def roles_of(user: User, organisation_id: int) -> QuerySet[RolePlace]:
    """The roles that a person has in an organisation, with their places."""
    return (
        RolePlace.objects.filter(group__user=user, role__organisation_id=organisation_id)
        .select_related("role", "unit")
        .order_by("role__name", "unit__name")
    )


def memberships_of(user: User) -> QuerySet[Membership]:
    """Where a person works."""
    return (
        Membership.objects.unscoped("the person's own")
        .filter(user=user, ended_at=None)
        .select_related("organisation", "unit")
        .order_by("organisation__name")
    )


def second_factor_kinds(user: User) -> list[str]:
    """Which second factors a person has set up; nothing of the secrets."""
    return sorted(set(Authenticator.objects.filter(user=user).values_list("type", flat=True)))


@dataclass(frozen=True, slots=True)
class Client:
    """A connected system as its page shows it."""

    client: ApiClient
    sentences: list[Text]
    state: str


def api_clients(actor: Actor) -> list[Client]:
    """The organisation's connected systems, the living ones first."""
    rows = ApiClient.objects.for_actor(actor).select_related("created_by")
    alive = set(
        ApiClient.objects.for_actor(actor).made_by_who_may_act().values_list("pk", flat=True)
    )
    found = [_client(row, row.pk in alive) for row in rows.order_by("-created_at", "-pk")]
    return sorted(found, key=lambda one: one.state != "active")


def keys_made_by(actor: Actor, user: User) -> list[str]:
    """The names of the connected systems that stop when the person may not act here any more."""
    made = ApiClient.objects.for_actor(actor).filter(created_by=user, revoked_at=None)
    living = made.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    return list(living.order_by("name").values_list("name", flat=True))


def _client(row: ApiClient, alive: bool) -> Client:
    state = "active" if alive else "stopped"
    if row.revoked_at is not None:
        state = "revoked"
    elif row.expires_at is not None and row.expires_at <= timezone.now():
        state = "expired"
    sentences = [catalogue[name].sentence for name in row.scopes if name in catalogue]
    return Client(row, sentences, state)

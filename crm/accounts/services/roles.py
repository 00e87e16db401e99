"""Roles: editable sets of permissions, given to people at a place (organisation or unit)."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from guardian.models import GroupObjectPermission

from crm.accounts import sessions
from crm.accounts.models import Membership, Role, RolePermission, RolePlace, User
from crm.accounts.permissions import GRANT_ROLE
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.policy import catalogue, require
from crm.organisations.models import Organisation, Unit

STANDARD_ROLES = {
    "agent": gettext_lazy("Front line"),
    "office": gettext_lazy("Office"),
    "supervisor": gettext_lazy("Supervision"),
    "administrator": gettext_lazy("Administration"),
    "communications": gettext_lazy("Communications"),
    "auditor": gettext_lazy("Audit"),
    "data_protection": gettext_lazy("Data protection"),
    "integration": gettext_lazy("Integration"),
}
AUDITOR = "auditor"

Permissions = Mapping[str, str]  # name → reach


@transaction.atomic
def create_standard_roles(organisation: Organisation) -> None:
    """Give an organisation those of the standard roles that it lacks, with their usual permissions."""
    mine = Role.objects.unscoped("a new organisation").filter(organisation=organisation)
    there = set(mine.values_list("code", flat=True))
    roles = Role.objects.bulk_create(
        Role(organisation=organisation, code=code, name=str(name), exclusive=code == AUDITOR)
        for code, name in STANDARD_ROLES.items()
        if code not in there
    )
    RolePermission.objects.bulk_create(
        RolePermission(role=role, permission=permission.name)
        for role in roles
        for permission in catalogue.values()
        if role.code in permission.roles
    )


@transaction.atomic
def create_role(
    actor: Actor, *, name: str, description: str = "", copy_of: Role | None = None
) -> Role:
    """The organisation has one more role, empty or with the permissions of another."""
    _require_everywhere(actor)
    Organisation.objects.for_actor(actor).select_for_update().get()  # one name, one role
    name = name.strip()
    if not name:
        raise Invalid(errors={"name": [_("Give the role a name.")]})
    mine = Role.objects.for_actor(actor)
    if mine.filter(name__iexact=name).exists():
        raise Invalid(errors={"name": [_("There is a role of that name already.")]})
    role = Role.objects.create(
        organisation_id=actor.organisation_id,
        code=_free_code(actor, name),
        name=name,
        description=description,
        exclusive=copy_of.exclusive if copy_of else False,
    )
    if copy_of is not None:
        RolePermission.objects.bulk_create(
            RolePermission(role=role, permission=one.permission, reach=one.reach)
            for one in copy_of.permissions.all()
        )
    record(actor, GRANT_ROLE, role, created=True, copy_of=copy_of.code if copy_of else None)
    return role


@transaction.atomic
def delete_role(actor: Actor, role: Role) -> None:
    """The role is gone; refused while anybody has it."""
    _require_everywhere(actor, role)
    if User.objects.filter(groups__role_place__role=role).exists():
        raise Conflict("role_in_use", _("Somebody has this role: take it away from them first."))
    record(actor, GRANT_ROLE, role, deleted=True)
    Group.objects.filter(role_place__role=role).delete()
    role.delete()


@transaction.atomic
def change_role(actor: Actor, role: Role, permissions: Permissions, *, reason: str = "") -> None:
    """Set a role's permissions (name → reach) and bring every place where it is given in line."""
    _require_everywhere(actor, role)
    _check_permissions(role, permissions)
    before = dict(role.permissions.values_list("permission", "reach"))
    with administrators_remain(role.organisation):
        role.permissions.all().delete()
        RolePermission.objects.bulk_create(
            RolePermission(role=role, permission=name, reach=reach)
            for name, reach in permissions.items()
        )
        for place in role.places.select_related("unit"):
            _align(role, place)
    record(actor, GRANT_ROLE, role, before=before, after=dict(permissions), reason=reason)
    for user in User.objects.filter(groups__role_place__role=role).distinct():
        sessions.tell_user(user)


@transaction.atomic
def publish_roles(
    actor: Actor, wanted: Mapping[Role, Permissions], *, version: str, reason: str
) -> None:
    """Several roles have new permissions, all or none; refused when others were faster."""
    Organisation.objects.for_actor(actor).select_for_update().get()
    if not reason.strip():
        raise Invalid(errors={"reason": [_("State why: audit will read it.")]})
    if version != version_of(published(actor.organisation_id)):
        raise Conflict(
            "roles_changed",
            _(
                "Somebody else has published changes meanwhile. Look at them and publish yours again."
            ),
        )
    for role, permissions in wanted.items():
        change_role(actor, role, permissions, reason=reason.strip())


@transaction.atomic
def give_role(actor: Actor, user: User, role: Role, unit: Unit | None = None) -> None:
    """The user has the role in the unit and all below it, or in the whole organisation."""
    _require_place(actor, role, unit)
    if user.pk == actor.user_id:
        raise Refused(GRANT_ROLE, _("Nobody gives roles to themselves."), user)
    if not Membership.objects.for_actor(actor).filter(user=user, ended_at=None).exists():
        raise NotFound(_("This person does not work here."))
    _check_combination(user, role)
    place_for(role, unit).group.user_set.add(user)
    record(actor, GRANT_ROLE, user, role=role.code, unit=unit.code if unit else None, given=True)
    sessions.tell_user(user)


@transaction.atomic
def take_role(actor: Actor, user: User, role: Role, unit: Unit | None = None) -> None:
    """The user no longer has the role at that place."""
    _require_place(actor, role, unit)
    if user.pk == actor.user_id:
        raise Refused(GRANT_ROLE, _("Nobody takes roles from themselves."), user)
    with administrators_remain(role.organisation):
        place_for(role, unit).group.user_set.remove(user)
    record(actor, GRANT_ROLE, user, role=role.code, unit=unit.code if unit else None, given=False)
    sessions.tell_user(user)


def place_for(role: Role, unit: Unit | None) -> RolePlace:
    """The role at a place; made, with its group and guardian permissions, when it is the first."""
    place = RolePlace.objects.filter(role=role, unit=unit).select_related("group").first()
    if place is not None:
        return place
    name = f"{role.organisation_id}/{role.code}@{unit.pk if unit else 'all'}"
    group, _made = Group.objects.get_or_create(name=name)  # waits for whoever is faster
    place, made = RolePlace.objects.get_or_create(role=role, unit=unit, defaults={"group": group})
    if made:
        _align(role, place)
    return place


@contextmanager
def administrators_remain(organisation: Organisation) -> Iterator[None]:
    """Undo what would leave an organisation without anybody who can give roles in all of it.

    Locks the organisation's row, so that two administrators cannot remove each other at once.
    """
    Organisation.objects.unscoped("a lock").select_for_update().get(pk=organisation.pk)
    before = _has_administrator(organisation)
    yield
    if before and not _has_administrator(organisation):
        raise Conflict(
            "last_administrator",
            _("Nobody would be left who can give roles: make somebody else administrator first."),
        )


def _has_administrator(organisation: Organisation) -> bool:
    grants = GroupObjectPermission.objects.filter(
        permission__codename=GRANT_ROLE,
        content_type=ContentType.objects.get_for_model(Organisation),
        object_pk=str(organisation.pk),
    )
    return (
        Membership.objects.unscoped("who administers")
        .in_force()
        .filter(organisation=organisation, user__groups__in=grants.values("group"))
        .exists()
    )


def _require_everywhere(actor: Actor, role: Role | None = None) -> None:
    """Roles themselves belong to the whole organisation; `require` then refuses a unit's administrator."""
    require(actor, GRANT_ROLE, RolePlace(role=role or Role(organisation_id=actor.organisation_id)))


def _require_place(actor: Actor, role: Role, unit: Unit | None) -> None:
    """Who gives a role reaches its place, and as far as the role itself reaches."""
    require(actor, GRANT_ROLE, RolePlace(role=role, unit=unit))
    if unit is not None and unit.organisation_id != actor.organisation_id:
        raise NotFound
    far = role.permissions.filter(reach=RolePermission.Reach.EVERYWHERE)
    if not actor.reach(GRANT_ROLE).everywhere and far.exists():
        text = _("This role reaches the whole organisation, further than you may give.")
        raise Refused(GRANT_ROLE, text, role)


def _check_permissions(role: Role, permissions: Permissions) -> None:
    unknown = sorted(set(permissions) - set(catalogue))
    if unknown:
        raise Invalid(_("There is no permission %(name)s.") % {"name": ", ".join(unknown)})
    if set(permissions.values()) - set(RolePermission.Reach.values):
        raise Invalid(_("A permission reaches their unit or the whole organisation."))
    unfit = [name for name in permissions if not fits(role, name)]
    if unfit:
        text = _("Who audits only looks: %(names)s cannot be part of this role.")
        raise Invalid(text % {"names": ", ".join(str(catalogue[name].sentence) for name in unfit)})


def published(organisation_id: int) -> dict[int, dict[str, str]]:
    """What the organisation's roles may: role → permission → reach."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    rows = RolePermission.objects.filter(role__organisation=organisation_id)
    for role, name, reach in rows.values_list("role", "permission", "reach"):
        found[role][name] = reach
    return dict(found)


def version_of(permissions: Mapping[int, Permissions]) -> str:
    """A text that changes with every published change."""
    plain = sorted((role, sorted(cells.items())) for role, cells in permissions.items())
    return hashlib.sha256(repr(plain).encode()).hexdigest()[:16]


def fits(role: Role, permission: str) -> bool:
    """Whether a role may hold a permission: one for audit only what is made for auditors."""
    return not role.exclusive or AUDITOR in catalogue[permission].roles


def _check_combination(user: User, role: Role) -> None:
    """RD 311/2022 op.acc.3.R1: whoever audits does nothing else (a trigger holds it, too)."""
    others = Role.objects.unscoped("the auditor's role excludes any other, anywhere").filter(
        places__group__user=user
    )
    if role.exclusive and others.exclude(pk=role.pk).exists():
        raise Invalid(_("This role combines with no other: take away the others first."))
    if not role.exclusive and others.filter(exclusive=True).exists():
        raise Invalid(_("This person audits, which combines with no other role."))


def _free_code(actor: Actor, name: str) -> str:
    taken = set(Role.objects.for_actor(actor).values_list("code", flat=True))
    code = slugify(name)[:36] or "role"
    numbered = (f"{code}-{number}" for number in range(2, 1000))
    return next(one for one in [code, *numbered] if one not in taken)


def _align(role: Role, place: RolePlace) -> None:
    """Make the group's guardian permissions say what the role says."""
    organisation_type = ContentType.objects.get_for_model(Organisation)
    unit_type = ContentType.objects.get_for_model(Unit)
    rows = {
        (kind, codename): pk
        for pk, kind, codename in Permission.objects.filter(
            content_type__in=[organisation_type, unit_type]
        ).values_list("pk", "content_type_id", "codename")
    }
    GroupObjectPermission.objects.filter(group=place.group).delete()
    grants = []
    for name, reach in role.permissions.values_list("permission", "reach"):
        here = place.unit_id is not None and reach == RolePermission.Reach.PLACE
        kind = unit_type if here else organisation_type
        grants.append(
            GroupObjectPermission(
                group=place.group,
                permission_id=rows[kind.pk, name],
                content_type=kind,
                object_pk=str(place.unit_id if here else role.organisation_id),
            )
        )
    GroupObjectPermission.objects.bulk_create(grants)

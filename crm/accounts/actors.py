"""The sole maker of actors: from a user or a connected system and an organisation."""

from collections import defaultdict
from types import MappingProxyType

from django.contrib.contenttypes.models import ContentType
from guardian.models import GroupObjectPermission

from crm.accounts.models import ApiClient, Membership, User
from crm.kit.actor import EVERYWHERE, Actor, Kind, Origin, Reach
from crm.organisations.models import Organisation
from crm.organisations.selectors import unit_tree


def actor_for(user: User, organisation: Organisation, origin: Origin) -> Actor | None:
    """The user as an actor of the organisation; None unless both are active and it works there now."""
    membership = (
        Membership.objects.unscoped("making the actor")
        .in_force()
        .filter(user=user, organisation=organisation)
        .only("unit_id")
        .first()
    )
    if membership is None or not organisation.is_active:
        return None
    return actor_by(user, organisation, membership, origin)


def actor_by(
    user: User, organisation: Organisation, membership: Membership, origin: Origin
) -> Actor | None:
    """The user as an actor by a membership in force of an active organisation; None if not active."""
    if not user.is_active:
        return None
    return Actor(
        kind=Kind.USER,
        id=user.pk,
        uuid=user.uuid,
        name=user.full_name,
        organisation_id=organisation.pk,
        organisation_code=organisation.code,
        organisation_name=organisation.name,
        origin=origin,
        permissions=MappingProxyType(_granted(user, organisation)),
        home_unit_id=membership.unit_id,
    )


def actor_for_client(client: ApiClient, origin: Origin) -> Actor:
    """A connected system as an actor of its organisation, for its scopes."""
    return Actor(
        kind=Kind.API_CLIENT,
        id=client.pk,
        uuid=client.uuid,
        name=client.name,
        organisation_id=client.organisation.pk,
        organisation_code=client.organisation.code,
        organisation_name=client.organisation.name,
        origin=origin,
        permissions=MappingProxyType(dict.fromkeys(client.scopes, EVERYWHERE)),
    )


def system_actor(organisation: Organisation, origin: Origin, name: str = "Ventanilla") -> Actor:
    """The system acting for an organisation: schedules, imports from the command line, seeds."""
    return Actor(
        kind=Kind.SYSTEM,
        id=None,
        uuid=None,
        name=name,
        organisation_id=organisation.pk,
        organisation_code=organisation.code,
        organisation_name=organisation.name,
        origin=origin,
    )


def _granted(user: User, organisation: Organisation) -> dict[str, Reach]:
    """The user's permissions by reach: guardian's rows of the groups of the organisation's roles."""
    organisation_type = ContentType.objects.get_for_model(Organisation).pk
    rows = GroupObjectPermission.objects.filter(
        group__user=user, group__role_place__role__organisation=organisation
    ).values_list("permission__codename", "content_type_id", "object_pk")
    everywhere: set[str] = set()
    units: dict[str, set[int]] = defaultdict(set)
    for permission, content_type, object_pk in rows:
        if content_type == organisation_type:
            everywhere.add(permission)
        else:
            units[permission].add(int(object_pk))
    tree = unit_tree(organisation) if units else None
    granted = dict.fromkeys(everywhere, EVERYWHERE)
    for permission, ids in units.items():
        if permission not in everywhere and tree is not None:
            granted[permission] = Reach(units=tree.below(ids))
    return granted

"""Employees, roles and actors for tests."""

import factory

from crm.accounts.actors import actor_for
from crm.accounts.models import Membership, Role, User
from crm.accounts.services.roles import create_standard_roles, place_for
from crm.kit.actor import Actor, Door, Origin
from crm.organisations.models import Organisation, Unit

ORIGIN = Origin(Door.CONSOLE, request_id="test", ip="127.0.0.1")
PASSWORD = "correct horse battery staple"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """An active employee of no organisation."""

    email = factory.Sequence(lambda n: f"persona{n}@example.org")
    full_name = factory.Sequence(lambda n: f"Persona {n}")
    state = User.State.ACTIVE
    password = factory.django.Password(PASSWORD)

    class Meta:
        model = User


def employee(
    organisation: Organisation, *roles: str, unit: Unit | None = None, **fields: object
) -> User:
    """A user who works in the organisation (in a unit) and has these standard roles there.

    As `give_role` would leave it, but at a third of its cost: nearly every test begins with this.
    """
    user = UserFactory(**fields)
    Membership.objects.create(organisation=organisation, user=user, unit=unit)
    create_standard_roles(organisation)
    for role in Role.objects.filter(organisation=organisation, code__in=roles):
        place_for(role, unit).group.user_set.add(user)
    return user


def acting(user: User, organisation: Organisation | None = None) -> Actor:
    """The user as an actor, with the rights of this moment."""
    organisation = organisation or user.memberships.get(ended_at=None).organisation
    organisation.refresh_from_db()
    actor = actor_for(user, organisation, ORIGIN)
    assert actor is not None
    return actor

"""Roles are given within one's own reach, and audit stands alone whatever door is tried."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client

from crm.accounts.actors import system_actor
from crm.accounts.models import Role, User
from crm.accounts.services import roles
from crm.audit.models import AuditEntry
from crm.kit.errors import Conflict, DomainError, Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import ORIGIN, UserFactory, acting, employee


@pytest.fixture
def admin(world: World) -> User:
    """An administrator of the whole organisation."""
    return employee(world.here, "administrator")


def role_of(world: World, code: str) -> Role:
    """A standard role here."""
    return Role.objects.get(organisation=world.here, code=code)


def test_a_role_given_counts_at_once_and_is_audited(world: World, admin: User) -> None:
    roles.give_role(acting(admin), world.alice, role_of(world, "supervisor"), world.unit)
    assert acting(world.alice).reach("cases.assign_case").units == {world.unit.pk}
    entry = AuditEntry.objects.filter(action="accounts.grant_role").latest("id")
    assert (entry.object_id, entry.data) == (
        str(world.alice.uuid),
        {"role": "supervisor", "unit": "NORTH", "given": True},
    )


def test_nobody_gives_or_takes_their_own(world: World, admin: User) -> None:
    with pytest.raises(Refused):
        roles.give_role(acting(admin), admin, role_of(world, "agent"))
    with pytest.raises(Refused):
        roles.take_role(acting(admin), admin, role_of(world, "administrator"))


def test_only_who_works_here_gets_a_role_here(world: World, admin: User) -> None:
    with pytest.raises(NotFound):
        roles.give_role(acting(admin), world.charlie, role_of(world, "agent"))


def test_a_foreign_role_or_unit_cannot_be_given(world: World, admin: User) -> None:
    foreign = Role.objects.get(organisation=world.elsewhere, code="agent")
    with pytest.raises(DomainError):
        roles.give_role(acting(admin), world.alice, foreign)
    with pytest.raises(DomainError):
        roles.give_role(acting(admin), world.alice, role_of(world, "agent"), world.foreign_unit)


def test_a_units_administrator_gives_no_more_than_its_reach(world: World, admin: User) -> None:
    local = acting(employee(world.here, "administrator", unit=world.unit))
    supervisor = role_of(world, "supervisor")
    roles.give_role(local, world.alice, supervisor, world.unit)
    for place in (world.other_unit, None):
        with pytest.raises(Refused):
            roles.give_role(local, world.bob, supervisor, place)
    roles.change_role(acting(admin), supervisor, {"cases.view_case": "everywhere"})
    with pytest.raises(Refused):  # the role itself reaches further than the unit
        roles.give_role(local, world.alice, supervisor, world.unit)
    with pytest.raises(Refused):
        roles.change_role(local, supervisor, {})
    with pytest.raises(Refused):
        roles.create_role(local, name="Mine")


def test_a_permission_for_the_whole_organisation_reaches_beyond_the_unit(
    world: World, admin: User
) -> None:
    roles.change_role(acting(admin), role_of(world, "agent"), {"cases.view_case": "everywhere"})
    assert acting(world.alice).reach("cases.view_case").everywhere
    assert not acting(world.alice).holds("cases.open_case")


def test_unknown_permissions_and_reaches_are_refused(world: World, admin: User) -> None:
    for wrong in ({"cases.rule_the_world": "place"}, {"cases.view_case": "galaxy"}):
        with pytest.raises(Invalid):
            roles.change_role(acting(admin), role_of(world, "agent"), wrong)


def test_roles_are_copied_and_deleted_when_nobody_has_them(world: World, admin: User) -> None:
    copy = roles.create_role(acting(admin), name="Refuerzo", copy_of=role_of(world, "agent"))
    assert copy.permissions.count() == role_of(world, "agent").permissions.count()
    with pytest.raises(Invalid):
        roles.create_role(acting(admin), name="refuerzo")
    roles.give_role(acting(admin), world.alice, copy, world.unit)
    with pytest.raises(Conflict):
        roles.delete_role(acting(admin), copy)
    roles.take_role(acting(admin), world.alice, copy, world.unit)
    roles.delete_role(acting(admin), copy)
    assert not Role.objects.filter(pk=copy.pk).exists()
    assert not Group.objects.filter(name__contains="refuerzo").exists()


def test_publishing_is_all_or_nothing_and_notices_others(world: World, admin: User) -> None:
    agent = role_of(world, "agent")
    version = roles.version_of(roles.published(world.here.pk))
    wanted = {agent: {"cases.view_case": "everywhere"}}
    with pytest.raises(Invalid):
        roles.publish_roles(acting(admin), wanted, version=version, reason=" ")
    roles.publish_roles(acting(admin), wanted, version=version, reason="reform")
    with pytest.raises(Conflict):
        roles.publish_roles(acting(admin), {agent: {}}, version=version, reason="late")
    entry = AuditEntry.objects.filter(object_id=str(agent.uuid)).latest("id")
    assert entry.data["reason"] == "reform"
    assert entry.data["after"] == {"cases.view_case": "everywhere"}


# --- Audit combines with nothing ------------------------------------------------------------------


@pytest.fixture
def auditor(world: World) -> User:
    """Who audits here."""
    return employee(world.here, "auditor")


def test_the_verb_refuses_in_both_directions(world: World, admin: User, auditor: User) -> None:
    with pytest.raises(Invalid):
        roles.give_role(acting(admin), auditor, role_of(world, "agent"), world.unit)
    with pytest.raises(Invalid):
        roles.give_role(acting(admin), world.alice, role_of(world, "auditor"))


def test_an_auditor_of_one_organisation_does_nothing_else_in_another(
    world: World, auditor: User
) -> None:
    from crm.accounts.models import Membership

    Membership.objects.create(organisation=world.elsewhere, user=auditor)
    other = acting(employee(world.elsewhere, "administrator"))
    with pytest.raises(Invalid):
        roles.give_role(
            other, auditor, Role.objects.get(organisation=world.elsewhere, code="agent")
        )


def test_the_page_refuses(world: World, admin: User, auditor: User, client: Client) -> None:
    client.force_login(admin)
    response = client.post(
        f"/organizacion/personal/{auditor.uuid}/roles/", {"role": role_of(world, "agent").pk}
    )
    assert response.status_code == 422
    assert auditor.groups.count() == 1


def test_the_orm_is_refused_by_the_database(world: World, auditor: User) -> None:
    group = world.alice.groups.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        auditor.groups.add(group)
    with pytest.raises(IntegrityError), transaction.atomic():
        world.alice.groups.add(auditor.groups.get())


def test_raw_sql_is_refused_by_the_database(world: World, auditor: User) -> None:
    group = world.alice.groups.get()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user_groups (user_id, group_id) VALUES (%s, %s)",
            [auditor.pk, group.pk],
        )
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_user_groups SET user_id = %s WHERE user_id = %s",
            [auditor.pk, world.alice.pk],
        )


def test_a_role_cannot_become_audit_while_its_people_do_other_things(
    world: World, admin: User
) -> None:
    roles.give_role(acting(admin), world.alice, role_of(world, "supervisor"), world.unit)
    with pytest.raises(IntegrityError), transaction.atomic():
        Role.objects.filter(organisation=world.here, code="agent").update(exclusive=True)


def test_a_group_cannot_be_hung_on_the_role_afterwards(world: World, auditor: User) -> None:
    from crm.accounts.models import RolePlace

    empty = Group.objects.create(name="smuggled")
    auditor.groups.add(empty)
    with pytest.raises(IntegrityError), transaction.atomic():
        RolePlace.objects.create(
            role=role_of(world, "agent"), unit=world.other_unit.parent, group=empty
        )


def test_audit_in_two_units_is_still_one_role(world: World, admin: User) -> None:
    person = employee(world.here)
    for unit in (world.unit, world.other_unit):
        roles.give_role(acting(admin), person, role_of(world, "auditor"), unit)
    assert person.groups.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_grants_at_once_cannot_pass_each_other(world: World) -> None:
    person = UserFactory()
    auditing = employee(world.here, "auditor").groups.get()
    working = world.alice.groups.get()
    start = threading.Barrier(2)
    results: list[str] = []

    def add(group: Group) -> None:
        try:
            with transaction.atomic():
                start.wait()
                person.groups.add(group)
            results.append("in")
        except IntegrityError:
            results.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=add, args=(group,)) for group in (auditing, working)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["in", "refused"]
    assert person.groups.count() == 1


def test_a_role_for_audit_takes_no_permission_to_change_things(world: World, admin: User) -> None:
    auditing = role_of(world, "auditor")
    with pytest.raises(Invalid):
        roles.change_role(acting(admin), auditing, {"cases.close_case": "place"})
    roles.change_role(acting(admin), auditing, {"audit.view_entry": "everywhere"})


def test_the_system_may_set_up_roles(world: World) -> None:
    system = system_actor(world.here, ORIGIN)
    roles.give_role(system, world.alice, role_of(world, "supervisor"), world.unit)
    assert acting(world.alice).holds("cases.assign_case")

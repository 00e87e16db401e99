"""Inviting, joining, suspending and leaving; seats; the last administrator."""

import re
import threading
from collections.abc import Callable

import pytest
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from crm.accounts.actors import system_actor
from crm.accounts.models import Invitation, Membership, Role, User
from crm.accounts.services import people, roles
from crm.accounts.services.people import Grant
from crm.audit.models import AuditEntry
from crm.kit import outbox
from crm.kit.errors import Conflict, DomainError, Invalid, NotFound, Refused
from crm.kit.models import Outbox
from crm.kit.secrets import digest
from crm.settings import PUBLIC_URL
from tests.conftest import World
from tests.factories.accounts import ORIGIN, PASSWORD, acting, employee

LONG = "four words make passwords"


@pytest.fixture
def admin(world: World) -> User:
    """An administrator of the whole organisation."""
    return employee(world.here, "administrator", full_name="Ana Admin")


def post_mail() -> None:
    """Workers have sent what is owed."""
    Outbox.objects.update(due_at="2000-01-01T00:00:00Z")
    outbox.drain()


def link_in_mail() -> str:
    """The path of the last invitation."""
    post_mail()
    found = re.search(re.escape(PUBLIC_URL) + r"(/invitacion/[\w-]+/)", mail.outbox[-1].body)
    assert found
    return found[1]


def invite(world: World, admin: User, email: str = "nueva@example.org") -> Membership:
    """Somebody is invited into the northern unit as front line."""
    role = Role.objects.get(organisation=world.here, code="agent")
    return people.invite(
        acting(admin),
        email=email,
        full_name="Nueva Núñez",
        unit=world.unit,
        grants=[Grant(role, world.unit)],
    )


def test_an_invited_person_sets_a_password_and_is_in(
    world: World, admin: User, client: Client
) -> None:
    membership = invite(world, admin, " NUEVA@example.org ")
    assert membership.user.state == "invited"
    link = link_in_mail()
    assert mail.outbox[-1].to == ["nueva@example.org"]
    token = link.split("/")[2]
    assert Invitation.objects.get().token_digest == digest(token)
    page = client.get(link)
    assert page.status_code == 200
    assert "Organismo de aquí" in page.content.decode()
    short = client.post(link, {"password": "short", "again": "short"})
    assert short.status_code == 422
    other = client.post(link, {"password": LONG, "again": LONG + "x"})
    assert other.status_code == 422
    done = client.post(link, {"password": LONG, "again": LONG})
    assert done["Location"] == "/"
    assert client.get("/perfil/").status_code == 200
    user = User.objects.get(email="nueva@example.org")
    assert (user.state, user.current_organisation) == ("active", world.here)
    assert acting(user).reach("cases.view_case").covers(world.unit.pk)
    assert Client().get(link).status_code == 404
    assert Client().post(link, {"password": LONG, "again": LONG}).status_code == 404


def test_the_link_lasts_a_day(world: World, admin: User) -> None:
    invite(world, admin)
    lasts = Invitation.objects.get().expires_at - timezone.now()
    assert 23.9 < lasts.total_seconds() / 3600 <= 24
    link = link_in_mail()
    Invitation.objects.update(expires_at=timezone.now())
    assert Client().get(link).status_code == 404


def test_the_link_never_takes_the_host_of_a_request(world: World, admin: User) -> None:
    client = Client()
    client.force_login(admin)
    client.post(
        "/organizacion/personal/invitar/",
        {"email": "nueva@example.org", "full_name": "Nueva Núñez"},
        HTTP_HOST="localhost",
        HTTP_X_FORWARDED_HOST="evil.example",
    )
    assert link_in_mail().startswith("/invitacion/")
    assert "evil" not in mail.outbox[-1].body


def test_no_lines_are_added_to_the_mail_by_a_name(world: World, admin: User) -> None:
    name = "Ana\r\n\r\nPague en\nhttps://evil.example\u2028Ya"
    people.invite(acting(admin), email="n@example.org", full_name=name, unit=None)
    post_mail()
    assert "Ana Pague en https://evil.example Ya:" in mail.outbox[-1].body


def test_the_owed_mail_does_not_hold_the_token_in_clear(world: World, admin: User) -> None:
    invite(world, admin)
    row = Outbox.objects.get(topic=people.INVITATION_MAIL)
    link = link_in_mail()
    assert link.split("/")[2] not in str(row.payload)


def test_a_new_link_replaces_the_old_one(world: World, admin: User) -> None:
    membership = invite(world, admin)
    old = link_in_mail()
    people.resend_invitation(acting(admin), membership.user.uuid)
    new = link_in_mail()
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200


def test_a_withdrawn_invitation_opens_nothing_and_frees_the_seat(world: World, admin: User) -> None:
    before = people.seats_taken(world.here)
    membership = invite(world, admin)
    link = link_in_mail()
    assert people.seats_taken(world.here) == before + 1
    people.revoke_invitation(acting(admin), membership.user.uuid)
    assert people.seats_taken(world.here) == before
    assert Client().get(link).status_code == 404
    assert not membership.user.groups.exists()
    again = invite(world, admin)
    assert again.user == membership.user


def test_who_has_an_account_elsewhere_just_joins(world: World, admin: User) -> None:
    membership = invite(world, admin, world.charlie.email)
    assert membership.user == world.charlie
    assert not Invitation.objects.exists()
    post_mail()
    assert mail.outbox[-1].to == [world.charlie.email]
    assert acting(world.charlie, world.here).holds("cases.view_case")
    world.charlie.refresh_from_db()
    assert world.charlie.check_password(PASSWORD)


def test_who_left_and_is_invited_back_comes_in_with_the_old_password(
    world: World, admin: User, client: Client
) -> None:
    people.end_membership(acting(admin), world.bob.uuid)
    invite(world, admin, world.bob.email)
    world.bob.refresh_from_db()
    assert world.bob.state == User.State.ACTIVE
    assert not Invitation.objects.exists()
    post_mail()
    assert mail.outbox[-1].to == [world.bob.email]
    client.post("/entrar/", {"login": world.bob.email, "password": PASSWORD})
    assert client.get("/casos/").status_code == 200


def test_nobody_is_invited_twice(world: World, admin: User) -> None:
    with pytest.raises(Invalid) as refused:
        invite(world, admin, world.alice.email)
    assert list(refused.value.errors) == ["email"]


@pytest.mark.parametrize(
    "email", ["", "x", "a@b", "a b@example.org", "a@example.org\nBcc: b@example.org"]
)
def test_an_address_must_be_one(world: World, admin: User, email: str) -> None:
    with pytest.raises(Invalid):
        invite(world, admin, email)


def test_without_a_seat_nobody_is_invited(world: World, admin: User) -> None:
    world.here.seat_limit = people.seats_taken(world.here)
    world.here.save()
    with pytest.raises(Conflict) as refused:
        invite(world, admin)
    assert refused.value.code == "no_seat"
    assert str(world.here.seat_limit) in str(refused.value)
    assert not User.objects.filter(email="nueva@example.org").exists()


@pytest.mark.django_db(transaction=True)
def test_two_invitations_cannot_take_the_same_last_seat(world: World) -> None:
    admin = employee(world.here, "administrator")
    world.here.seat_limit = people.seats_taken(world.here) + 1
    world.here.save()
    actor = acting(admin)
    start = threading.Barrier(2)
    results: list[object] = []

    def run(number: int) -> None:
        start.wait()
        try:
            people.invite(actor, email=f"n{number}@example.org", full_name="N", unit=None)
            results.append("in")
        except Conflict as error:
            results.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["in", "no_seat"]
    assert people.seats_taken(world.here) == world.here.seat_limit


def test_suspending_and_reactivating(world: World, admin: User, client: Client) -> None:
    client.force_login(world.alice)
    people.suspend(acting(admin), world.alice.uuid, reason="leave")
    world.alice.refresh_from_db()
    assert world.alice.state == "suspended"
    assert not world.alice.sessions.exists()
    assert client.get("/perfil/").status_code == 302
    people.reactivate(acting(admin), world.alice.uuid)
    world.alice.refresh_from_db()
    assert world.alice.state == "active"
    assert acting(world.alice).holds("cases.view_case")
    entries = AuditEntry.objects.filter(
        action="accounts.invite_user", object_id=str(world.alice.uuid)
    )
    assert [entry.data["suspended"] for entry in entries.order_by("id")] == [True, False]


def test_who_is_suspended_before_joining_cannot_join_until_reactivated(
    world: World, admin: User
) -> None:
    user = invite(world, admin).user
    link = link_in_mail()
    people.suspend(acting(admin), user.uuid, reason="wrong person")
    assert Client().get(link).status_code == 404
    assert Client().post(link, {"password": LONG, "again": LONG}).status_code == 404
    people.reactivate(acting(admin), user.uuid)
    assert Client().post(link, {"password": LONG, "again": LONG})["Location"] == "/"


def test_suspended_here_works_on_elsewhere(world: World, admin: User, client: Client) -> None:
    Membership.objects.create(organisation=world.elsewhere, user=world.alice)
    client.force_login(world.alice)
    people.suspend(acting(admin), world.alice.uuid, reason="leave")
    world.alice.refresh_from_db()
    assert world.alice.state == "active"
    page = client.get("/perfil/")
    assert page.context["actor"].organisation_code == "ELSE"


def test_nobody_suspends_themselves(world: World, admin: User) -> None:
    for verb in (people.end_membership, people.remove_second_factors):
        with pytest.raises(Refused):
            verb(acting(admin), admin.uuid)
    with pytest.raises(Refused):
        people.suspend(acting(admin), admin.uuid, reason="tired")


def test_a_suspension_states_why(world: World, admin: User) -> None:
    with pytest.raises(Invalid):
        people.suspend(acting(admin), world.alice.uuid, reason="  ")


def last_one_suspended(world: World, only: User) -> None:
    people.suspend(system_actor(world.here, ORIGIN), only.uuid, reason="test")


def last_one_gone(world: World, only: User) -> None:
    people.end_membership(system_actor(world.here, ORIGIN), only.uuid)


def last_one_without_the_role(world: World, only: User) -> None:
    role = Role.objects.get(organisation=world.here, code="administrator")
    roles.take_role(system_actor(world.here, ORIGIN), only, role)


def role_without_the_right(world: World, only: User) -> None:
    role = Role.objects.get(organisation=world.here, code="administrator")
    roles.change_role(system_actor(world.here, ORIGIN), role, {"accounts.invite_user": "place"})


@pytest.mark.parametrize(
    "change", [last_one_suspended, last_one_gone, last_one_without_the_role, role_without_the_right]
)
def test_the_last_administrator_stays(
    world: World, admin: User, change: Callable[[World, User], None]
) -> None:
    with pytest.raises(Conflict) as refused:
        change(world, admin)
    assert refused.value.code == "last_administrator"
    assert acting(admin).reach("accounts.grant_role").everywhere
    if change is not role_without_the_right:
        employee(world.here, "administrator")
        change(world, admin)


def test_leaving_takes_roles_and_seat_of_this_organisation_only(world: World, admin: User) -> None:
    other = employee(world.elsewhere, "administrator")
    invite_there = people.invite(acting(other), email=world.alice.email, full_name="", unit=None)
    role = Role.objects.get(organisation=world.elsewhere, code="agent")
    roles.give_role(acting(other), world.alice, role)
    people.end_membership(acting(admin), world.alice.uuid)
    assert world.alice.groups.get().role_place.role.organisation == world.elsewhere
    assert Membership.objects.get(user=world.alice, ended_at=None) == invite_there


VERBS: list[Callable[..., object]] = [
    people.resend_invitation,
    people.revoke_invitation,
    people.reactivate,
    people.end_membership,
    people.remove_second_factors,
    lambda actor, uuid: people.suspend(actor, uuid, reason="x"),
    lambda actor, uuid: people.move(actor, uuid, None),
]


@pytest.mark.parametrize("verb", VERBS)
def test_another_organisations_people_do_not_exist(
    world: World, admin: User, verb: Callable[..., object]
) -> None:
    with pytest.raises(NotFound):
        verb(acting(admin), world.charlie.uuid)


@pytest.mark.parametrize("verb", VERBS)
def test_without_the_permission_nothing_is_done(world: World, verb: Callable[..., object]) -> None:
    with pytest.raises(DomainError) as refused:
        verb(world.actor(world.bob), world.alice.uuid)
    assert refused.value.status == 403


def test_a_units_administrator_manages_its_unit_only(world: World) -> None:
    local = employee(world.here, "administrator", unit=world.unit)
    people.suspend(acting(local), world.alice.uuid, reason="x")
    with pytest.raises(Refused):
        people.suspend(acting(local), world.bob.uuid, reason="x")
    with pytest.raises(Refused):
        people.invite(acting(local), email="n@example.org", full_name="N", unit=world.other_unit)
    with pytest.raises(Refused):
        people.invite(acting(local), email="n@example.org", full_name="N", unit=None)
    people.invite(acting(local), email="n@example.org", full_name="N", unit=world.unit)


def test_the_first_administrator_comes_by_a_link(world: World) -> None:
    from tests.factories.organisations import OrganisationFactory

    organisation = OrganisationFactory(code="NEW1")
    link = people.create_first_administrator(organisation, "jefa@example.org", "Jefa Jiménez")
    assert link.startswith(f"{PUBLIC_URL}/invitacion/")
    client = Client()
    client.post(link.removeprefix(PUBLIC_URL), {"password": LONG, "again": LONG})
    actor = acting(User.objects.get(email="jefa@example.org"))
    assert actor.organisation_code == "NEW1"
    assert actor.reach("accounts.grant_role").everywhere


def test_the_database_holds_one_lasting_membership(world: World) -> None:
    from django.db.utils import IntegrityError

    with pytest.raises(IntegrityError), connection.cursor():
        Membership.objects.create(organisation=world.here, user=world.alice)

"""The technical back office looks, within its bounds, and touches nothing."""

import pytest
from django.contrib import admin as site
from django.contrib.auth.models import Group
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from crm.accounts.models import Membership, User
from crm.accounts.services import api_clients
from crm.audit.models import AuditEntry
from tests.conftest import World
from tests.factories.accounts import acting, employee


@pytest.fixture
def staff(world: World) -> User:
    """An administrator here who may enter the back office."""
    return employee(world.here, "administrator", is_staff=True, full_name="Ana Admin")


@pytest.fixture
def root(db: None) -> User:
    """Who runs the installation and works in no organisation."""
    return User.objects.create_superuser("root@example.org", "x", full_name="Root")


def entered(user: User) -> Client:
    """Somebody's browser."""
    client = Client()
    client.force_login(user)
    return client


def test_anonymous_and_others_stay_out(world: World) -> None:
    assert Client().get("/admin/")["Location"].startswith("/admin/login/")
    assert Client().get("/admin/login/?next=/admin/")["Location"].startswith("/entrar/?next=")
    assert entered(world.alice).get("/admin/").status_code in (302, 403)


def test_staff_see_their_organisation_only(world: World, staff: User) -> None:
    page = entered(staff).get("/admin/accounts/user/").content.decode()
    assert world.alice.email in page
    assert world.charlie.email not in page
    assert entered(staff).get(f"/admin/accounts/user/{world.charlie.pk}/change/").status_code == 302
    roles = entered(staff).get("/admin/accounts/role/").content.decode()
    assert "HERE" in roles or "Organismo de aquí" in roles
    assert "Organismo de allí" not in roles


def test_staff_without_the_permission_see_nothing(world: World) -> None:
    agent = employee(world.here, "agent", is_staff=True)
    assert entered(agent).get("/admin/accounts/user/").status_code == 403


def test_a_superuser_sees_the_installation(world: World, root: User) -> None:
    page = entered(root).get("/admin/accounts/user/").content.decode()
    assert world.alice.email in page
    assert world.charlie.email in page


def test_opening_somebody_leaves_one_entry(world: World, staff: User, root: User) -> None:
    for user, organisation in ((staff, world.here.pk), (root, None)):
        entered(user).get(f"/admin/accounts/user/{world.alice.pk}/change/")
        entry = AuditEntry.objects.get(actor_id=user.pk, action="viewed")
        assert (entry.door, entry.organisation_id) == ("admin", organisation)


def test_nothing_can_be_changed(world: World, root: User, staff: User) -> None:
    for user in (root, staff):
        client = entered(user)
        address = f"/admin/accounts/user/{world.alice.pk}"
        for response in (
            client.post(f"{address}/change/", {"is_superuser": "on", "groups": [1]}),
            client.post(f"{address}/delete/", {"post": "yes"}),
            client.post("/admin/accounts/user/add/", {"email": "x@example.org"}),
        ):
            assert response.status_code == 403
    world.alice.refresh_from_db()
    assert not world.alice.is_superuser


def test_groups_have_no_page() -> None:
    assert Group not in site.site._registry


def test_secrets_are_not_shown(world: World, root: User, staff: User) -> None:
    client, key = api_clients.create_api_client(
        acting(staff), name="ERP", scopes=["cases.view_case"], expires_at=None
    )
    page = entered(root).get(f"/admin/accounts/apiclient/{client.pk}/change/").content.decode()
    assert client.prefix in page
    assert client.key_digest not in page
    assert key not in page
    user = entered(root).get(f"/admin/accounts/user/{world.alice.pk}/change/").content.decode()
    assert world.alice.password not in user


def test_signing_out_there_is_audited(world: World, staff: User) -> None:
    client = entered(staff)
    client.post("/admin/logout/")
    assert AuditEntry.objects.filter(action="sign_out", actor_id=staff.pk).count() == 1
    assert client.get("/perfil/").status_code == 302


def test_a_suspended_staff_member_is_out(world: World, staff: User) -> None:
    client = entered(staff)
    Membership.objects.filter(user=staff).delete()
    assert client.get("/admin/accounts/user/").status_code == 403


def test_an_operator_slows_a_task_down_and_it_is_written_down(root: User) -> None:
    # regression: beat's own pages wrote nothing down and needed scripts that the policy forbids
    client = entered(root)
    often, seldom = (
        IntervalSchedule.objects.create(every=every, period=IntervalSchedule.SECONDS)
        for every in (10, 3600)
    )
    task = PeriodicTask.objects.create(name="sweep", task="sweep", interval=often)
    page = f"/admin/django_celery_beat/periodictask/{task.pk}/change/"
    sent = {"interval": seldom.pk, "enabled": "on", "name": "another"}
    assert client.post(page, sent).status_code == 302
    task.refresh_from_db()
    assert (task.name, task.interval, task.enabled) == ("sweep", seldom, True)
    entry = AuditEntry.objects.get(action="schedule_changed")
    assert (entry.actor_id, entry.data["every"]) == (root.pk, 3600)
    for place in ("add/", f"{task.pk}/delete/"):
        assert client.post(f"/admin/django_celery_beat/periodictask/{place}").status_code == 403
    assert client.get("/admin/django_celery_beat/intervalschedule/").status_code == 404

"""The technical back office shows the trail to auditors and changes nothing."""

import pytest
from django.test import Client

from crm.accounts.models import User
from crm.audit import chain
from crm.audit.models import AuditEntry, Seal
from crm.audit.record import record
from tests.conftest import World
from tests.factories.accounts import UserFactory, acting, employee

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser(db: None) -> User:
    return UserFactory(is_staff=True, is_superuser=True)


def test_staff_see_what_the_console_would_show_them(client: Client, world: World) -> None:
    record(acting(world.alice), "viewed", world.unit)
    record(acting(world.charlie), "viewed", world.foreign_unit)
    auditor = employee(world.here, "auditor", is_staff=True)
    client.force_login(auditor)

    shown = client.get("/admin/audit/auditentry/").content.decode()
    assert "Norte" in shown
    assert "Lejos" not in shown
    foreign = AuditEntry.objects.get(object_name="Lejos")
    assert client.get(f"/admin/audit/auditentry/{foreign.pk}/change/").status_code == 302
    assert client.get("/admin/audit/seal/").status_code == 403
    client.force_login(employee(world.here, "agent", is_staff=True))
    assert client.get("/admin/audit/auditentry/").status_code == 403


def test_nobody_changes_the_trail_there(client: Client, world: World, superuser: User) -> None:
    record(acting(world.alice), "viewed", world.unit)
    entry = AuditEntry.objects.get(action="viewed")
    Seal.objects.create(
        number=1,
        generation="00000000-0000-0000-0000-000000000000",
        id_floor=0,
        tx_from=0,
        tx_to=1,
        count=0,
        total=0,
        ids=[],
        organisation_ids=[],
        digests=[],
        previous=chain.GENESIS,
        root=chain.GENESIS,
    )
    client.force_login(superuser)

    assert client.get("/admin/audit/seal/").status_code == 200
    assert client.get("/admin/audit/seal/1/change/").status_code == 200
    path = f"/admin/audit/auditentry/{entry.pk}/"
    assert client.get(f"{path}change/").status_code == 200
    assert client.post(f"{path}change/", {"action": "x"}).status_code == 403
    assert client.post(f"{path}delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/audit/auditentry/add/").status_code == 403
    assert AuditEntry.objects.get(pk=entry.pk).action == "viewed"


@pytest.mark.parametrize("model", ["organisation", "unit", "workingcalendar", "sharingagreement"])
def test_organisations_are_looked_at_by_who_may(
    client: Client, world: World, superuser: User, model: str
) -> None:
    path = f"/admin/organisations/{model}/"
    client.force_login(superuser)
    assert client.get(path).status_code == 200
    client.force_login(employee(world.here, "administrator", is_staff=True))
    shown = client.get(path)
    assert shown.status_code == 200
    assert "Organismo de allí" not in shown.content.decode()
    client.force_login(employee(world.here, "agent", is_staff=True))
    assert client.get(path).status_code == 403

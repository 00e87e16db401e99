import pytest
from django.test import Client
from django.urls import reverse

from crm.audit.models import AuditEntry
from crm.citizens.models import CitizenRecord
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.citizens import CitizenFactory


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def seen() -> list[str]:
    return list(AuditEntry.objects.filter(action="viewed").values_list("purpose", flat=True))


@pytest.mark.django_db
def test_the_back_office_shows_nobody_who_is_protected(world: World):
    lucia = CitizenFactory(name="Lucía", surname1="Ortúzar", organisation=world.here)
    staff = employee(world.here, "supervisor", is_staff=True)
    client = signed_in(staff)
    listing = reverse("admin:citizens_citizen_changelist")
    row = reverse("admin:citizens_citizen_change", args=[lucia.pk])
    shown = client.get(listing)
    assert shown.status_code == 200
    assert str(lucia.uuid) in shown.content.decode()
    assert "Ortúzar" not in shown.content.decode()
    assert "Ortúzar" in client.get(row).content.decode()
    assert seen() == ["/admin/"]
    CitizenRecord.objects.for_actor(world.actor(world.alice)).update(
        protected=True, protected_reason="x"
    )
    assert str(lucia.uuid) not in client.get(listing).content.decode()
    assert "Ortúzar" not in client.get(row, follow=True).content.decode()
    far = signed_in(employee(world.elsewhere, "supervisor", is_staff=True))
    assert str(lucia.uuid) not in far.get(listing).content.decode()
    assert seen() == ["/admin/"]

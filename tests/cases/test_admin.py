"""The back office shows cases by the same rules, changes none, and a look leaves its entry."""

from django.test import Client
from django.urls import reverse

from crm.audit.models import AuditEntry
from tests.conftest import World
from tests.factories.cases import CaseFactory


def test_staff_see_their_cases_and_change_none(world: World) -> None:
    mine = CaseFactory(unit=world.unit)
    theirs = CaseFactory(unit=world.other_unit)
    world.alice.is_staff = True
    world.alice.save()
    client = Client()
    client.force_login(world.alice)
    page = client.get(reverse("admin:cases_case_changelist"))
    assert page.status_code == 200
    assert mine.reference in page.content.decode()
    assert theirs.reference not in page.content.decode()
    assert mine.subject not in page.content.decode()
    address = reverse("admin:cases_case_change", args=[mine.pk])
    assert client.get(address).status_code == 200
    assert AuditEntry.objects.filter(action="viewed", object_id=str(mine.uuid)).count() == 1
    assert client.post(address, {"reference": "X"}).status_code == 403
    other = client.get(reverse("admin:cases_case_change", args=[theirs.pk]))
    assert other.status_code in (302, 404)
    assert client.get(reverse("admin:cases_casetype_changelist")).status_code == 403
    assert client.get(reverse("admin:cases_case_add")).status_code == 403
    mine.refresh_from_db()
    assert mine.reference != "X"

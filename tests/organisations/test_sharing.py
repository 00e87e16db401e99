"""Sharing agreements: made by who may, between two, with a basis; ended by either party."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.organisations.models import SharingAgreement
from crm.organisations.services import make_agreement, revoke_agreement
from tests.conftest import World
from tests.factories.accounts import acting, employee

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 20)


def terms(**other: object) -> dict[str, object]:
    return {
        "receiver_code": "ELSE",
        "legal_basis": "Ley 40/2015, art. 155",
        "data_classes": ["identity", "contact"],
        "starts": TODAY,
        "ends": None,
    } | other


def test_an_agreement_is_made_and_recorded(admin: Actor, world: World) -> None:
    agreement = make_agreement(admin, **terms(ends=TODAY + timedelta(days=30)))

    agreement.refresh_from_db()
    assert (agreement.giver, agreement.receiver) == (world.here, world.elsewhere)
    assert agreement.data_classes == ["contact", "identity"]
    assert (agreement.valid.lower, agreement.valid.upper) == (TODAY, TODAY + timedelta(days=31))
    entry = AuditEntry.objects.get(action="organisations.manage_sharing")
    assert entry.object_id == str(agreement.uuid)
    assert entry.data["act"] == "made"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("receiver_code", "HERE"),
        ("receiver_code", "NONE"),
        ("legal_basis", " "),
        ("data_classes", []),
        ("data_classes", ["everything"]),
        ("ends", TODAY - timedelta(days=1)),
    ],
)
def test_a_wrong_agreement_is_refused_by_field(
    admin: Actor, world: World, field: str, value: object
) -> None:
    with pytest.raises(Invalid) as refused:
        make_agreement(admin, **terms(**{field: value}))

    assert list(refused.value.errors) == [field.removesuffix("_code")]
    assert not SharingAgreement.objects.exists()


def test_either_party_ends_it_once(admin: Actor, world: World) -> None:
    agreement = make_agreement(admin, **terms())
    other_side = acting(employee(world.elsewhere, "data_protection"))

    revoke_agreement(other_side, agreement.uuid)

    agreement.refresh_from_db()
    assert agreement.revoked_at is not None
    assert agreement.revoked_at <= timezone.now()
    with pytest.raises(Conflict):
        revoke_agreement(admin, agreement.uuid)
    entry = AuditEntry.objects.filter(data__act="revoked").get()
    assert entry.organisation_id == world.elsewhere.pk


def test_only_who_may_makes_or_ends_one(admin: Actor, world: World) -> None:
    agreement = make_agreement(admin, **terms())
    alice = world.actor(world.alice)

    with pytest.raises(Refused):
        make_agreement(alice, **terms())
    with pytest.raises(Refused):
        revoke_agreement(alice, agreement.uuid)
    with pytest.raises(NotFound):
        revoke_agreement(admin, uuid4())
    agreement.refresh_from_db()
    assert agreement.revoked_at is None

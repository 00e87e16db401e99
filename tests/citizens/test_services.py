from uuid import uuid4

import pytest
from django.utils import timezone

from crm.audit.models import AuditEntry
from crm.citizens.checking import NewContactPoint, NewIdentifier, Wishes
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint, Identifier
from crm.citizens.selectors import access_report, sharing
from crm.citizens.services import details, records
from crm.citizens.services.records import ReasonNeeded
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.organisations.models import DataClass, SharingAgreement
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.citizens import CitizenFactory, ContactPointFactory, made_up_nif

pytestmark = pytest.mark.django_db
LUCIA = made_up_nif(77)


@pytest.fixture
def lucia(world: World) -> Citizen:
    return CitizenFactory(name="Lucía", surname1="Sanz", organisation=world.here, nif=LUCIA)


def entries(action: str) -> list[tuple[str, str, dict[str, object]]]:
    rows = AuditEntry.objects.filter(action=action).order_by("id")
    return list(rows.values_list("object_name", "purpose", "data"))


def agreement(world: World, *classes: str, **more: object) -> SharingAgreement:
    return SharingAgreement.objects.create(
        giver=world.here,
        receiver=world.elsewhere,
        legal_basis="Ley 40/2015, art. 155",
        data_classes=classes or [DataClass.IDENTITY],
        **{"valid": ("2020-01-01", None), **more},
    )


# --- opening -------------------------------------------------------------------------------------


def test_opening_leaves_one_entry_with_the_reason(world, lucia):
    actor = world.actor(world.alice)
    records.open_citizen(actor, lucia.uuid)
    records.open_citizen(actor, lucia.uuid, purpose="Case HERE-2026-0000001")
    records.open_citizen(actor, lucia.uuid, purpose="Case HERE-2026-0000001", reason="She calls")
    seen = entries("viewed")
    assert len(seen) == 3
    assert [purpose for _name, purpose, _data in seen[1:]] == [
        "Case HERE-2026-0000001",
        "She calls",
    ]
    assert seen[0][1] == records.usual_purpose(actor)
    assert {name for name, _purpose, _data in seen} == {"Lucía Sanz Prueba"}


def test_another_organisations_citizen_does_not_exist(world, lucia):
    charlie = world.actor(world.charlie)
    for attempt in (
        lambda: records.open_citizen(charlie, lucia.uuid),
        lambda: records.open_citizen(charlie, uuid4()),
        lambda: records.reveal_identifier(charlie, lucia.uuid, lucia.identifiers.get().uuid),
        lambda: records.set_wishes(charlie, lucia.uuid, Wishes()),
        lambda: details.add_identifier(charlie, lucia.uuid, NewIdentifier("nif", made_up_nif(5))),
        lambda: details.add_contact_point(
            charlie, lucia.uuid, NewContactPoint("phone", "600123456")
        ),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert entries("viewed") == []


def test_a_protected_record_opens_to_few_and_with_a_stated_reason(world, lucia):
    supervisor = acting(employee(world.here, "supervisor"))
    records.protect_record(supervisor, lucia.uuid, reason="Orden de protección 12/2026")
    with pytest.raises(Refused):
        records.open_citizen(world.actor(world.alice), lucia.uuid, reason="Curiosity")
    with pytest.raises(records.ReasonNeeded):
        records.open_citizen(supervisor, lucia.uuid, purpose="Case HERE-2026-0000001")
    assert entries("viewed") == []
    records.open_citizen(supervisor, lucia.uuid, reason="Citación del juzgado")
    assert entries("viewed") == [("L. S. P.", "Citación del juzgado", {})]
    for attempt in (
        lambda actor: records.reveal_identifier(
            actor, lucia.uuid, lucia.identifiers.get().uuid, purpose="Citación del juzgado"
        ),
        lambda actor: records.set_wishes(actor, lucia.uuid, Wishes()),
    ):
        with pytest.raises(Refused):
            attempt(world.actor(world.alice))
        attempt(supervisor)


def test_protection_needs_a_reason_and_the_permission(world, lucia):
    with pytest.raises(Refused):
        records.protect_record(world.actor(world.alice), lucia.uuid, reason="Porque sí")
    supervisor = acting(employee(world.here, "supervisor"))
    with pytest.raises(Invalid) as caught:
        records.protect_record(supervisor, lucia.uuid, reason=" . ")
    assert set(caught.value.errors) == {"reason"}
    records.protect_record(supervisor, lucia.uuid, reason="Orden de protección")
    with pytest.raises(Conflict):
        records.protect_record(supervisor, lucia.uuid, reason="Orden de protección")
    records.unprotect_record(supervisor, lucia.uuid, reason="Levantada por el juzgado")
    record = CitizenRecord.objects.for_actor(supervisor).get()
    assert (record.protected, record.protected_reason) == (False, "")
    assert [data for _name, _purpose, data in entries("citizens.protect_record")] == [
        {"protected": True, "reason": "Orden de protección"},
        {"protected": False, "reason": "Levantada por el juzgado"},
    ]


def test_a_number_is_revealed_whole_and_the_look_recorded(world, lucia):
    number = lucia.identifiers.get()
    alice = world.actor(world.alice)
    value = records.reveal_identifier(alice, lucia.uuid, number.uuid, purpose="She asks")
    assert value == LUCIA
    [(name, purpose, data)] = entries("revealed")
    assert (name, purpose) == ("Lucía Sanz Prueba", "She asks")
    assert data == {"kind": "nif", "identifier": str(number.uuid)}
    with pytest.raises(Refused):
        records.reveal_identifier(acting(employee(world.here, "auditor")), lucia.uuid, number.uuid)
    other = CitizenFactory(organisation=world.here)
    with pytest.raises(NotFound):  # a number of somebody else's than the person that is open
        records.reveal_identifier(alice, other.uuid, number.uuid)


def test_a_protected_persons_number_is_revealed_only_for_a_stated_reason(world, lucia):
    supervisor = acting(employee(world.here, "supervisor"))
    records.protect_record(supervisor, lucia.uuid, reason="Violencia de género")
    number = lucia.identifiers.get()
    with pytest.raises(ReasonNeeded):
        records.reveal_identifier(supervisor, lucia.uuid, number.uuid)
    assert entries("revealed") == []
    records.reveal_identifier(supervisor, lucia.uuid, number.uuid, purpose="Citación del juzgado")
    [(name, purpose, _data)] = entries("revealed")
    assert (name, purpose) == ("L. S. P.", "Citación del juzgado")


# --- agreements ----------------------------------------------------------------------------------


def test_an_agreement_lets_identity_be_seen_while_it_is_in_force(world, lucia):
    ContactPointFactory(organisation=world.here, citizen=lucia, address="+34600123456")
    shared = agreement(world, DataClass.IDENTITY)
    charlie = world.actor(world.charlie)
    found = records.open_citizen(charlie, lucia.uuid)
    assert found.record is None
    assert AuditEntry.objects.get(action="viewed").organisation_id == world.elsewhere.pk
    [share] = sharing(charlie, lucia)
    assert (share.agreement, list(share.contact_points)) == (shared, [])
    with pytest.raises(NotFound):  # masked only
        records.reveal_identifier(charlie, lucia.uuid, lucia.identifiers.get().uuid)
    with pytest.raises(NotFound):
        details.add_contact_point(charlie, lucia.uuid, NewContactPoint("phone", "600123456"))
    shared.revoked_at = timezone.now()
    shared.save()
    with pytest.raises(NotFound):
        records.open_citizen(charlie, lucia.uuid)
    assert sharing(charlie, lucia) == []


@pytest.mark.parametrize(
    "more",
    [
        {"valid": ("2020-01-01", "2021-01-01")},
        {"valid": ("2199-01-01", None)},
        {"data_classes": [DataClass.CONTACT, DataClass.CASE_STATUS]},
    ],
)
def test_without_identity_or_out_of_its_time_an_agreement_opens_nothing(world, lucia, more):
    made = agreement(world)
    SharingAgreement.objects.filter(pk=made.pk).update(**more)
    with pytest.raises(NotFound):
        records.open_citizen(world.actor(world.charlie), lucia.uuid)


def test_an_agreement_works_in_its_direction_only(world):
    agreement(world)
    theirs = CitizenFactory(organisation=world.elsewhere)
    with pytest.raises(NotFound):
        records.open_citizen(world.actor(world.alice), theirs.uuid)


def test_contact_points_are_shared_only_when_the_agreement_says_so(world, lucia):
    point = ContactPointFactory(organisation=world.here, citizen=lucia, address="+34600123456")
    agreement(world, DataClass.IDENTITY, DataClass.CONTACT)
    [share] = sharing(world.actor(world.charlie), lucia)
    assert list(share.contact_points) == [point]


def test_what_an_organisation_protects_it_does_not_share(world, lucia):
    agreement(world)
    CitizenRecord.objects.filter(citizen=lucia).update(protected=True, protected_reason="x")
    with pytest.raises(NotFound):
        records.open_citizen(world.actor(world.charlie), lucia.uuid)


# --- numbers -------------------------------------------------------------------------------------


def test_a_number_is_added_verified_and_withdrawn(world, lucia):
    actor = world.actor(world.alice)
    number = details.add_identifier(actor, lucia.uuid, NewIdentifier("naf", "28/12345678/40"))
    assert (number.value, number.verified_at) == ("281234567840", None)
    number = details.verify_identifier(actor, lucia.uuid, number.uuid)
    assert number.verified_at is not None
    assert number.verified_by == "Alice Arias"
    details.withdraw_identifier(actor, lucia.uuid, number.uuid, reason="Era de su hermana")
    with pytest.raises(NotFound):
        details.verify_identifier(actor, lucia.uuid, number.uuid)
    assert [data.get("reason") for *_rest, data in entries("citizens.change_citizen")] == [
        None,
        None,
        "Era de su hermana",
    ]
    assert "281234567840" not in str(entries("citizens.change_citizen"))
    assert number.history.count() == 2
    other = CitizenFactory(organisation=world.here)  # withdrawn, it may be somebody else's
    details.add_identifier(actor, other.uuid, NewIdentifier("naf", "281234567840"))


def test_a_number_of_somebody_else_is_not_added_and_nothing_is_told(world, lucia):
    CitizenFactory(name="Secreta", organisation=world.elsewhere, nif=made_up_nif(99))
    actor = world.actor(world.alice)
    with pytest.raises(Conflict) as caught:
        details.add_identifier(actor, lucia.uuid, NewIdentifier("nif", made_up_nif(99)))
    assert caught.value.code == "identifier_taken"
    assert caught.value.details == {}
    with pytest.raises(Conflict) as again:
        details.add_identifier(actor, lucia.uuid, NewIdentifier("nif", LUCIA))
    assert again.value.message != caught.value.message  # it is theirs already, which may be said
    assert Identifier.objects.unscoped("test").count() == 2


@pytest.mark.parametrize(
    "given",
    [
        NewIdentifier("nif", "12345678A"),
        NewIdentifier("cif", "A13585625"),
        NewIdentifier("none", "1"),
        NewIdentifier("passport", "AAA111222", "Francia"),
        NewIdentifier("foreign", "x\x00"),
    ],
)
def test_impossible_numbers_are_refused(world, lucia, given):
    with pytest.raises(Invalid) as caught:
        details.add_identifier(world.actor(world.alice), lucia.uuid, given)
    assert set(caught.value.errors) == {"value"}


# --- contact points ------------------------------------------------------------------------------


def test_one_contact_point_of_a_channel_is_preferred(world, lucia):
    actor = world.actor(world.alice)
    first = details.add_contact_point(
        actor, lucia.uuid, NewContactPoint("phone", "600 123 456", preferred=True)
    )
    second = details.add_contact_point(
        actor, lucia.uuid, NewContactPoint("phone", "+34 915 550 123", preferred=True)
    )
    first.refresh_from_db()
    assert (first.preferred, second.preferred) == (False, True)
    with pytest.raises(Conflict) as caught:
        details.add_contact_point(actor, lucia.uuid, NewContactPoint("phone", "0034600123456"))
    assert caught.value.code == "contact_point_known"


def test_another_address_is_no_longer_verified(world, lucia):
    actor = world.actor(world.alice)
    point = details.add_contact_point(actor, lucia.uuid, NewContactPoint("email", "a@example.es"))
    details.verify_contact_point(actor, lucia.uuid, point.uuid)
    same = details.change_contact_point(
        actor, lucia.uuid, point.uuid, NewContactPoint("email", "A@EXAMPLE.es"), quality="good"
    )
    assert same.verified_at is not None
    other = details.change_contact_point(
        actor, lucia.uuid, point.uuid, NewContactPoint("email", "b@example.es"), quality="bad"
    )
    assert (other.verified_at, other.quality, other.address_key) == (None, "bad", "b@example.es")


def test_an_ended_contact_point_stays_in_the_history(world, lucia):
    actor = world.actor(world.alice)
    point = details.add_contact_point(actor, lucia.uuid, NewContactPoint("phone", "600123456"))
    details.end_contact_point(actor, lucia.uuid, point.uuid)
    with pytest.raises(NotFound):
        details.end_contact_point(actor, lucia.uuid, point.uuid)
    assert ContactPoint.objects.for_actor(actor).get().ended_at is not None
    details.add_contact_point(actor, lucia.uuid, NewContactPoint("phone", "600123456"))


def test_a_point_of_another_citizen_is_not_reached_through_this_one(world, lucia):
    actor = world.actor(world.alice)
    other = CitizenFactory(organisation=world.here)
    point = ContactPointFactory(organisation=world.here, citizen=other)
    with pytest.raises(NotFound):
        details.end_contact_point(actor, lucia.uuid, point.uuid)
    with pytest.raises(NotFound):
        details.verify_identifier(actor, lucia.uuid, other.identifiers.get().uuid)


def test_wishes_are_kept_and_what_changed_is_recorded(world, lucia):
    actor = world.actor(world.alice)
    records.set_wishes(actor, lucia.uuid, Wishes("eu", Channel.EMAIL, ["easy_reading"]))
    record = CitizenRecord.objects.for_actor(actor).get()
    assert (record.language, record.preferred_channel, record.accessibility_needs) == (
        "eu",
        "email",
        ["easy_reading"],
    )
    [(_name, _purpose, data)] = entries("citizens.change_citizen")
    assert data == {"changed": ["language", "preferred_channel", "accessibility_needs"]}


# --- who looked ----------------------------------------------------------------------------------


def test_the_access_report_says_when_and_why_without_names(world, lucia):
    records.open_citizen(world.actor(world.alice), lucia.uuid, reason="She calls")
    records.reveal_identifier(
        world.actor(world.bob), lucia.uuid, lucia.identifiers.get().uuid, purpose="She asks"
    )
    agreement(world)
    records.open_citizen(world.actor(world.charlie), lucia.uuid, reason="Their own look")
    officer = acting(employee(world.here, "data_protection"))
    report = access_report(officer, lucia)
    assert [(access.action, access.purpose) for access in report] == [
        ("revealed", "She asks"),
        ("viewed", "She calls"),
    ]
    with pytest.raises(Refused):
        access_report(world.actor(world.alice), lucia)

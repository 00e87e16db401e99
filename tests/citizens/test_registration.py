import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.utils import timezone

from crm.audit.models import AuditEntry
from crm.citizens.checking import Names, NewContactPoint, NewIdentifier, Wishes
from crm.citizens.identifiers import folded
from crm.citizens.matching import likely_duplicates
from crm.citizens.models import (
    Channel,
    Citizen,
    CitizenRecord,
    ContactPoint,
    Identifier,
    NameWord,
)
from crm.citizens.services.registration import Duplicates, change_citizen, register_citizen
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.models import Outbox
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.citizens import CitizenFactory, ContactPointFactory, made_up_nif

NATURAL, LEGAL = Citizen.Kind.NATURAL, Citizen.Kind.LEGAL
LUCIA = Names(NATURAL, "Lucía", "Sanz", "Ortúzar", date(1988, 5, 17))
NIF = made_up_nif(1)


@pytest.mark.django_db
def test_a_person_is_registered_with_numbers_contact_points_and_wishes(world: World):
    actor = world.actor(world.alice)
    made = register_citizen(
        actor,
        replace(LUCIA, name="  Lucía "),
        identifiers=[NewIdentifier("nif", f"{NIF[:8]}-{NIF[8]}".lower())],
        contact_points=[
            NewContactPoint("phone", "600 12 34 56", preferred=True),
            NewContactPoint("email", "Lucia@Ejemplo.ES"),
            NewContactPoint("post", "C/ Mayor, 3", "46470", "46094", "Catarroja"),
        ],
        wishes=Wishes("ca", "whatsapp", ["sight", "hearing"]),
    )
    assert made.known is False
    record = CitizenRecord.objects.for_actor(actor).get()
    citizen = record.citizen
    assert (citizen.full_name, citizen.birth_date) == ("Lucía Sanz Ortúzar", date(1988, 5, 17))
    citizen.refresh_from_db()
    assert (citizen.name_key, citizen.surname1_key, citizen.surname2_key) == (
        "lucia",
        "sanz",
        "ortuzar",
    )
    assert (record.language, record.preferred_channel) == ("ca", "whatsapp")
    assert record.accessibility_needs == ["hearing", "sight"]
    assert list(citizen.identifiers.values_list("kind", "value", "country")) == [("nif", NIF, "ES")]
    assert sorted(
        citizen.contact_points.values_list("channel", "address", "address_key", "preferred")
    ) == [
        ("email", "Lucia@ejemplo.es", "lucia@ejemplo.es", False),
        ("phone", "+34600123456", "+34600123456", True),
        ("post", "C/ Mayor, 3", "c/ mayor, 3 46470 catarroja", False),
    ]
    entry = AuditEntry.objects.get(action="citizens.change_citizen")
    assert entry.object_name == "Lucía Sanz Ortúzar"
    assert entry.object_id == str(citizen.uuid)
    assert entry.data == {"registered": True, "known_before": False, "despite": []}
    event = Outbox.objects.get(topic="citizens.registered")
    assert event.payload == {"citizen": str(citizen.uuid), "organisation_id": world.here.pk}
    assert set(NameWord.objects.values_list("word", flat=True)) >= {"lucia", "sanz", "ortuzar"}
    for row in (*AuditEntry.objects.values_list("data", "object_name"), event.payload):
        assert NIF not in str(row)


@pytest.mark.django_db
def test_all_that_is_wrong_is_told_at_once(world: World):
    with pytest.raises(Invalid) as caught:
        register_citizen(
            world.actor(world.alice),
            Names(NATURAL, " ", "", "Ortúzar", timezone.localdate() + timedelta(days=2)),
            identifiers=[NewIdentifier("nif", "12345678A"), NewIdentifier("cif", "A13585625")],
            contact_points=[
                NewContactPoint("email", "nobody"),
                NewContactPoint("post", "", "99999"),
                NewContactPoint("video", "x"),
            ],
            wishes=Wishes("tlh", "pigeon", ["gold"]),
        )
    assert set(caught.value.errors) == {
        "name",
        "surname1",
        "birth_date",
        "identifiers.0",
        "identifiers.1",
        "contact_points.0",
        "contact_points.1.address",
        "contact_points.1.postal_code",
        "contact_points.2",
        "language",
        "preferred_channel",
        "accessibility_needs",
    }
    assert not Citizen.objects.unscoped("test").exists()
    assert not AuditEntry.objects.filter(action="citizens.change_citizen").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "field"),
    [
        (Names(LEGAL, "Talleres SL", "García"), "surname1"),
        (Names(LEGAL, "Talleres SL", birth_date=date(2000, 1, 1)), "birth_date"),
        (Names("robot", "R2"), "kind"),
        (Names(NATURAL, "a\x00b"), "name"),
        (Names(NATURAL, "Lucía\u202e"), "name"),
        (Names(NATURAL, "\ud800"), "name"),
        (Names(NATURAL, "..."), "name"),
        (Names(NATURAL, "a" * 151), "name"),
        (Names(NATURAL, "Lucía", birth_date=date(1800, 1, 1)), "birth_date"),
    ],
)
def test_impossible_names_are_refused_at_their_field(world: World, names, field):
    with pytest.raises(Invalid) as caught:
        register_citizen(world.actor(world.alice), names)
    assert set(caught.value.errors) == {field}


@pytest.mark.django_db
def test_a_legal_person_has_a_cif_and_no_surnames(world: World):
    made = register_citizen(
        world.actor(world.alice),
        Names(LEGAL, "Talleres Núñez, S.L."),
        identifiers=[NewIdentifier("cif", "A13585625")],
    )
    assert made.record.citizen.full_name == "Talleres Núñez, S.L."
    with pytest.raises(Invalid):
        register_citizen(
            world.actor(world.alice),
            Names(LEGAL, "Otros SL"),
            identifiers=[NewIdentifier("nif", NIF)],
        )


@pytest.mark.django_db
def test_who_is_known_elsewhere_gets_a_record_of_the_same_citizen(world: World):
    theirs = CitizenFactory(
        name="Lucia", surname1="Sanz", surname2="", organisation=world.elsewhere, nif=NIF
    )
    ContactPointFactory(organisation=world.elsewhere, citizen=theirs, address="+34600999888")
    actor = world.actor(world.alice)
    made = register_citizen(
        actor,
        LUCIA,
        identifiers=[NewIdentifier("nif", NIF)],
        contact_points=[NewContactPoint("phone", "600123456")],
    )
    assert made.known is True
    assert made.record.citizen == theirs
    assert made.record.citizen.full_name == "Lucia Sanz"  # as it stands, not as typed
    assert list(ContactPoint.objects.for_actor(actor).values_list("address", flat=True)) == [
        "+34600123456"
    ]
    assert CitizenRecord.objects.unscoped("test").filter(citizen=theirs).count() == 2
    assert AuditEntry.objects.get(action="citizens.change_citizen").data["known_before"] is True


@pytest.mark.django_db
def test_numbers_of_two_people_make_no_third(world: World):
    CitizenFactory(organisation=world.elsewhere, nif=NIF)
    other = CitizenFactory(organisation=world.elsewhere, nif="")
    Identifier.objects.create(citizen=other, kind="passport", value="AAA111222", country="FR")
    with pytest.raises(Conflict) as caught:
        register_citizen(
            world.actor(world.alice),
            LUCIA,
            identifiers=[
                NewIdentifier("nif", NIF),
                NewIdentifier("passport", "aaa-111222", "FR"),
            ],
        )
    assert caught.value.code == "numbers_of_two"
    assert not CitizenRecord.objects.for_actor(world.actor(world.alice)).exists()


@pytest.mark.django_db
def test_a_number_on_record_is_certain_and_cannot_be_overridden(world: World):
    lucia = CitizenFactory(organisation=world.here, nif=NIF)
    with pytest.raises(Duplicates) as caught:
        register_citizen(
            world.actor(world.alice),
            LUCIA,
            identifiers=[NewIdentifier("nif", NIF)],
            despite=[lucia.uuid],
        )
    assert caught.value.certain is True
    assert caught.value.code == "already_registered"
    assert [duplicate.citizen for duplicate in caught.value.duplicates] == [lucia]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("known", "typed", "points", "score"),
    [
        # the same name and birth date, in any spelling or order
        (LUCIA, Names(NATURAL, "LUCIA", "SANZ", "ORTUZAR", date(1988, 5, 17)), [], 95),
        (LUCIA, Names(NATURAL, "Lucía", "Ortúzar", "Sanz", date(1988, 5, 17)), [], 95),
        # a slip of the hand and the same birth date
        (LUCIA, Names(NATURAL, "Lucía", "Sazn", "Ortúzar", date(1988, 5, 17)), [], 75),
        (LUCIA, Names(NATURAL, "Lucía", "Sanz", "", date(1988, 5, 17)), [], 75),
        # the same telephone or mailbox and a similar name
        (LUCIA, Names(NATURAL, "Lucía", "Sans", "Ortuzar"), [("phone", "600123456")], 80),
        (LUCIA, Names(NATURAL, "Lucía", "Sanz", "Ortúzar"), [("email", "L@X.es")], 90),
        # only the name
        (LUCIA, Names(NATURAL, "Lucía", "Sanz", "Ortúzar"), [], 55),
        # not the same: another birth date, a family's telephone, another name
        (LUCIA, Names(NATURAL, "Lucía", "Sanz", "Ortúzar", date(1990, 1, 1)), [], None),
        (LUCIA, Names(NATURAL, "Marcos", "Sanz", "Ibarra"), [("phone", "600123456")], None),
        (LUCIA, Names(NATURAL, "Lucía", "Pérez", "Gómez", date(1988, 5, 17)), [], None),
        (LUCIA, Names(LEGAL, "Lucía Sanz Ortúzar"), [("phone", "600123456")], None),
    ],
)
def test_likely_duplicates_are_scored_and_explained(world, known, typed, points, score):
    lucia = CitizenFactory(
        name=known.name,
        surname1=known.surname1,
        surname2=known.surname2,
        birth_date=known.birth_date,
        organisation=world.here,
    )
    CitizenFactory(  # the same person of the other organisation is never mentioned
        name=known.name,
        surname1=known.surname1,
        surname2=known.surname2,
        birth_date=known.birth_date,
        organisation=world.elsewhere,
    )
    ContactPointFactory(organisation=world.here, citizen=lucia, address="+34600123456")
    ContactPointFactory(
        organisation=world.here, citizen=lucia, channel=Channel.EMAIL, address="l@x.es"
    )
    actor = world.actor(world.alice)
    given = [NewContactPoint(channel, address) for channel, address in points]
    if score is None:
        register_citizen(actor, typed, contact_points=given)
        return
    with pytest.raises(Duplicates) as caught:
        register_citizen(actor, typed, contact_points=given)
    [duplicate] = caught.value.duplicates
    assert (duplicate.citizen, duplicate.score) == (lucia, score)
    assert duplicate.reasons
    made = register_citizen(actor, typed, contact_points=given, despite=[lucia.uuid])
    assert made.record.citizen != lucia
    assert AuditEntry.objects.get(action="citizens.change_citizen").data["despite"] == [
        str(lucia.uuid)
    ]


@pytest.mark.django_db
def test_a_withdrawn_number_still_reminds_of_its_bearer(world: World):
    lucia = CitizenFactory(organisation=world.here, nif=NIF)
    lucia.identifiers.update(ended_at=timezone.now())
    found = likely_duplicates(
        world.actor(world.alice),
        Names(NATURAL, "Quien", "Sea"),
        [NewIdentifier("nif", NIF)],
    )
    assert [(duplicate.citizen, duplicate.score) for duplicate in found] == [(lucia, 85)]


@pytest.mark.django_db
def test_who_may_not_change_citizens_registers_none(world: World):
    for role in ("administrator", "auditor", "data_protection"):
        with pytest.raises(Refused):
            register_citizen(acting(employee(world.here, role)), LUCIA)
    assert not Citizen.objects.unscoped("test").exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_number_make_one_citizen(world: World):
    """Neither sees the other's row before writing its own; the database lets one through."""
    here, elsewhere = world.actor(world.alice), world.actor(world.charlie)
    results: dict[str, object] = {}
    ready = threading.Barrier(3)

    def register(label, actor):
        try:
            ready.wait()
            results[label] = register_citizen(
                actor, LUCIA, identifiers=[NewIdentifier("nif", NIF)]
            ).known
        except Conflict as error:
            results[label] = error.code
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=register, args=(label, actor))
        for label, actor in (("alice", here), ("bob", world.actor(world.bob)), ("far", elsewhere))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    citizen = Citizen.objects.unscoped("test").get()
    assert Identifier.objects.unscoped("test").get().citizen == citizen
    assert CitizenRecord.objects.unscoped("test").filter(citizen=citizen).count() == 2
    assert sorted(map(str, (results["alice"], results["bob"])))[1] == "already_registered"


@pytest.mark.django_db
def test_names_are_corrected_and_the_loser_of_two_is_told(world: World):
    lucia = CitizenFactory(organisation=world.here)
    seen = lucia.updated_at
    actor = world.actor(world.alice)
    change_citizen(actor, lucia.uuid, replace(LUCIA, surname1="Sáenz"), seen=seen)
    lucia.refresh_from_db()
    assert (lucia.surname1, lucia.surname1_key) == ("Sáenz", "saenz")
    assert lucia.history.get().surname1.startswith("Apellido")
    with pytest.raises(Conflict) as caught:
        change_citizen(world.actor(world.bob), lucia.uuid, LUCIA, seen=seen)
    assert caught.value.code == "changed_meanwhile"
    with pytest.raises(NotFound):
        change_citizen(world.actor(world.charlie), lucia.uuid, LUCIA)
    entry = AuditEntry.objects.get(action="citizens.change_citizen")
    assert set(entry.data["changed"]) == {"surname1", "surname2", "birth_date"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        "José María",
        "  de  la\tCruz ",
        "O’Higgins",
        "Mª Ángeles",
        "ÇELİK",
        "Łukasz Żółć",
        "Straße",
        "Nu\u0301n\u0303ez",
        "ﬁligrana ½ № …",
        "İpek",
        "李小龍",
        "½" * 150,
    ],
)
def test_the_database_folds_as_python_does(world: World, name):
    citizen = Citizen.objects.create(name=name, surname1=name[:100])
    citizen.refresh_from_db()
    assert citizen.name_key == folded(name)
    assert citizen.surname1_key == folded(name[:100])


@pytest.mark.django_db
def test_nobody_can_write_the_keys(world: World):
    citizen = Citizen.objects.create(name="Ana", name_key="otra")
    citizen.refresh_from_db()
    assert citizen.name_key == "ana"
    with (
        pytest.raises(ProgrammingError, match="name_key"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE citizens_citizen SET name_key = 'otra'")

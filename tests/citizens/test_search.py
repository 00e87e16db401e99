import pytest

from crm.audit.models import AuditEntry
from crm.citizens.models import Channel, NameWord
from crm.citizens.search import Hit, search
from crm.citizens.tasks import count_name_words
from crm.kit.errors import Refused
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.citizens import CitizenFactory, ContactPointFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(world: World):
    """Four people here, and one with the same name elsewhere."""

    def person(name, surname1, surname2, organisation=world.here, **more):
        return CitizenFactory(
            name=name, surname1=surname1, surname2=surname2, organisation=organisation, **more
        )

    return {
        "carmen": person("María del Carmen", "Núñez", "García", nif="99000001C"),
        "jose": person("José", "García", "López", nif="99000002K"),
        "joseph": person("Josefa", "García", "Lópezosa", nif="99000003E"),
        "begona": person("Begoña", "Etxeberria", "O'Neill", nif="99000004T"),
        "stranger": person("José", "García", "López", world.elsewhere, nif="99000005R"),
    }


def found(world: World, text: str, user=None) -> list[str]:
    return [hit.name for hit in search(world.actor(user or world.alice), text).hits]


CARMEN = "María del Carmen Núñez García"
JOSE = "José García López"
JOSEFA = "Josefa García Lópezosa"
BEGONA = "Begoña Etxeberria O'Neill"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # order of the surnames and of the name
        ("José García López", [JOSE]),
        ("garcia lopez jose", [JOSE]),
        ("lopez garcia", [JOSE]),
        ("garcía lópez", [JOSE]),
        ("López García, José", [JOSE]),
        # case and accents, however they are written
        ("NUÑEZ GARCIA", [CARMEN]),
        ("nunez garcia carmen", [CARMEN]),
        ("Nu\u0301n\u0303ez", [CARMEN]),
        ("carmen", [CARMEN]),
        ("oneill", [BEGONA]),
        ("o'neill", [BEGONA]),
        ("O’NEILL begoña", [BEGONA]),
        # the last word is still being written
        ("garc", [JOSE, JOSEFA]),
        ("garcia lopezo", [JOSEFA]),
        ("jose gar", [JOSE]),
        ("etx", [BEGONA]),
        ("bego", [BEGONA]),
        ("maria del carmen nun", [CARMEN]),
        # one slip forgiven: lost, added, changed, turned, in the surname or the name
        ("etxebería", [BEGONA]),
        ("etxeberia", [BEGONA]),
        ("etxeberrria", [BEGONA]),
        ("etxebarria", [BEGONA]),
        ("etxebrerai", []),
        ("etxeberira", [BEGONA]),
        ("jose gracia lopez", [JOSE]),
        ("jsoe garcia lopez", [JOSE]),
        ("begona etxeberia", [BEGONA]),
        ("jsoe gracia", [JOSE]),
        # nobody
        ("inexistente", []),
        ("garcia inexistente", []),
    ],
)
def test_names_are_found_however_they_are_written(world, people, text, expected):
    assert found(world, text) == expected


def test_a_number_finds_its_bearer(world, people):
    assert found(world, "99000002K") == [JOSE]
    assert found(world, " 99.000.002-k ") == [JOSE]
    assert found(world, "99000002") == [JOSE]
    assert found(world, "99000005R") == []  # of a citizen of the other organisation


def test_telephone_and_email_are_found_in_any_form(world, people):
    here, jose = world.here, people["jose"]
    ContactPointFactory(organisation=here, citizen=jose, address="+34915550123")
    ContactPointFactory(
        organisation=here,
        citizen=jose,
        channel=Channel.EMAIL,
        address="Jose@ejemplo.es",
        address_key="jose@ejemplo.es",
    )
    for text in (
        "915550123",
        "91 555 01 23",
        "+34 915 550 123",
        "0034915550123",
        "JOSE@Ejemplo.es",
    ):
        assert found(world, text) == [JOSE], text
    assert found(world, "915550123", world.charlie) == []


def test_another_organisation_finds_only_its_own(world, people):
    charlie = search(world.actor(world.charlie), "garcia lopez")
    assert [hit.uuid for hit in charlie.hits] == [people["stranger"].uuid]
    assert found(world, "etxeberria", world.charlie) == []


def test_a_protected_record_shows_only_its_initials(world):
    secret = CitizenFactory(
        name="Ana",
        surname1="Oculta",
        surname2="Zurita",
        birth_date="1980-02-03",
        organisation=world.here,
        organisation__protected=True,
        organisation__protected_reason="orden de protección",
    )
    hits = search(world.actor(world.alice), "oculta zurita").hits
    assert hits == (Hit(secret.uuid, "A. O. Z.", "natural_person", protected=True),)


def test_the_identity_number_is_masked(world, people):
    [hit] = search(world.actor(world.alice), "99000002K").hits
    assert hit.identifier == "•••••002K"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("José García", "José García"),
        ("99000002K", "••••0002K"),
        ("99.000.002-K", "••••••.002-K"),
        ("garcia 99000002", "garcia ••••0002"),
        ("915550123", "915550123"),
        ("HERE-2026-0000012", "HERE-2026-0000012"),
        ("a\x00b\ud800", "a b"),
    ],
)
def test_each_search_leaves_one_entry_with_what_was_typed(world, text, kept):
    search(world.actor(world.alice), text)
    entry = AuditEntry.objects.get(action="searched")
    assert entry.data == {"what": "citizens", "text": kept, "found": 0}
    assert entry.actor_name == "Alice Arias"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "'",
        "' | '",
        "a' & !'b",
        ":*",
        "%",
        "_ _",
        "\\",
        "García\x00",
        "\ud800",
        "<script>",
        "!!",
        "a" * 100_000,
        " ".join("ab" * 3 for _ in range(60)),
        "()",
        "José & García | ! <-> :*",
        "𝒥osé",
        "李",
        "١٢٣٤٥٦٧٨",
        "'; DROP TABLE citizens_citizen; --",
    ],
)
def test_hostile_text_finds_nobody_and_breaks_nothing(world, text):
    assert search(world.actor(world.alice), text).hits == ()


def test_operators_are_only_words(world, people):
    assert found(world, "jose & garcia | !lopez:*") == [JOSE]


def test_without_the_permission_nobody_searches(world):
    administrator = acting(employee(world.here, "administrator"))
    with pytest.raises(Refused):
        search(administrator, "garcia")
    assert not AuditEntry.objects.filter(action="searched").exists()


def test_a_page_holds_so_many_and_says_that_there_are_more(world):
    for _ in range(4):
        CitizenFactory(surname1="Repetido", organisation=world.here)
    some = search(world.actor(world.alice), "repetido", limit=3)
    assert (len(some.hits), some.more) == (3, True)
    every = search(world.actor(world.alice), "repetido", limit=4)
    assert (len(every.hits), every.more) == (4, False)


def test_a_rare_citizen_among_thousands_of_others_is_found(world, monkeypatch):
    monkeypatch.setattr("crm.citizens.search.LOTS", (2, 50))
    for _ in range(10):
        CitizenFactory(name="Abel", surname1="García", organisation=world.elsewhere)
    mine = CitizenFactory(name="Zoilo", surname1="García", organisation=world.here)
    assert [hit.uuid for hit in search(world.actor(world.alice), "garcia").hits] == [mine.uuid]


def test_how_many_queries_a_search_costs_does_not_grow(world, django_assert_num_queries):
    actor = world.actor(world.alice)
    for count in (1, 30):
        for _ in range(count):
            CitizenFactory(surname1="Repetido", organisation=world.here)
        with django_assert_num_queries(8):
            search(actor, "repetido")


def test_the_night_counts_the_words(world, people):
    NameWord.objects.create(word="nadie", bearers=4, counted_at="2020-01-01T00:00Z")
    count_name_words()
    words = dict(NameWord.objects.values_list("word", "bearers"))
    assert words["garcia"] == 4
    assert words["jose"] == 2
    assert words["neill"] == 1
    assert "nadie" not in words

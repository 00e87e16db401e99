import re
import time
from datetime import UTC, datetime
from html import unescape
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse

from cases.services import record_message
from cases.services.writing import told_at
from crm.audit.models import AuditEntry
from crm.citizens import profile, reasons, story
from crm.citizens.checking import NewContactPoint
from crm.citizens.models import Channel, Citizen, CitizenRecord
from crm.citizens.services import details
from crm.kit.actor import Actor
from crm.kit.registry import Registry
from crm.organisations.models import DataClass, SharingAgreement
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory, made_up_nif

pytestmark = pytest.mark.django_db
NIF = made_up_nif(500)


@pytest.fixture
def lucia(world: World) -> Citizen:
    return CitizenFactory(
        name="Lucía",
        surname1="Sanz",
        surname2="Ortúzar",
        birth_date="1988-05-17",
        organisation=world.here,
        nif=NIF,
    )


def signed_in(user) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def page(name: str, *args) -> str:
    return reverse(f"citizens:{name}", args=args)


def seen() -> list[str]:
    entries = AuditEntry.objects.filter(action="viewed").order_by("id")
    return list(entries.values_list("purpose", flat=True))


def text_of(response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


# --- search --------------------------------------------------------------------------------------


def test_the_search_page_and_its_part_show_who_is_found(world, lucia):
    client = signed_in(world.alice)
    whole = client.get(page("list"), {"q": "sanz ortuzar"})
    assert whole.status_code == 200
    part = client.get(page("list"), {"q": "sanz ortuzar"}, headers={"hx-request": "true"})
    for response in (whole, part):
        assert "Lucía Sanz Ortúzar" in response.content.decode()
        assert page("detail", lucia.uuid) in response.content.decode()
        assert NIF not in response.content.decode()
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert AuditEntry.objects.filter(action="searched").count() == 2
    assert seen() == []


def test_opening_the_search_page_searches_nothing(world):
    assert signed_in(world.alice).get(page("list")).status_code == 200
    assert not AuditEntry.objects.filter(action="searched").exists()


def test_what_was_typed_is_only_text(world):
    response = signed_in(world.alice).get(page("list"), {"q": "<script>alert(1)</script>"})
    assert b"<script>alert" not in response.content
    assert "alert" in text_of(response)


# --- the person ----------------------------------------------------------------------------------


def test_each_way_of_opening_a_person_leaves_one_entry(world, lucia):
    client = signed_in(world.alice)
    detail = page("detail", lucia.uuid)
    response = client.get(detail)
    assert response.status_code == 200
    assert "Lucía Sanz Ortúzar" in text_of(response)
    assert NIF not in response.content.decode()
    [usual] = seen()
    assert usual in text_of(response)
    client.get(detail, {"case": "HERE-2026-0000012"})
    assert len(seen()) == 2
    assert seen()[1].endswith("HERE-2026-0000012")
    client.get(detail, {"case": "whatever was put in the link"})
    assert seen()[2] == usual


def test_another_reason_is_stated_on_the_page_and_kept_a_while(world, lucia, monkeypatch):
    client = signed_in(world.alice)
    response = client.post(
        page("state_reason", lucia.uuid), {"usual": "other", "other": "Her neighbour died"}
    )
    assert response.status_code == 302
    assert response.url == page("detail", lucia.uuid)
    assert seen() == []
    client.get(response.url)
    client.get(response.url)
    assert seen() == ["Her neighbour died"] * 2
    later = time.time() + reasons.KEPT + 1
    monkeypatch.setattr(reasons, "time", SimpleNamespace(time=lambda: later))
    client.get(response.url)
    assert len(seen()) == 3
    assert seen()[2] != "Her neighbour died"


@pytest.mark.parametrize(
    "onwards",
    ["https://evil.example/", "//evil.example/", "/\\evil", "javascript:alert(1)", "/casos/"],
)
def test_after_the_reason_one_goes_only_to_that_person(world, lucia, onwards):
    response = signed_in(world.alice).post(
        page("state_reason", lucia.uuid), {"usual": "other", "other": "Reason", "next": onwards}
    )
    assert response.url == page("detail", lucia.uuid)


def test_a_protected_record_asks_for_the_reason_first(world, lucia):
    CitizenRecord.objects.for_actor(world.actor(world.alice)).update(
        protected=True, protected_reason="Orden de protección"
    )
    client = signed_in(employee(world.here, "supervisor"))
    for url in (page("detail", lucia.uuid), page("names", lucia.uuid)):
        response = client.get(url, {"case": "HERE-2026-0000012"})
        assert response.status_code == 403
        assert "L. S. O." in text_of(response)
        for secret in ("Lucía", "Ortúzar", "1988", NIF[:8], "Orden de protección"):
            assert secret not in response.content.decode()
    assert seen() == []
    for nothing in ({"usual": "other", "other": "  "}, {"other": "x"}, {"usual": "junk"}):
        assert client.post(page("state_reason", lucia.uuid), nothing).status_code == 422
    stated = client.post(
        page("state_reason", lucia.uuid),
        {"usual": "other", "other": "Citación", "next": page("names", lucia.uuid)},
    )
    assert stated.url == page("names", lucia.uuid)
    assert client.get(stated.url).status_code == 200
    assert client.get(page("detail", lucia.uuid)).status_code == 200
    assert seen() == ["Citación"] * 2


def test_without_the_permission_a_protected_record_is_refused(world, lucia):
    CitizenRecord.objects.for_actor(world.actor(world.alice)).update(
        protected=True, protected_reason="x"
    )
    client = signed_in(world.alice)
    client.post(page("state_reason", lucia.uuid), {"usual": "other", "other": "Curiosity"})
    response = client.get(page("detail", lucia.uuid))
    assert response.status_code == 403
    assert "Lucía" not in response.content.decode()
    assert seen() == []
    refusal = AuditEntry.objects.get(result="refused")
    assert (refusal.action, refusal.object_name) == ("citizens.view_protected", "L. S. O.")


def test_the_number_is_shown_whole_on_demand(world, lucia):
    client = signed_in(world.alice)
    number = lucia.identifiers.get()
    url = page("reveal", lucia.uuid, number.uuid)
    assert client.get(url).status_code == 405
    response = client.post(url)
    assert response.json() == {"value": NIF}
    assert AuditEntry.objects.filter(action="revealed").count() == 1
    auditor = signed_in(employee(world.here, "auditor"))
    assert url not in auditor.get(page("detail", lucia.uuid)).content.decode()
    assert auditor.post(url).status_code == 403


def test_another_organisations_person_is_not_found_anywhere(world, lucia):
    client = signed_in(world.charlie)
    number = lucia.identifiers.get().uuid
    point = ContactPointFactory(organisation=world.here, citizen=lucia).uuid
    for url in (
        page("detail", lucia.uuid),
        page("names", lucia.uuid),
        page("wishes", lucia.uuid),
        page("add_identifier", lucia.uuid),
        page("withdraw_identifier", lucia.uuid, number),
        page("add_contact_point", lucia.uuid),
        page("change_contact_point", lucia.uuid, point),
    ):
        assert client.get(url).status_code == 404, url
        assert client.post(url, {"reason": "x"}).status_code in (404, 405), url
    for url in (
        page("state_reason", lucia.uuid),
        page("reveal", lucia.uuid, number),
        page("verify_identifier", lucia.uuid, number),
        page("verify_contact_point", lucia.uuid, point),
        page("end_contact_point", lucia.uuid, point),
    ):
        assert client.post(url, {"usual": "other", "other": "x"}).status_code == 404, url
    assert seen() == []


def test_a_shared_person_is_shown_with_the_agreement(world, lucia):
    ContactPointFactory(
        organisation=world.here, citizen=lucia, channel=Channel.EMAIL, address="l@example.es"
    )
    agreement = SharingAgreement.objects.create(
        giver=world.here,
        receiver=world.elsewhere,
        legal_basis="Ley 40/2015, art. 155",
        data_classes=[DataClass.IDENTITY],
        valid=("2020-01-01", None),
    )
    client = signed_in(world.charlie)
    found = client.get(page("list"), {"q": "sanz"})
    assert world.here.name in text_of(found)
    shown = text_of(client.get(page("detail", lucia.uuid)))
    assert "Ley 40/2015, art. 155" in shown
    assert "Lucía Sanz Ortúzar" in shown
    assert "l@example.es" not in shown
    assert client.get(page("names", lucia.uuid)).status_code == 404
    agreement.data_classes = [DataClass.IDENTITY, DataClass.CONTACT]
    agreement.save()
    assert "l@example.es" in text_of(client.get(page("detail", lucia.uuid)))


def test_whom_only_an_agreement_shows_there_is_no_history_to_seal(world, lucia):
    SharingAgreement.objects.create(
        giver=world.here,
        receiver=world.elsewhere,
        legal_basis="Ley 40/2015, art. 155",
        data_classes=[DataClass.IDENTITY],
        valid=("2020-01-01", None),
    )
    offered = f"/ciudadania/{lucia.uuid}/historiales/"
    theirs = signed_in(employee(world.elsewhere, "supervisor"))
    assert offered not in theirs.get(page("detail", lucia.uuid)).content.decode()
    assert theirs.get(offered).status_code == 404
    own = signed_in(employee(world.here, "supervisor"))
    assert offered in own.get(page("detail", lucia.uuid)).content.decode()
    assert own.get(offered).status_code == 200


# --- panels --------------------------------------------------------------------------------------


@pytest.fixture
def panels(monkeypatch) -> Registry[profile.Panel]:
    registry: Registry[profile.Panel] = Registry("panel")
    monkeypatch.setattr(profile, "panels", registry)
    return registry


def panel(name: str, load, order: int = 50, permission: str = "citizens.view_citizen"):
    return profile.Panel(
        name, name.title(), "folder", "citizens/_point.html", load, permission, order
    )


def test_panels_stand_in_order_and_a_failing_one_harms_no_other(world, lucia, panels):
    def broken(actor: Actor, citizen: Citizen):
        Citizen.objects.unscoped("test").raw("SELECT nonsense")[0]

    panels.register("late", panel("late", lambda *_: {"point": {"shown": "late one"}}, 90))
    panels.register("early", panel("early", lambda *_: {"point": {"shown": "early one"}}, 10))
    panels.register("broken", panel("broken", broken, 20))
    panels.register("empty", panel("empty", lambda *_: None, 30))
    panels.register("hidden", panel("hidden", lambda *_: {}, 40, "audit.view_entry"))
    sections = profile.sections(world.actor(world.alice), lucia)
    assert [(s.name, s.html is None) for s in sections] == [
        ("early", False),
        ("broken", True),
        ("late", False),
    ]
    shown = text_of(signed_in(world.alice).get(page("detail", lucia.uuid)))
    assert shown.index("early one") < shown.index("Broken") < shown.index("late one")
    assert "Hidden" not in shown


def test_a_slow_panel_gives_way(world, lucia, panels, monkeypatch):
    monkeypatch.setattr(profile, "PATIENCE_MS", 50)

    def slow(actor: Actor, citizen: Citizen):
        list(Citizen.objects.unscoped("test").raw("SELECT pg_sleep(5)::text AS name, 1 AS id"))

    panels.register("slow", panel("slow", slow))
    [section] = profile.sections(world.actor(world.alice), lucia)
    assert section.html is None


def test_the_timeline_tells_every_room_in_one_order(world, lucia, monkeypatch):
    told: Registry[story.Story] = Registry("story")
    monkeypatch.setattr(story, "stories", told)
    told.register("record", story.Story({"record": "Record"}, story.record_story))
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    opened = story.Moment(long_ago, "folder", "opened a case")
    told.register("other", story.Story({"other": "Other"}, lambda *_: [opened]))
    hidden = story.Story({"hidden": "Hidden"}, lambda *_: 1 / 0, "audit.view_entry")
    told.register("hidden", hidden)
    client = signed_in(world.alice)
    client.post(
        page("add_contact_point", lucia.uuid),
        {"channel": "phone", "address": "600123456", "quality": "unsure"},
    )
    client.post(page("wishes", lucia.uuid), {"language": "eu"})
    moments = story.timeline(world.actor(world.bob), lucia)["moments"]
    assert [(moment.by, str(moment.text)) for moment in moments] == [
        ("Alice Arias", "corrected the person's data"),
        ("Alice Arias", "added a contact point"),
        ("", "opened a case"),
    ]
    assert "600123456" not in str(moments)
    shown = text_of(client.get(page("detail", lucia.uuid)))
    assert "Alice Arias added a contact point" in shown
    assert story.record_story(world.actor(world.charlie), lucia, story.Asked()) == []
    alone = client.get(page("timeline", lucia.uuid), {"ver": ["other", "hidden", "nonsense"]})
    assert "opened a case" in text_of(alone)
    assert "contact point" not in text_of(alone)


def test_the_timeline_goes_back_page_by_page_to_the_beginning(world, lucia, monkeypatch):
    monkeypatch.setattr(story, "SHOWN", 3)
    client = signed_in(world.alice)
    case = CaseFactory(unit=world.unit, citizen=lucia)
    with told_at(datetime(2026, 3, 1, 10, 0, 0, 123457, tzinfo=UTC)):  # all at one moment
        for number in range(7):
            record_message(world.actor(world.alice), case.uuid, f"{number}", channel="phone")
    found, query = [], "ver=messages&ver=moves"
    while query:
        told = client.get(f"{page('timeline', lucia.uuid)}?{query}", headers={"hx-request": "true"})
        found += told.context["moments"]
        query = told.context["earlier"]
    assert len(found) == 8
    assert len({moment.place for moment in found}) == 8
    assert [moment.place for moment in found] == sorted((m.place for m in found), reverse=True)


@pytest.mark.parametrize("place", ["x", "1.case.2", "9" * 20 + ".case." + "9" * 19, "-1.é.²", "."])
def test_an_unknown_place_of_the_timeline_is_its_beginning(world, lucia, place):
    CaseFactory(unit=world.unit, citizen=lucia)
    answer = signed_in(world.alice).get(page("timeline", lucia.uuid), {"antes": place})
    assert len(answer.context["moments"]) == 1


# --- registering ---------------------------------------------------------------------------------

TYPED = {
    "kind": "natural_person",
    "name": "Begoña",
    "surname1": "Etxeberria",
    "surname2": "O'Neill",
    "birth_date": "1990-02-01",
    "identifier_kind": "nif",
    "identifier_value": made_up_nif(501),
    "phone": "600 123 456",
    "email": "begona@example.es",
    "language": "eu",
    "accessibility_needs": ["hearing"],
}


def test_a_person_is_registered_from_the_form(world):
    client = signed_in(world.alice)
    assert client.get(page("new")).status_code == 200
    response = client.post(page("new"), TYPED)
    assert response.status_code == 302
    citizen = Citizen.objects.unscoped("test").get()
    assert response.url == page("detail", citizen.uuid)
    assert citizen.full_name == "Begoña Etxeberria O'Neill"
    assert citizen.contact_points.count() == 2
    shown = text_of(client.get(response.url))
    assert "600 12 34 56" in shown


def test_errors_stand_at_their_fields_and_nothing_typed_is_lost(world):
    typed = {
        **TYPED,
        "identifier_value": "12345678A",
        "phone": "12",
        "email": "<b>nobody",
        "postal_code": "99999",
        "name": "",
    }
    response = signed_in(world.alice).post(page("new"), typed)
    assert response.status_code == 422
    form = response.context["form"]
    assert set(form.errors) == {"name"}
    typed["name"] = "Begoña"
    response = signed_in(world.alice).post(page("new"), typed)
    assert response.status_code == 422
    form = response.context["form"]
    assert set(form.errors) == {"identifier_value", "phone", "email", "address", "postal_code"}
    html = response.content.decode()
    for kept in ("12345678A", 'value="Etxeberria"', "99999", "&lt;b&gt;nobody"):
        assert kept in html
    assert "<b>nobody" not in html
    assert not Citizen.objects.unscoped("test").exists()


def test_likely_duplicates_are_shown_once_and_registering_anyway_is_recorded(world, lucia):
    client = signed_in(world.alice)
    typed = {
        **TYPED,
        "name": "Lucia",
        "surname1": "Sanz",
        "surname2": "Ortuzar",
        "birth_date": "1988-05-17",
    }
    response = client.post(page("new"), typed)
    assert response.status_code == 409
    html = response.content.decode()
    assert page("detail", lucia.uuid) in html
    assert f'name="despite" value="{lucia.uuid}"' in html
    assert 'value="Ortuzar"' in html
    again = client.post(page("new"), {**typed, "despite": [str(lucia.uuid)]})
    assert again.status_code == 302
    entry = AuditEntry.objects.get(action="citizens.change_citizen")
    assert entry.data["despite"] == [str(lucia.uuid)]


def test_a_known_number_leads_to_the_record_and_cannot_be_registered_twice(world, lucia):
    response = signed_in(world.alice).post(
        page("new"), {**TYPED, "identifier_value": NIF, "despite": [str(lucia.uuid)]}
    )
    assert response.status_code == 409
    assert page("detail", lucia.uuid) in response.content.decode()
    assert "despite" not in response.content.decode()
    assert Citizen.objects.unscoped("test").count() == 1


def test_who_is_known_elsewhere_is_registered_with_a_clear_notice(world, lucia):
    response = signed_in(world.charlie).post(
        page("new"), {**TYPED, "identifier_value": NIF}, follow=True
    )
    assert "already belonged to this person" in text_of(response)
    assert "Lucía Sanz Ortúzar" in text_of(response)
    assert world.here.name not in text_of(response)


@pytest.mark.parametrize("despite", ["1", "x", "' OR 1=1"])
def test_a_forged_confirmation_is_refused(world, despite):
    response = signed_in(world.alice).post(page("new"), {**TYPED, "despite": despite})
    assert response.status_code == 422


# --- corrections ---------------------------------------------------------------------------------


def test_names_wishes_numbers_and_contact_points_are_corrected(world, lucia):
    client = signed_in(world.alice)

    def correct(what, *args, **data):
        url = page(what, lucia.uuid, *args)
        assert client.get(url).status_code == 200
        response = client.post(url, data)
        assert response.status_code == 302, response.context["form"].errors
        assert response.url == page("detail", lucia.uuid)

    correct("names", kind="natural_person", name="Lucía", surname1="Sáenz", birth_date="1988-05-18")
    correct("wishes", language="ca", preferred_channel="sms", accessibility_needs=["sight"])
    correct("add_identifier", kind="passport", value="AAA111222", country="fr")
    passport = lucia.identifiers.get(kind="passport")
    client.post(page("verify_identifier", lucia.uuid, passport.uuid))
    correct("withdraw_identifier", passport.uuid, reason="Caducado")
    correct("add_contact_point", channel="phone", address="600123456", quality="unsure")
    point = lucia.contact_points.get()
    correct("change_contact_point", point.uuid, channel="sms", address="600123457", quality="good")
    client.post(page("verify_contact_point", lucia.uuid, point.uuid))
    client.post(page("end_contact_point", lucia.uuid, point.uuid))
    lucia.refresh_from_db()
    point.refresh_from_db()
    passport.refresh_from_db()
    assert lucia.full_name == "Lucía Sáenz"
    assert (passport.country, passport.verified_by) == ("FR", "Alice Arias")
    assert passport.ended_at is not None
    assert (point.channel, point.address) == ("sms", "+34600123457")
    assert point.ended_at is not None
    assert len(seen()) == 6  # each form opened the person once; saving did not


def test_a_refused_correction_keeps_what_was_typed(world, lucia):
    response = signed_in(world.alice).post(
        page("add_contact_point", lucia.uuid),
        {"channel": "phone", "address": "call me maybe", "quality": "unsure"},
    )
    assert response.status_code == 422
    assert "call me maybe" in response.content.decode()
    assert set(response.context["form"].errors) == {"address"}


def test_the_slower_of_two_corrections_is_told(world, lucia):
    first, second = signed_in(world.alice), signed_in(world.bob)
    stale = first.get(page("names", lucia.uuid)).context["form"]["seen"].value()
    typed = {"kind": "natural_person", "name": "Lucía", "surname1": "Sáez", "seen": stale}
    assert second.post(page("names", lucia.uuid), typed).status_code == 302
    late = first.post(page("names", lucia.uuid), {**typed, "surname1": "Sáiz"})
    assert late.status_code == 409
    assert "Sáiz" in late.content.decode()
    assert dict(late.context["form"].now) == {"First surname": "Sáez"}
    fresh = late.context["form"]["seen"].value()
    again = {**typed, "surname1": "Sáiz", "seen": fresh}
    assert first.post(page("names", lucia.uuid), again).status_code == 302
    lucia.refresh_from_db()
    assert lucia.surname1 == "Sáiz"
    assert first.post(page("names", lucia.uuid), {**typed, "seen": "junk"}).status_code == 422


def test_the_slower_of_two_at_wishes_or_a_contact_point_is_told_and_may_go_on(world, lucia):
    alice = world.actor(world.alice)
    point = details.add_contact_point(alice, lucia.uuid, NewContactPoint("phone", "600123456"))
    forms = {
        page("wishes", lucia.uuid): (
            {"language": "ca", "accessibility_needs": ["sight"]},
            {"language": "gl", "accessibility_needs": ["hearing"]},
            {"Language": "Catalán", "Accessibility needs": "Sight"},
        ),
        page("change_contact_point", lucia.uuid, point.uuid): (
            {"channel": "phone", "address": "600123457", "quality": "good"},
            {"channel": "phone", "address": "600123458", "quality": "bad"},
            {"Telephone, email or address": "+34600123457", "Quality": "Good"},
        ),
    }
    first, second = signed_in(world.alice), signed_in(world.bob)
    for url, (theirs, mine, differences) in forms.items():
        stale = first.get(url).context["form"]["seen"].value()
        assert second.post(url, {**theirs, "seen": stale}).status_code == 302
        late = first.post(url, {**mine, "seen": stale})
        assert late.status_code == 409
        assert dict(late.context["form"].now) == differences
        fresh = late.context["form"]["seen"].value()
        assert first.post(url, {**mine, "seen": fresh}).status_code == 302
    record = CitizenRecord.objects.for_actor(alice).get(citizen=lucia)
    point.refresh_from_db()
    assert record.language == "gl"
    assert (point.address, point.quality) == ("+34600123458", "bad")


def test_the_validity_of_a_number_is_shown_and_renewed(world, lucia):
    client, number = signed_in(world.alice), lucia.identifiers.get()
    url = page("validity", lucia.uuid, number.uuid)
    backwards = {"valid_from": "2026-02-01", "valid_until": "2026-01-01"}
    assert set(client.post(url, backwards).context["form"].errors) == {"valid_until"}
    beyond = {"valid_from": "9999-01-01"}
    assert set(client.post(url, beyond).context["form"].errors) == {"valid_from"}
    assert client.post(url, {"valid_until": "9999-01-01"}).status_code == 302  # without end
    assert client.post(url, {"valid_until": "2020-05-31"}).status_code == 302
    shown = client.get(page("detail", lucia.uuid)).content.decode()
    assert "Valid until: 31" in shown
    assert "expired" in shown
    stale = client.get(url).context["form"]["seen"].value()
    renewed = {"valid_from": "2026-01-01", "valid_until": "2036-01-01", "seen": stale}
    assert client.post(url, renewed).status_code == 302
    assert "expired" not in client.get(page("detail", lucia.uuid)).content.decode()
    assert client.post(url, {**renewed, "valid_until": "2037-01-01"}).status_code == 409


def test_a_doubtful_number_is_kept_and_said(world, lucia):
    typed = {"kind": "naf", "value": "28/01234567/85"}
    answer = signed_in(world.alice).post(page("add_identifier", lucia.uuid), typed, follow=True)
    assert lucia.identifiers.filter(kind="naf").exists()
    assert [message.level_tag for message in answer.context["messages"]] == ["warning", "success"]


def test_protection_is_set_and_lifted_by_who_may(world, lucia):
    assert signed_in(world.alice).get(page("protection", lucia.uuid)).status_code == 403
    client = signed_in(employee(world.here, "supervisor"))
    client.post(page("protection", lucia.uuid), {"reason": "Orden de protección"})
    record = CitizenRecord.objects.for_actor(world.actor(world.alice)).get()
    assert record.protected is True
    client.post(page("protection", lucia.uuid), {"reason": "Levantada por el juzgado"})
    record.refresh_from_db()
    assert record.protected is False


def test_the_page_costs_the_same_queries_whatever_is_on_record(
    world, lucia, django_assert_max_num_queries
):
    client = signed_in(world.alice)
    url = page("detail", lucia.uuid)
    counts = []
    for _ in range(2):
        client.get(url)
        with django_assert_max_num_queries(47) as queries:
            client.get(url)
        counts.append(len(queries))
        for place in range(10):
            ContactPointFactory(organisation=world.here, citizen=lucia)
            lucia.identifiers.create(
                kind="passport", value=f"AAA{len(counts)}{place}", country="FR"
            )
    assert counts[0] == counts[1]


# --- palette -------------------------------------------------------------------------------------


def test_the_palette_offers_citizens(world, lucia):
    response = signed_in(world.alice).get(reverse("palette"), {"q": "sanz ortu"})
    groups = response.json()["groups"]
    people = [item for group in groups for item in group["items"] if item["icon"] == "user"]
    assert people == [
        {
            "label": "Lucía Sanz Ortúzar",
            "sub": people[0]["sub"],
            "icon": "user",
            "url": page("detail", lucia.uuid),
        }
    ]
    assert NIF not in people[0]["sub"]
    assert signed_in(world.charlie).get(reverse("palette"), {"q": "sanz ortu"}).json() == {
        "groups": []
    }
    assert signed_in(world.alice).get(reverse("palette"), {"q": ""}).json() == {"groups": []}


def test_the_palette_offers_cases_beside_citizens(world):
    case = CaseFactory(unit=world.unit, subject="Farola apagada en la plaza")
    [group] = signed_in(world.alice).get(reverse("palette"), {"q": "farola"}).json()["groups"]
    [item] = group["items"]
    assert (item["label"], item["icon"]) == ("Farola apagada en la plaza", "folder")
    assert item["url"] == reverse("cases:detail", args=[case.uuid])
    assert Client().get(reverse("palette"), {"q": "farola"}).status_code == 302

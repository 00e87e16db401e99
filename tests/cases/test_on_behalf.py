"""Cases of people who act through somebody: what may be told follows the mandate of that moment."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import services
from cases.lists import find
from cases.models import Case, CaseType, Event, Message, Participant, Representation
from cases.query import understood
from cases.services import NewCase
from crm.audit.models import AuditEntry
from crm.citizens.attending import narrowed
from crm.citizens.models import Citizen, Mandate
from crm.citizens.services.mandates import end_mandate
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Refused
from reporting.case_history import content
from reporting.models import Variant
from scheduling.services import Wish, book_appointment
from tests.cases.test_window import drained
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory, ProcedureFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.mandates import make_mandate
from tests.factories.scheduling import at, make_office, make_resource, make_service

pytestmark = pytest.mark.django_db


@dataclass
class Scene:
    """Manuel has a pension case and a rental one; his daughter Carmen speaks for him on pensions."""

    actor: Actor
    client: Client
    father: Citizen
    daughter: Citizen
    pension: CaseType
    mine: Case  # of what she may know
    secret: Case  # of what she may not
    mandate: Mandate

    @property
    def attending(self) -> Actor:
        """The employee while they attend Carmen in Manuel's name."""
        return narrowed(self.actor, [(self.daughter.uuid, self.father.uuid)])

    def attend(self) -> Any:
        """The employee's browser attends Carmen in Manuel's name from now on."""
        address = reverse("citizens:attend", args=[self.father.uuid])
        return self.client.post(address, {"holder": str(self.daughter.uuid)})

    def revoke(self) -> None:
        """Manuel revokes it."""
        end_mandate(self.actor, self.mandate.uuid, "revoked", reason="Lo pide Manuel")


@pytest.fixture
def scene(world: World, client: Client) -> Scene:
    user = employee(world.here, "office", full_name="Olga Oficina")
    actor = acting(user)
    father = CitizenFactory(name="Manuel", surname1="García", organisation=world.here)
    daughter = CitizenFactory(name="Carmen", surname1="García", organisation=world.here)
    pension = CaseTypeFactory(organisation=world.here, code="pension", name="Pensiones")
    rent = CaseTypeFactory(organisation=world.here, code="alquiler", name="Alquiler")
    made = {"unit": world.unit, "citizen": father, "actor": actor}
    mine = CaseFactory(case_type=pension, subject="Jubilación de Manuel", **made)
    secret = CaseFactory(case_type=rent, subject="Ayuda que nadie sabe", **made)
    mandate = make_mandate(
        actor, father, daughter, scope="matter", covers=["pension"], acts=["inform", "file"]
    )
    client.force_login(user)
    return Scene(actor, client, father, daughter, pension, mine, secret, mandate)


# --- Opening --------------------------------------------------------------------------------------


def test_a_case_opened_for_somebody_says_through_whom_and_by_which_mandate(
    world: World, scene: Scene
) -> None:
    case = services.open_case(
        scene.actor,
        NewCase(
            case_type="pension",
            subject="Revisión",
            unit=world.unit.uuid,
            citizen=scene.father.uuid,
            representative=scene.daughter.uuid,
        ),
    )
    first, second = Event.objects.filter(case=case).order_by("seq")
    words = "Manuel García Prueba, through Carmen García Prueba"
    assert (first.actor_name, first.on_behalf_of) == ("Olga Oficina", words)
    assert (second.kind, second.on_behalf_of) == ("participant_added", words)
    kept = Representation.objects.get(event=first)
    assert (kept.mandate, kept.holder, kept.act) == (scene.mandate, scene.daughter, "file")
    part = Participant.objects.get(case=case)
    assert (part.citizen, part.role) == (scene.daughter, "representative")
    entry = AuditEntry.objects.filter(action="cases.open_case", object_id=str(case.uuid)).first()
    assert entry is not None
    assert entry.on_behalf_of == words
    assert case.citizen == scene.father
    # what she did before stays readable after it has been revoked
    scene.revoke()
    kept.refresh_from_db()
    assert kept.mandate.ended_how == "revoked"


def test_what_the_mandate_does_not_reach_is_not_opened(world: World, scene: Scene) -> None:
    values = {
        "subject": "Otra",
        "unit": world.unit.uuid,
        "citizen": scene.father.uuid,
        "representative": scene.daughter.uuid,
    }
    with pytest.raises(Invalid) as error:
        services.open_case(scene.actor, NewCase(case_type="alquiler", **values))
    why = "The mandate on record does not cover this matter."
    assert [str(text) for text in error.value.errors["representative"]] == [why]
    scene.revoke()
    with pytest.raises(Invalid) as error:
        services.open_case(scene.actor, NewCase(case_type="pension", **values))
    (text,) = error.value.errors["representative"]
    assert str(text).startswith("The mandate was revoked on")
    assert Case.objects.count() == 2
    with pytest.raises(Invalid):  # in nobody's name
        services.open_case(scene.actor, NewCase(case_type="pension", **{**values, "citizen": None}))


def test_a_procedure_is_reached_by_its_own_code(world: World, scene: Scene) -> None:
    ProcedureFactory(unit=world.unit, case_type=scene.pension, code="vida", name="Vida laboral")
    son = CitizenFactory(name="Luis", organisation=world.here)
    make_mandate(scene.actor, scene.father, son, scope="procedure", covers=["vida"])
    theirs = narrowed(scene.actor, [(son.uuid, scene.father.uuid)])
    assert list(Case.objects.for_actor(theirs)) == [scene.mine]


# --- Telling --------------------------------------------------------------------------------------


def test_while_attending_only_what_the_mandate_covers_exists(scene: Scene) -> None:
    other = CaseFactory(
        unit=scene.mine.unit, case_type=scene.secret.case_type, citizen=scene.daughter
    )
    assert set(Case.objects.for_actor(scene.attending)) == {scene.mine, other}
    assert set(Case.objects.for_actor(scene.actor)) == {scene.mine, scene.secret, other}
    assert set(Event.objects.for_actor(scene.attending).values_list("case", flat=True)) == {
        scene.mine.pk,
        other.pk,
    }
    with pytest.raises(Refused) as error:
        services.add_note(scene.attending, scene.secret.uuid, "Preguntó por ella")
    assert str(error.value.message) == "The mandate on record does not cover this matter."


def test_the_pages_show_what_may_be_told_and_say_what_is_not(scene: Scene) -> None:
    assert scene.attend().status_code == 302
    page = scene.client.get(reverse("citizens:detail", args=[scene.father.uuid]))
    text = page.content.decode()
    assert "You attend in the name of: Manuel García Prueba, through Carmen García Prueba" in text
    assert "Jubilación de Manuel" in text
    assert "Ayuda que nadie sabe" not in text
    assert "The mandate does not cover it." in text
    looked = AuditEntry.objects.filter(action="viewed", object_id=str(scene.father.uuid)).latest(
        "id"
    )
    assert looked.on_behalf_of == "Manuel García Prueba, through Carmen García Prueba"
    shown = scene.client.get(reverse("cases:detail", args=[scene.mine.uuid]))
    assert "You attend in the name of" in shown.content.decode()
    assert "Ayuda que nadie sabe" not in shown.content.decode()
    hidden = scene.client.get(reverse("cases:detail", args=[scene.secret.uuid]))
    assert hidden.status_code == 403
    assert "The mandate on record does not cover this matter." in hidden.content.decode()
    for name in ("story", "edit"):
        part = scene.client.get(reverse(f"cases:{name}", args=[scene.secret.uuid]))
        assert part.status_code == 403
    lists = scene.client.get(reverse("cases:list")).content.decode()
    assert "Ayuda que nadie sabe" not in lists


def test_revoking_refuses_the_next_page_and_keeps_the_history(scene: Scene) -> None:
    scene.attend()
    note = reverse("cases:note", args=[scene.mine.uuid])
    assert scene.client.post(note, {"text": "Pregunta cuándo cobra"}).status_code == 302
    scene.revoke()
    for name, uuid in (("citizens:detail", scene.father), ("cases:detail", scene.mine)):
        page = scene.client.get(reverse(name, args=[uuid.uuid]))
        assert page.status_code == 403
        assert "The mandate was revoked on" in page.content.decode()
    assert scene.client.post(note, {"text": "Otra vez"}).status_code == 403
    (kept,) = Representation.objects.all()
    assert (kept.mandate, kept.act) == (scene.mandate, "inform")
    # ended: the employee goes on by their own right, and the story tells who spoke
    scene.client.post(reverse("citizens:stop_attending", args=[scene.father.uuid]))
    page = scene.client.get(reverse("cases:detail", args=[scene.mine.uuid]))
    assert page.status_code == 200
    assert "in the name of: Manuel García Prueba, through Carmen García" in page.content.decode()


def test_seeing_more_takes_another_reason_which_is_written_down(scene: Scene) -> None:
    scene.attend()
    stop = reverse("citizens:stop_attending", args=[scene.father.uuid])
    scene.client.post(stop, {"reason": "Comprueba otra ayuda incompatible"})
    page = scene.client.get(reverse("citizens:detail", args=[scene.father.uuid]))
    assert "Ayuda que nadie sabe" in page.content.decode()
    entry = AuditEntry.objects.get(action="opened_exceptionally")
    assert entry.purpose == "Comprueba otra ayuda incompatible"
    seen = AuditEntry.objects.filter(action="viewed", object_id=str(scene.father.uuid)).latest("id")
    assert (seen.purpose, seen.on_behalf_of) == ("Comprueba otra ayuda incompatible", "")


def test_who_has_no_mandate_is_not_attended(scene: Scene) -> None:
    scene.revoke()
    answer = scene.attend()
    assert answer.status_code == 403
    assert "The mandate was revoked on" in answer.content.decode()
    assert "attending" not in scene.client.session


def test_the_form_offers_those_who_may_apply_and_says_why_others_may_not(scene: Scene) -> None:
    ask = reverse("cases:who_asks")
    given = {"citizen": str(scene.father.uuid), "case_type": "pension"}
    part = scene.client.get(ask, given).content.decode()
    assert "Carmen García Prueba, who represents them" in part
    assert "disabled" not in part
    other = scene.client.get(ask, {**given, "case_type": "alquiler"}).content.decode()
    assert "The mandate on record does not cover this matter." in other
    assert "disabled" in other
    assert "who represents" not in scene.client.get(ask, {"citizen": "x"}).content.decode()
    sent = {
        "case_type": "pension",
        "unit": str(scene.mine.unit.uuid),
        "subject": "Revisión",
        "channel": "phone",
        "priority": "1",
        "language": "es",
        "confidentiality": "1",
        "citizen": str(scene.father.uuid),
        "representative": str(scene.daughter.uuid),
    }
    assert scene.client.post(reverse("cases:new"), sent).status_code == 302
    assert Representation.objects.get(act="file").holder == scene.daughter
    wrong = scene.client.post(reverse("cases:new"), {**sent, "case_type": "alquiler"})
    assert wrong.status_code == 422
    assert "The mandate on record does not cover this matter." in wrong.content.decode()


# --- Messages -------------------------------------------------------------------------------------


def test_notifications_go_to_the_representative_while_the_mandate_says_so(
    world: World, scene: Scene
) -> None:
    for person, address in (
        (scene.father, "manuel@x.example"),
        (scene.daughter, "carmen@x.example"),
    ):
        ContactPointFactory(
            organisation=world.here,
            citizen=person,
            channel="email",
            address=address,
            address_key=address,
        )
    services.add_participant(scene.actor, scene.mine.uuid, scene.daughter.uuid, "representative")
    first = services.send_message(scene.actor, scene.mine.uuid, "Falta un papel")
    assert first.address == "manuel@x.example"  # she may be told, but not notified
    both = make_mandate(
        scene.actor,
        scene.father,
        scene.daughter,
        scope="matter",
        covers=["pension"],
        acts=["inform", "notify"],
    )
    second = services.send_message(scene.actor, scene.mine.uuid, "Sigue faltando")
    assert second.address == "carmen@x.example"
    kept = Representation.objects.get(act="notify")
    assert (kept.mandate, kept.event.data["message"]) == (both, str(second.uuid))
    page = scene.client.get(reverse("cases:detail", args=[scene.mine.uuid])).content.decode()
    assert "Carmen García Prueba, who represents Manuel García Prueba, will receive it" in page
    for one in (both, scene.mandate):
        end_mandate(scene.actor, one.uuid, "revoked", reason="Lo pide Manuel")
    assert services.address_for(scene.actor, scene.mine) == "manuel@x.example"
    # what still waited to leave for her leaves no more
    services.deliver_message(second.uuid)
    second.refresh_from_db()
    assert second.state == Message.State.FAILED
    assert second.state_reason == "It would go to a representative who may not be told any more."
    assert mail.outbox == []


def test_an_expired_mandate_tells_nothing(scene: Scene, world: World) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    make_mandate(
        scene.actor,
        scene.father,
        CitizenFactory(name="Luis", organisation=world.here),
        granted_on=yesterday - timedelta(days=9),
        valid_until=yesterday,
    )
    luis = Citizen.objects.get(name="Luis")
    actor = narrowed(scene.actor, [(luis.uuid, scene.father.uuid)])
    assert list(Case.objects.for_actor(actor)) == []
    assert actor.attends[0].refusal.startswith("The mandate expired on")


# --- On the public pages --------------------------------------------------------------------------


def _follow(client: Client, scene: Scene, number: str) -> Any:
    """Asks for a code as whoever bears the number; the page after it was typed."""
    address = reverse("cases:window_follow", kwargs={"organisation": "HERE"})
    mail.outbox.clear()
    client.post(address, {"reference": scene.mine.reference, "number": number})
    drained()
    code = re.search(r"\d{6}", mail.outbox[0].body)[0] if mail.outbox else "000000"
    return client.post(address, {"reference": scene.mine.reference, "code": code}, follow=True)


def test_a_representative_follows_a_case_by_a_code_of_their_own(
    world: World, scene: Scene, client: Client
) -> None:
    ContactPointFactory(
        organisation=world.here,
        citizen=scene.daughter,
        channel="email",
        address="carmen@x.example",
        address_key="carmen@x.example",
    )
    visitor, number = Client(), scene.daughter.identifiers.get().value
    page = _follow(visitor, scene, number)
    assert mail.outbox[0].to == ["carmen@x.example"]
    assert page.status_code == 200
    assert "Jubilación de Manuel" in page.content.decode()
    assert "in the name of: Manuel García Prueba, through Carmen" in page.content.decode()
    entry = AuditEntry.objects.filter(action="viewed", object_id=str(scene.mine.uuid)).latest("id")
    assert entry.on_behalf_of == "Manuel García Prueba, through Carmen García Prueba"
    here = {"organisation": "HERE", "case": scene.mine.uuid}
    address = reverse("cases:window_case", kwargs=here)
    scene.revoke()
    refused = visitor.get(address)
    assert refused.status_code == 403
    assert "Jubilación" not in refused.content.decode()
    again = _follow(Client(), scene, number)  # no code leaves any more, and nothing says so
    assert mail.outbox == []
    assert again.status_code == 422


def test_a_stranger_gets_no_code_by_another_number(world: World, scene: Scene) -> None:
    stranger = CitizenFactory(name="Ajena", organisation=world.here)
    for number in (stranger.identifiers.get().value, "99999999X", "no es un número"):
        assert _follow(Client(), scene, number).status_code == 422
        assert mail.outbox == []


# --- The query ------------------------------------------------------------------------------------


def test_cases_are_found_by_who_represents(scene: Scene) -> None:
    services.add_participant(scene.actor, scene.mine.uuid, scene.daughter.uuid, "representative")
    services.add_participant(scene.actor, scene.secret.uuid, scene.daughter.uuid, "witness")
    for text in ("represented-by:carmen", "representado-por:carmen", "representante:carmen"):
        found = find(scene.actor, understood(scene.actor, text).alone()).rows
        assert [case.pk for case in found] == [scene.mine.pk], text


# --- The rooms above ------------------------------------------------------------------------------


def test_an_appointment_booked_while_attending_says_in_whose_name(
    world: World, scene: Scene
) -> None:
    office = make_office(world.here, world.unit)
    service = make_service(world.here)
    make_resource(office, service)
    wish = Wish(service.code, office.code, at("09:00"))
    boss = acting(employee(world.here, "supervisor"))
    attending = narrowed(boss, [(scene.daughter.uuid, scene.father.uuid)])
    made = book_appointment(attending, wish, citizen=scene.father.uuid, case=scene.mine.uuid)
    told = made.happenings.earliest("seq")
    assert told.data["on_behalf_of"] == "Manuel García Prueba, through Carmen García Prueba"
    entry = AuditEntry.objects.filter(object_id=str(made.uuid)).earliest("id")
    assert entry.on_behalf_of == told.data["on_behalf_of"]


def test_the_sealed_history_tells_in_whose_name(scene: Scene) -> None:
    services.add_note(scene.attending, scene.mine.uuid, "Pregunta cuándo cobra")
    scene.mine.refresh_from_db()
    boss = replace(scene.actor, on_behalf_of="")
    told = str(content(scene.mine, Variant.FULL, "es", boss))
    assert "Olga Oficina on behalf of Manuel García Prueba, through Carmen García Prueba" in told

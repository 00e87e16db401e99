"""A procedure of the catalogue leads to the booking of its appointment, here and in the chat."""

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Procedure
from cases.services import procedures
from channels_app.models import Message
from crm.accounts.actors import system_actor
from crm.kit.errors import Invalid
from scheduling.models import BookableService
from tests.conftest import World
from tests.factories.accounts import ORIGIN, employee
from tests.factories.cases import ArticleFactory, ProcedureFactory
from tests.factories.channels_app import begin, make_account, make_queue
from tests.factories.scheduling import make_service
from tests.scheduling.conftest import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def procedure(world: World, desk: Desk) -> Procedure:
    """A procedure that is booked as the desk's service."""
    return ProcedureFactory(unit=world.unit, code="padron", booking=desk.service.code)


def page_of(client: Client) -> str:
    return client.get("/sede/HERE/tramites/padron/").content.decode()


def test_the_page_of_a_procedure_leads_to_its_booking(
    client: Client, procedure: Procedure, desk: Desk
) -> None:
    assert procedure.appointment
    path = f"/cita/HERE/para/{desk.service.code}/"
    page = page_of(client)
    assert page.count(f'href="{path}"') == 2
    assert client.get(path, follow=True).status_code == 200


@pytest.mark.parametrize("closed", ["is_public", "is_active"])
def test_what_cannot_be_booked_now_is_not_offered(
    client: Client, procedure: Procedure, desk: Desk, closed: str
) -> None:
    BookableService.objects.unscoped("a test closes it").update(**{closed: False})
    page = page_of(client)
    assert "/para/" not in page
    assert "also come with an appointment" in page


def test_a_service_of_another_organisation_is_none(world: World, desk: Desk) -> None:
    make_service(world.elsewhere, code="ajeno")
    with pytest.raises(Invalid) as refused:
        ProcedureFactory(unit=world.unit, booking="ajeno")
    assert set(refused.value.errors) == {"booking"}


def test_an_administrator_chooses_what_is_booked(
    world: World, desk: Desk, client: Client, procedure: Procedure
) -> None:
    admin = employee(world.here, "administrator")
    client.force_login(admin)
    place = reverse("cases:procedure", args=["padron"])
    form = client.get(place).context["form"]
    assert form.initial["booking"] == desk.service.code
    offered = dict(form.fields["booking"].choices)
    assert offered == {"": "Nothing online", desk.service.code: desk.service.name}
    sent = {name: form.initial.get(name) or "" for name in form.fields} | {"booking": ""}
    assert client.post(place, {**sent, "code": "padron"}).status_code == 302
    procedure.refresh_from_db()
    assert procedure.booking == ""
    assert client.post(place, {**sent, "booking": "otra"}).status_code == 422


def test_a_service_that_is_closed_stays_chosen_until_somebody_decides(
    world: World, desk: Desk, client: Client, procedure: Procedure
) -> None:
    BookableService.objects.unscoped("a test closes it").update(is_public=False)
    client.force_login(employee(world.here, "administrator"))
    place = reverse("cases:procedure", args=["padron"])
    form = client.get(place).context["form"]
    assert "cannot be booked now" in dict(form.fields["booking"].choices)[desk.service.code]
    sent = {name: form.initial.get(name) or "" for name in form.fields}
    assert client.post(place, {**sent, "es.name": "Otro"}).status_code == 302
    procedure.refresh_from_db()
    assert procedure.booking == desk.service.code


def test_the_assistant_offers_it_with_its_answer(
    world: World, desk: Desk, procedure: Procedure
) -> None:
    article = ArticleFactory(
        unit=world.unit,
        title="¿Cómo me empadrono en el municipio?",
        body="Para empadronarse en el municipio traiga el contrato de alquiler.",
        procedures=["padron"],
    )
    account = make_account(make_queue(world.unit), settings={"assistant": True})
    ask = "¿Cómo me empadrono en el municipio?"
    begin(account, text=ask)
    said = Message.objects.unscoped("a test looks").order_by("-pk")
    first, second = said[0].sources
    assert first["article"] == str(article.uuid)
    assert second["url"].endswith(f"/cita/HERE/para/{desk.service.code}/")
    assert second["procedure"] == "padron"
    procedures.retire_procedure(system_actor(world.here, ORIGIN), "padron")
    _row, _token = begin(account, text=ask)
    assert [one["article"] for one in said.all()[0].sources] == [str(article.uuid)]

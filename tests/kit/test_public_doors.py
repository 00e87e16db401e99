"""The citizens' pages lead to each other: procedures, appointments, the chat."""

import re

import pytest
from django.test import Client

from channels_app.models import ChannelAccount
from scheduling.models import BookableService
from tests.conftest import World
from tests.factories.channels_app import make_account, make_queue
from tests.factories.scheduling import make_office, make_resource, make_service

SEDE, CITA = "/sede/HERE/", "/cita/HERE/"


@pytest.fixture
def account(world: World) -> ChannelAccount:
    """An organisation with appointments and a chat."""
    make_resource(make_office(world.here, world.unit), make_service(world.here))
    return make_account(make_queue(world.unit), public_key="here")


def shown(path: str, language: str = "es") -> tuple[list[str], list[str]]:
    """Where the doors of a page lead, and which of them it lies behind."""
    page = Client(headers={"accept-language": language}).get(path).content.decode()
    found = re.search(r'<nav class="p-wrap p-doors".*?</nav>', page, re.DOTALL)
    links = re.findall(r'<a href="([^"]+)"( aria-current="true")?', found[0] if found else "")
    return [url for url, _mark in links], [url for url, mark in links if mark]


def test_procedures_and_appointments_show_all_doors(account: ChannelAccount) -> None:
    assert shown(SEDE) == ([SEDE, CITA, "/chat/here/"], [SEDE])
    assert shown(f"{SEDE}seguimiento/") == ([SEDE, CITA, "/chat/here/"], [SEDE])
    assert shown(CITA) == ([SEDE, CITA, "/chat/here/"], [CITA])


def test_the_chat_shows_the_others_in_another_tab(account: ChannelAccount) -> None:
    page = Client().get("/chat/here/").content.decode()
    lists = re.findall(r'<ul class="chat-doors".*?</ul>', page, re.DOTALL)
    assert lists
    for found in lists:
        assert re.findall(r'href="([^"]+)" target="_blank"', found) == [SEDE, CITA]
        assert "Book an appointment" in found


def test_a_door_that_is_shut_is_not_shown(account: ChannelAccount) -> None:
    BookableService.objects.unscoped("a test").update(is_public=False)
    ChannelAccount.objects.unscoped("a test").update(is_active=False)
    assert shown(SEDE) == ([SEDE], [SEDE])


def test_nobody_is_sent_to_another_organisation(account: ChannelAccount) -> None:
    assert shown("/sede/ELSE/") == (["/sede/ELSE/"], ["/sede/ELSE/"])


def test_a_page_of_no_organisation_has_no_doors(account: ChannelAccount) -> None:
    assert shown("/verificar/") == ([], [])


@pytest.mark.parametrize("path", [SEDE, f"{SEDE}seguimiento/", CITA])
def test_titles_name_the_organisation(account: ChannelAccount, path: str) -> None:
    page = Client(headers={"accept-language": "es"}).get(path).content.decode()
    assert " · Organismo de aquí · Ventanilla</title>" in page


def test_what_the_demo_page_offers_can_be_followed(account: ChannelAccount) -> None:
    page = Client().get("/demo/pagina/").content.decode()
    links = re.findall(r'<a href="([^"]+)"', page)
    assert [link.partition("?")[0] for link in links] == [SEDE, SEDE, SEDE, CITA]
    assert [Client().get(link).status_code for link in links] == [200, 200, 200, 200]
    assert "<li>" not in re.sub(r"<li><a ", "", page)

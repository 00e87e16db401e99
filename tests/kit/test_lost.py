"""Addresses without a page, refusals and pages that break: all say so in the house's words, to employees
within their console, to anybody else on the public page."""

import re
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import Settings

from cases.models import Case
from crm.kit import web
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory

CONSOLE, PUBLIC = 'class="v-app"', "p-public"


@pytest.fixture
def alice(client: Client, world: World) -> Client:
    """An employee's browser, who may do nothing but look at cases."""
    client.force_login(employee(world.here, "agent", unit=world.unit, language="en"))
    return client


@pytest.mark.django_db
def test_an_unknown_address_is_a_page_of_the_house(client: Client) -> None:
    response = client.get("/no-existe/", headers={"accept-language": "en"})
    page = response.content.decode()
    assert response.status_code == 404
    assert "We cannot find this page" in page
    assert PUBLIC in page
    assert CONSOLE not in page


@pytest.mark.django_db
def test_employees_are_told_within_their_console(alice: Client) -> None:
    lost = alice.get("/no-existe/")
    refused = alice.get(reverse("organisations:settings"))
    cut = alice.get("/casos/?q=a%00b")

    for answer, status, words in (
        (lost, 404, "We cannot find this page"),
        (refused, 403, "Reason: "),
        (refused, 403, "ask whoever administers your organisation"),
        (cut, 400, "The request cannot be carried out"),
    ):
        page = answer.content.decode()
        assert answer.status_code == status
        assert words in page
        assert CONSOLE in page
        assert f'href="{reverse("cases:list")}"' in page  # the navigation stays
        assert PUBLIC not in page


@pytest.mark.django_db
def test_a_row_elsewhere_looks_like_one_that_is_not_there(alice: Client, world: World) -> None:
    foreign: Case = CaseFactory(unit=world.foreign_unit)
    pages = []
    for uuid in (foreign.uuid, uuid4()):
        answer = alice.get(reverse("cases:detail", args=[uuid]))
        assert answer.status_code == 404
        said = answer.content.decode().replace(str(uuid), "")
        pages.append(re.sub(r"[A-Za-z0-9]{64}", "", said))  # but for the forms' tokens
    assert pages[0] == pages[1]
    assert CONSOLE in pages[0]
    assert escape(foreign.reference) not in pages[0]


@pytest.mark.django_db
def test_a_locked_session_sees_no_navigation(alice: Client) -> None:
    session = alice.session
    session["locked"] = True
    session.save()
    page = alice.get("/no-existe/").content.decode()
    assert CONSOLE not in page
    assert PUBLIC in page


@pytest.mark.django_db
def test_an_old_form_is_told_within_the_console(world: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(employee(world.here, "agent", language="en"))
    answer = browser.post(reverse("cases:new"), {})
    assert answer.status_code == 403
    assert "The form has expired" in answer.content.decode()
    assert CONSOLE in answer.content.decode()


@pytest.mark.django_db
def test_what_a_library_refuses_or_cannot_read_is_a_page_of_the_house(
    alice: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
    fields = {f"field{number}": "x" for number in range(200)}
    many = alice.post(reverse("cases:new"), fields)
    foreign_host = alice.get("/", headers={"host": "evil.example, x"})

    assert (many.status_code, foreign_host.status_code) == (400, 400)
    assert "could not be read or is too large" in many.content.decode()
    assert CONSOLE in many.content.decode()
    assert CONSOLE not in foreign_host.content.decode()  # nobody is known yet
    assert PUBLIC in foreign_host.content.decode()

    def denied(*_args: object, **_kwargs: object) -> None:
        raise PermissionDenied

    alice.raise_request_exception = False
    monkeypatch.setattr("cases.selectors.case_of", denied)
    answer = alice.get(reverse("cases:detail", args=[uuid4()]))
    assert answer.status_code == 403
    assert "This operation is not allowed." in answer.content.decode()
    assert CONSOLE in answer.content.decode()


@pytest.mark.django_db
def test_what_breaks_is_the_public_page_even_for_employees(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("cases.selectors.case_of", broken)
    alice.raise_request_exception = False
    answer = alice.get(reverse("cases:detail", args=[uuid4()]))
    assert answer.status_code == 500
    assert PUBLIC in answer.content.decode()
    assert "a secret of ours" not in answer.content.decode()


def test_what_breaks_says_so_without_the_database(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(web, "error_page", broken)
    monkeypatch.setattr("crm.public.error_page", broken)
    monkeypatch.setattr(connection, "cursor", broken)
    client.raise_request_exception = False
    response = client.get("/no-existe/", headers={"accept-language": "en"})
    page = response.content.decode()
    assert response.status_code == 500
    assert "We could not finish the operation" in page
    assert "a secret of ours" not in page

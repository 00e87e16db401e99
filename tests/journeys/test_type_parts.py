"""What a case type says beside states and moves, in the browser: conditions, usual messages, ways of ending."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import expect

from cases.models import Case
from cases.workflow import simple_bundle
from tests.factories.cases import CaseFactory, CaseTypeFactory, ProcedureFactory
from tests.journeys.desk import Office
from tests.journeys.test_window import clean
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

FIELDS = {
    "properties": {
        "tenure": {
            "type": "string",
            "title": "Tenure",
            "enum": ["rent", "own"],
            "x-labels": {"rent": "Rented", "own": "Owned"},
            "x-section": "home",
        },
        "rent": {
            "type": "integer",
            "title": "Monthly rent",
            "x-section": "home",
            "x-when": {"field": "tenure", "equals": "rent"},
        },
        "guarantor": {
            "type": "string",
            "title": "Guarantor",
            "maxLength": 80,
            "x-section": "home",
            "x-when": {"field": "rent", "filled": True},
        },
    },
    "required": ["tenure", "rent"],
    "x-order": ["tenure", "rent", "guarantor"],
    "x-sections": [{"code": "home", "title": "Your home", "description": "As it is today."}],
}


def made(town: Town, bundle: dict[str, Any]) -> Case:
    """The type, its procedure and one case; apart from the browser's thread, which waits for nobody."""

    def make() -> Case:
        try:
            kind = CaseTypeFactory(organisation=town.organisation, code="rental", bundle=bundle)
            ProcedureFactory(unit=town.north, case_type=kind, code="rental", name="Rental help")
            return CaseFactory(unit=town.north, case_type=kind, data={"tenure": "own"})
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as apart:
        return apart.submit(make).result()


def test_from_the_conditional_form_to_the_way_of_ending(office: Office, town: Town) -> None:
    bundle = {
        **simple_bundle(fields=FIELDS),
        "results": [
            {"code": "granted", "name": "Granted", "nomination": "keep", "term": "10y"},
            {"code": "denied", "name": "Denied", "nomination": "destroy", "term": "5y"},
        ],
        "messages": [
            {
                "code": "start",
                "name": "We have begun",
                "text": "Your case ((reference)) is ((state)).",
                "moves": ["start"],
            }
        ],
    }
    case = made(town, bundle)
    desk = office.visitor()
    desk.open("/sede/INST/tramites/rental/solicitud/")
    rent, guarantor = desk.field("Monthly rent"), desk.field("Guarantor")
    expect(rent).to_be_hidden()
    desk.choose("Tenure", "Rented")
    expect(rent).to_be_visible()
    expect(guarantor).to_be_hidden()
    desk.fill("Monthly rent", "400")
    expect(guarantor).to_be_visible()
    clean(desk.page)
    desk.page.reload()  # what was chosen and what hangs on it come back
    desk.ready()
    expect(rent).to_have_value("400")
    expect(guarantor).to_be_visible()
    desk.choose("Tenure", "Owned")
    expect(rent).to_be_hidden()
    expect(guarantor).to_be_hidden()
    for field, text in (
        ("First name", "Rosa"),
        ("First surname", "Ruiz"),
        ("Email address", "rosa@example.org"),
        ("What you ask for", "Help."),
    ):
        desk.fill(field, text)
    desk.tab_to(desk.page.get_by_role("switch"))
    desk.press("Space")
    desk.follow("Send the application")
    expect(desk.page.locator("h1")).to_have_text("We have received your application")
    expect(desk.page.locator("main")).to_contain_text("Owned")
    expect(desk.page.locator("main")).not_to_contain_text("Monthly rent")
    _end(office, town, case)


def _end(office: Office, town: Town, case: Case) -> None:
    desk = office.desk(town.supervisor)
    desk.open(f"/casos/{case.uuid}/mover/start/")
    desk.follow("Start work")
    desk.choose("Usual messages", "We have begun")
    desk.use("Insert")
    box = desk.page.locator("#composer-text")
    expect(box).to_have_value(f"Your case {case.reference} is In progress.")
    clean(desk.page)
    desk.open(f"/casos/{case.uuid}/mover/resolve/")
    desk.choose("Way of ending", "Denied")
    desk.fill("Outcome", "Not this time.")
    clean(desk.page)
    desk.follow("Resolve")
    expect(desk.page.locator("#timeline")).to_contain_text("Way of ending: Denied")
    desk.tab_to(desk.page.locator("#tab-historia"))
    desk.press("ArrowRight")
    expect(desk.page.locator("main")).to_contain_text("then: Destroy it")

"""An administrator says who may do what, and an auditor sees who did it."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.desk import Office
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

SOUTHERN = "A matter of the southern counter"


def test_a_role_at_a_unit_opens_its_cases_and_the_inspector_says_why(
    office: Office, town: Town
) -> None:
    theirs = office.desk(town.newcomer)
    theirs.open("/casos/")
    expect(theirs.page.locator("body")).not_to_contain_text(SOUTHERN)

    admin = office.desk(town.administrator)
    admin.go("employees", "Employees")
    admin.fill("Name or email", "nuria")
    with admin.arriving():
        admin.press("Enter")
    admin.follow("Nuria Nueva", "link")
    admin.choose(admin.page.locator("#id_role"), "Front line")
    admin.choose("Where", "South counter")
    admin.follow("Give the role")
    expect(admin.page.locator("#roles, section").filter(has_text="Roles").first).to_contain_text(
        "South counter"
    )

    theirs.page.reload()
    theirs.ready()
    expect(theirs.page.locator("#rows")).to_contain_text(SOUTHERN)
    expect(theirs.page.locator("#rows tr")).to_have_count(1)
    theirs.press("j")
    with theirs.arriving():
        theirs.press("Enter")
    expect(theirs.page.locator("h1")).to_have_text(SOUTHERN)

    admin.follow("What may they do?", "link")
    admin.choose("May they…", "See the cases of their units")
    admin.choose("In the unit", "South counter")
    admin.follow("Explain")
    verdict = admin.page.locator("#explanation")
    expect(verdict).to_contain_text("Yes, they may")
    expect(verdict).to_contain_text(re.compile(r"Front line\s*→\s*South counter"))
    admin.choose("In the unit", "North counter")
    admin.follow("Explain")
    expect(verdict).to_contain_text("No, they may not")


def test_a_role_gets_a_right_once_its_change_is_read_and_a_reason_is_written(
    office: Office, town: Town
) -> None:
    admin = office.desk(town.administrator)
    admin.go("roles", "Roles and permissions")
    admin.follow("New role", "link")
    admin.fill("Name", "Summer counter")
    admin.follow("Create")
    admin.fill("Search a permission", "bulk")
    cell = admin.page.get_by_label("Summer counter: run bulk actions on many cases")
    admin.tab_to(cell)
    admin.type("Their")  # the arrows move between cells
    changes = admin.page.get_by_role("region", name="Changes to publish")
    sentence = "Summer counter (0 people): may now run bulk actions on many cases."
    expect(changes).to_contain_text(sentence)

    admin.use("Review and publish")
    dialog = admin.page.get_by_role("dialog")
    expect(dialog).to_contain_text(sentence)  # the last look says what is published
    expect(admin.field("Why it is changed")).to_be_focused()
    admin.press("Escape")
    expect(dialog).to_be_hidden()
    expect(admin.control("Review and publish", "button")).to_be_focused()
    admin.press("Enter")
    expect(dialog).to_be_visible()
    admin.type("Longer hours in August")
    admin.follow("Publish the changes")
    expect(admin.page.locator("body")).to_contain_text("1 change published.")
    expect(changes).to_be_hidden()


def test_an_auditor_finds_who_looked_at_a_citizen(office: Office, town: Town) -> None:
    agent = office.desk(town.agent)
    agent.open(f"/ciudadania/{town.citizen.uuid}/")
    expect(agent.page.locator("h1")).to_contain_text("Remedios Zafra Quintanilla")

    auditor = office.desk(town.auditor)
    auditor.go("audit", "Audit")
    auditor.choose("About", "Citizen")
    auditor.fill("Name, reference or identification number", "Remedios Zafra")
    auditor.choose("Action", "Viewed")
    auditor.follow("Search")
    lines = auditor.page.locator("#rows li")
    expect(lines.filter(has_text="Alba Agente")).not_to_have_count(0)
    expect(lines.first).to_contain_text("Remedios Zafra Quintanilla")
    auditor.fill("Employee or system", "Nuria")
    auditor.follow("Search")
    expect(auditor.page.locator("main")).to_contain_text("No entries")

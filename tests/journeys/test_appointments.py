"""A citizen books an appointment on the web; an employee moves and cancels it while on the telephone."""

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.desk import Desk, Office
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def test_from_the_web_to_the_desk(office: Office, town: Town, mailbox: Path) -> None:
    visitor = office.visitor(390, 844)
    reference = book(visitor, mailbox)
    agent = office.desk(town.agent)
    find_the_citizen(agent)
    when = move(agent)
    find_again(visitor, reference, mailbox, when)
    give_back(agent)


def book(visitor: Desk, mailbox: Path) -> str:
    """Service, time, person, code; the first try lacks the consent, and what was typed stays."""
    visitor.open("/cita/INST/")
    visitor.follow("Residence certificate In person · 20 minutes", "link")
    expect(visitor.page.locator("h1")).to_have_text("What time suits you?")
    not_the_first(visitor)
    visitor.follow("Continue")
    visitor.fill("Name and surnames", "Remedios Zafra Quintanilla")
    visitor.fill("Email", "remedios@example.org")
    visitor.follow("Continue")
    expect(visitor.page.locator(".v-errors")).to_be_focused()
    expect(visitor.field("Email")).to_have_value("remedios@example.org")
    visitor.tab_to(visitor.page.locator("#id_consent"))
    visitor.press("Space")
    visitor.follow("Continue")
    expect(visitor.page.locator("h1")).to_have_text("Confirm your appointment")
    visitor.fill("Code", code_in(mailbox, visitor, "remedios@example.org"))
    visitor.follow("Confirm")
    expect(visitor.page.locator("h1")).to_have_text("Your appointment is confirmed")
    reference = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", visitor.page.locator("main").inner_text())
    assert reference
    file = visitor.download("Add to my calendar")
    assert "BEGIN:VEVENT" in file.path().read_text()
    return reference.group()


def not_the_first(visitor: Desk) -> None:
    """The next time but one: the first may begin while the person is still typing."""
    visitor.tab_to(visitor.page.locator("input[name=hora]:checked"))
    visitor.press("ArrowRight")


def code_in(mailbox: Path, visitor: Desk, to: str) -> str:
    """The code of the newest mail to that address; the worker needs a moment to send it."""
    for _look in range(600):
        for file in sorted(mailbox.glob("*.log"), reverse=True):
            letter = message_from_bytes(file.read_bytes(), policy=policy.default)
            found = re.search(r"\d{4} \d{4}$", str(letter["Subject"] or ""))
            if found and to in str(letter["To"]):
                return found.group()
        visitor.page.wait_for_timeout(100)
    raise AssertionError("no mail with a code")


def find_the_citizen(agent: Desk) -> None:
    """Mailbox and name are on record, so the appointment stands on the citizen's page."""
    agent.press("/")
    agent.type("remedios quintanilla")
    found = agent.page.locator("#palette [data-found] [role=option]").filter(has_text="Remedios")
    expect(found).to_have_attribute("aria-selected", "true")
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.locator("[aria-labelledby=appointments]")).to_contain_text("Residence")
    expect(agent.page.locator("[aria-labelledby=timeline]")).to_contain_text("booked Residence")


def move(agent: Desk) -> str:
    """To the next free time, while the person is on the line."""
    panel = agent.page.locator("[aria-labelledby=appointments]")
    agent.tab_to(panel.get_by_role("link", name="Move").first)
    with agent.arriving():
        agent.press("Enter")
    agent.tab_to(agent.page.locator("input[name=start]:checked"))
    agent.press("ArrowRight")
    agent.follow("Move")
    expect(agent.page.locator("#toasts")).to_contain_text("Moved:")
    expect(agent.page.locator("[aria-labelledby=story]")).to_contain_text("moved the appointment")
    lead = agent.page.locator(".v-lead").inner_text()
    return lead.partition(": ")[2]


def find_again(visitor: Desk, reference: str, mailbox: Path, when: str) -> None:
    """By reference and code it opens anew, and says the new time; a wrong code opens nothing."""
    code = code_in(mailbox, visitor, "remedios@example.org")
    visitor.context.clear_cookies()
    visitor.open("/cita/INST/consultar/")
    visitor.fill("Reference", reference)
    visitor.fill("Code", "0000 0000")
    visitor.follow("Continue")
    expect(visitor.page.locator(".v-errors")).to_contain_text("There is no appointment")
    visitor.fill("Code", code)
    visitor.follow("Continue")
    expect(visitor.page.locator(".p-when")).to_have_text(when)


def give_back(agent: Desk) -> None:
    """Cancelled with its reason, which stands in the story."""
    agent.follow("Cancel the appointment", "link")
    agent.fill(agent.page.locator("#reason"), "She cannot come")
    agent.follow("Cancel the appointment")
    expect(agent.page.locator("[aria-labelledby=story]")).to_contain_text("She cannot come")


def test_at_the_desk_and_on_a_colleagues_screen(office: Office, town: Town) -> None:
    agent, colleague = office.desk(town.agent), office.desk(town.colleague, 390, 844)
    for desk in (agent, colleague):
        desk.open("/citas/")
        desk.choose(desk.page.locator("#office"), "Far counter")
        desk.follow("Show")
    theirs = colleague.page.locator("#day tr", has_text="Fermina Foto Fernández")
    expect(theirs).to_contain_text("Booked")
    agent.follow("Has come Fermina Foto Fernández")
    expect(theirs).to_contain_text("Checked in")
    agent.follow("Attend Fermina Foto Fernández")
    expect(theirs).to_contain_text("In service")
    agent.follow("Completed Fermina Foto Fernández")
    expect(theirs).to_contain_text("Completed")
    agent.follow("Fermina Foto Fernández", "link")
    expect(agent.page.locator("[aria-labelledby=story]")).to_contain_text("completed the attention")


def test_an_agenda_is_set_up_and_shows_what_comes_of_it(office: Office, town: Town) -> None:
    boss = office.desk(town.administrator)
    boss.go("offices and", "Offices and agendas")
    boss.follow("New bookable service", "link")
    boss.fill("Name", "Bulky waste")
    boss.fill("Code", "bulky-waste")
    boss.follow("Save")
    boss.open("/organizacion/citas/")
    boss.follow("Far counter", "link")
    boss.follow("New agenda", "link")
    boss.fill("Name", "Desk for waste")
    boss.tab_to(boss.page.get_by_label("Bulky waste"))
    boss.press("Space")
    for weekday in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"):
        boss.fill(weekday, "09:00-10:00")
    boss.follow("Save")
    expect(boss.page.locator("[aria-labelledby=preview]")).to_contain_text("3 times")

"""A citizen writes an e-mail; an employee answers it, and it stands in a case."""

import re
import time
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from crm.kit.staticfiles import node_modules
from tests.journeys.desk import LATE_MS, Desk, Office
from tests.journeys.test_pages import AXE, EVERYTHING
from tests.journeys.town import MAILBOX, Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def write(citizen: Desk, subject: str, text: str) -> None:
    """An e-mail of Remedios, by the simulator that plays her mail program."""
    citizen.open("/simulador/correo/")
    citizen.choose("To", "Citizens' mailbox")
    citizen.fill("Name", "Remedios Zafra")
    citizen.fill("Email", "remedios@example.org")
    citizen.fill("Subject", subject)
    citizen.fill("Text", text)
    citizen.follow("Send")


def sent(citizen: Desk, words: str) -> Locator:
    """What was sent to the citizen, with these words in it."""
    found = citizen.page.locator("article").filter(has_text=words)
    deadline = time.monotonic() + LATE_MS / 1000
    while not found.count() and time.monotonic() < deadline:
        citizen.open("/simulador/correo/")
    return found.first


def accessible(desk: Desk) -> list[str]:
    desk.page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    found: list[str] = desk.page.evaluate(AXE, EVERYTHING)
    return found


def test_an_email_becomes_a_case_and_is_answered(
    office: Office, town: Town, tmp_path: Path
) -> None:
    agent, citizen = office.desk(town.agent), office.visitor()
    agent.open("/correo/")
    write(citizen, "Leaking roof", "Good morning, whom do I ask?")
    receipt = sent(citizen, "We have received your message. Its number is")
    expect(receipt).to_contain_text(re.compile(r"\[[A-Z]+-\d{4}-\d{7}\]"))

    # it comes into the list by itself, and opens with its case beside
    row = agent.page.locator(".mail-row").filter(has_text="Leaking roof")
    expect(row).to_contain_text("Remedios Zafra")
    agent.tab_to(row.get_by_role("link"))
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.locator("#mail-entries")).to_contain_text("Good morning, whom do I ask?")
    expect(agent.page.locator("#ctx")).to_contain_text("Leaking roof")
    assert accessible(agent) == []

    # a draft outlives the page
    composer = agent.page.locator("#composer-text")
    agent.fill(composer, "Good morning, Remedios. Please send us a picture.")
    expect(agent.page.locator("[data-status]")).to_contain_text("Draft")
    agent.page.reload()
    agent.ready()
    expect(composer).to_have_value("Good morning, Remedios. Please send us a picture.")

    # a file goes with it; whoever answers has the conversation
    paper = tmp_path / "form.png"
    Image.new("RGB", (40, 40), "white").save(paper)
    agent.use("Attach", "button") if agent.control("Attach", "button").count() else None
    agent.page.locator("#mail-file").set_input_files(str(paper))
    expect(agent.page.locator("#mail-files")).to_contain_text("form.png")
    agent.tab_to(composer)
    agent.press("Control+Enter")
    entry = agent.page.locator(".mail-entry").filter(has_text="Please send us a picture.")
    expect(entry).to_contain_text("form.png")
    expect(entry).to_contain_text("Sent")
    expect(composer).to_have_value("")
    expect(agent.page.locator("#mail-files li")).to_have_count(0)
    expect(agent.page.locator("#mail-head")).to_contain_text(town.agent.full_name)

    # the citizen reads it with their own words quoted, and answers
    answer = sent(citizen, "Please send us a picture.")
    expect(answer).to_contain_text("> Good morning, whom do I ask?")
    citizen.tab_to(answer.get_by_role("link", name="Answer it"))
    with citizen.arriving():
        citizen.press("Enter")
    citizen.fill("Text", "Here it is, thank you.")
    citizen.follow("Send")
    expect(agent.page.locator("#mail-entries")).to_contain_text("Here it is, thank you.")
    expect(agent.page.locator(".mail-entry")).to_have_count(4)  # letter, receipt, answer, letter

    # who it is, another case, and the end
    agent.open(agent.page.url)
    agent.follow("It is this person")
    expect(agent.page.locator("#ctx")).to_contain_text("Open the citizen's record")
    agent.tab_to(agent.page.locator("#mail-head details summary"))
    agent.press("Enter")
    agent.use("Link to another case")
    agent.fill("Case number", town.cases["live"].reference)
    agent.follow("Link")
    expect(agent.page.locator("#ctx")).to_contain_text("Seen by two people")
    agent.follow("Close the conversation")
    expect(agent.page.locator("#mail-head")).to_contain_text("Closed")

    # it stands in the case's story
    agent.tab_to(agent.page.locator("#ctx").get_by_role("link", name="Leaking roof"))
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.locator("#timeline")).to_contain_text("Here it is, thank you.")
    expect(agent.page.locator("#timeline")).to_contain_text("Please send us a picture.")


def test_hostile_formatting_is_shown_and_does_nothing(office: Office, town: Town) -> None:
    """Whatever the browser complains of, or asks another place for, fails this journey."""
    agent, asked = office.desk(town.agent), []
    agent.page.on("request", lambda request: asked.append(request.url))
    agent.open(f"/correo/{_letter(town)}/")
    agent.tab_to(agent.page.locator(".mail-html summary").first)
    agent.press("Enter")
    frame = agent.page.frame_locator(".mail-frame").first
    expect(frame.locator("body")).to_contain_text("Formatted words")
    assert frame.locator("script, img[src], form, iframe").count() == 0
    assert [url for url in asked if not url.startswith((office.address, "data:"))] == []
    assert accessible(agent) == []


def test_what_is_in_quarantine_is_taken_in_by_a_person(office: Office, town: Town) -> None:
    agent = office.desk(town.agent)
    agent.open("/correo/?ver=cuarentena")
    agent.tab_to(agent.page.locator(".mail-row").first.get_by_role("link"))
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.get_by_text("It is not addressed to this mailbox.")).to_be_visible()
    agent.follow("Take it in")
    expect(agent.page.locator("#mail-entries")).to_contain_text("Wrongly addressed")


def test_an_administrator_sets_a_mailbox_up(office: Office, town: Town) -> None:
    admin = office.desk(town.administrator)
    admin.open("/organizacion/correo/nueva/")
    admin.fill("Name", "Taxes")
    admin.fill("Address", "taxes@town.example")
    admin.choose("Unit", town.north.name)
    admin.choose("Case type", "Housing grant")
    admin.fill("IMAP server", "127.0.0.1")
    admin.fill("IMAP password", "a secret of theirs")
    admin.follow("Save")
    expect(admin.page.locator("tbody")).to_contain_text("taxes@town.example")
    admin.tab_to(admin.page.get_by_role("link", name="Taxes"))
    with admin.arriving():
        admin.press("Enter")
    expect(admin.field("IMAP password")).to_have_value("")
    assert "a secret of theirs" not in admin.page.content()
    admin.follow("Try the connection")
    expect(admin.page.get_by_text("This server may not be called from here.").first).to_be_visible()
    assert MAILBOX not in admin.page.url


def _letter(town: Town) -> str:
    assert town.letter is not None
    return str(town.letter.uuid)

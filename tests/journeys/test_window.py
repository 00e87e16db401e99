"""A citizen finds the answer without waiting, applies, and follows the case; an employee says who it is."""

import re
import time
from email import message_from_bytes, policy
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import Page, expect

from crm.kit.staticfiles import node_modules
from tests.journeys.desk import LATE_MS, Desk, Office
from tests.journeys.product import ELSEWHERE
from tests.journeys.test_pages import AXE, EVERYTHING, fits, widest
from tests.journeys.town import Town
from tests.model_server import running

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def clean(page: Page) -> None:
    """Nothing stands in anybody's way on this page, wide or narrow."""
    page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(AXE, EVERYTHING) == []
        assert fits(page), widest(page)


def test_from_the_question_to_the_answer(
    office: Office, town: Town, tmp_path: Path, mailbox: "Mailbox"
) -> None:
    visitor = office.visitor()
    find(visitor)
    reference = apply(visitor, tmp_path, mailbox)
    identify_and_write(office.desk(town.agent), reference)
    follow(office.visitor(), reference, mailbox)


def find(desk: Desk) -> None:
    """In plain words, with a slip in one."""
    desk.open("/sede/INST/")
    desk.fill("What do you need?", "help with the rnet of my flat")
    desk.follow("Search")
    desk.follow("Housing grant", "link")
    expect(desk.page.locator("h1")).to_have_text("Housing grant")
    expect(desk.page.get_by_text("30 working days")).to_be_visible()
    desk.follow("How much is the housing grant?", "link")
    expect(desk.page.locator("strong")).to_have_text("200 euros")
    desk.follow("Housing grant", "link")
    desk.follow("Apply now", "link")


def apply(desk: Desk, place: Path, mailbox: "Mailbox") -> str:
    """What was typed survives a reload and a mistake, the paper that was sent too."""
    desk.fill("First name", "Olga")
    desk.fill("First surname", "Olmedo")
    desk.fill("What you ask for", "I cannot pay my rent alone.")
    desk.page.reload()
    desk.ready()
    expect(desk.field("First name")).to_have_value("Olga")
    expect(desk.field("What you ask for")).to_have_value("I cannot pay my rent alone.")
    paper = place / "contract.pdf"
    with pikepdf.new() as contract:
        contract.add_blank_page()
        contract.save(paper)
    desk.choose_file("Choose files", str(paper))
    desk.fill("Email address", "olga")
    desk.tab_to(desk.page.get_by_role("switch", name=re.compile("I have read")))
    desk.press("Space")
    desk.follow("Send the application")
    expect(desk.page.locator(".v-errors")).to_be_focused()
    expect(desk.field("First surname")).to_have_value("Olmedo")
    expect(desk.page.get_by_text("contract.pdf")).to_be_visible()
    clean(desk.page)
    desk.fill("Email address", "olga@example.org")
    desk.follow("Send the application")
    expect(desk.page.locator("h1")).to_have_text("We have received your application")
    reference = desk.page.locator(".p-when").inner_text()
    expect(desk.page.get_by_text("contract.pdf")).to_be_visible()
    clean(desk.page)
    assert reference in mailbox.newest("olga@example.org", "Receipt")
    return reference


def identify_and_write(desk: Desk, reference: str) -> None:
    """Nobody is the applicant until somebody has looked."""
    desk.press("/")
    desk.type(reference)
    found = desk.page.locator("#palette [data-found] [role=option]").filter(has_text=reference)
    expect(found).to_have_attribute("aria-selected", "true")
    with desk.arriving():
        desk.press("Enter")
    desk.tab_to(desk.page.locator("#tab-historia"))
    desk.press("ArrowRight")
    desk.follow("Say who it is", "link")
    clean(desk.page)
    desk.follow("Register and link")
    expect(desk.page.locator("#ctx")).to_contain_text("Olga Olmedo")
    desk.tab_to(desk.page.locator("form[data-controller~=composer] textarea"))
    desk.type("We have what we need.")
    desk.press("Control+Enter")
    expect(desk.page.locator("#timeline")).to_contain_text("We have what we need.")


def follow(desk: Desk, reference: str, mailbox: "Mailbox") -> None:
    """By the number and a code, on another computer."""
    desk.open("/sede/INST/seguimiento/")
    desk.fill("Number of your case", reference.lower())
    desk.follow("Send me a code")
    clean(desk.page)
    found = re.search(r"\b\d{6}\b", mailbox.newest("olga@example.org", "Your code"))
    assert found
    desk.fill("Code", "000000" if found[0] != "000000" else "111111")
    desk.follow("See my case")
    expect(desk.page.locator(".v-errors")).to_be_focused()
    desk.fill("Code", found[0])
    desk.follow("See my case")
    expect(desk.page.locator("#now")).to_have_text("We have received it")
    expect(desk.page.get_by_text("We have what we need.")).to_be_visible()
    clean(desk.page)
    desk.follow("Leave")
    desk.page.go_back()
    expect(desk.page.get_by_text("We have what we need.")).to_have_count(0)


def test_the_assistant_answers_says_it_does_not_know_and_hands_over(
    office: Office, town: Town
) -> None:
    desk = office.visitor()
    desk.open("/chat/journey-chat/?l=en")
    desk.fill("Your name", "Óscar")
    desk.fill("What can we do for you?", "How much is the housing grant a month?")
    desk.tab_to(desk.page.get_by_role("checkbox"))
    desk.press("Space")
    desk.use("Start the chat")
    log = desk.page.locator("[data-part=log]")
    expect(log).to_contain_text("I am an automatic assistant of Instituto de Prueba, not a person")
    expect(log).to_contain_text("The housing grant is 200 euros a month for a year.")
    link = log.get_by_role("link", name="How much is the housing grant?")
    expect(link).to_have_attribute("href", re.compile("/sede/INST/ayuda/how-much/$"))
    desk.fill("Write a message", "Who painted Las Meninas?")
    desk.press("Enter")
    expect(log).to_contain_text("I do not know")
    clean(desk.page)
    desk.use("Talk to a person")
    expect(log).to_contain_text("I hand you over to a person")
    expect(desk.page.get_by_role("button", name="Talk to a person")).to_be_hidden()


def test_a_procedure_gets_its_appointment_and_the_assistant_a_language_model(
    office: Office, town: Town
) -> None:
    """What an administrator chooses, the next citizen has: through the worker and the live stream."""
    admin = office.desk(town.administrator)
    admin.open("/organizacion/tramites/housing-grant/")
    admin.choose("What they book for it", "Residence certificate")
    clean(admin.page)
    admin.follow("Save")
    visitor = office.visitor()
    visitor.open("/sede/INST/tramites/housing-grant/")
    clean(visitor.page)
    visitor.follow("Book an appointment", "link")
    expect(visitor.page.locator("body")).to_contain_text("Residence certificate")
    with running(ELSEWHERE) as model:
        model.says("The housing grant is 200 euros a month, for a year in all [1].")
        admin.open("/organizacion/asistente/")
        admin.tab_to(admin.page.get_by_role("switch", name=re.compile("A language model phrases")))
        admin.press("Space")
        admin.fill("Address of the server", model.url)
        admin.fill("Model", "prueba")
        admin.fill("Seconds that an answer may take", "20")
        clean(admin.page)
        admin.follow("Save")
        try:
            visitor.open("/chat/journey-chat/?l=en")
            visitor.fill("Your name", "Olalla")
            visitor.fill("What can we do for you?", "How much is the housing grant a month?")
            visitor.tab_to(visitor.page.get_by_role("checkbox"))
            visitor.press("Space")
            visitor.use("Start the chat")
            log = visitor.page.locator("[data-part=log]")
            expect(log).to_contain_text(
                "The housing grant is 200 euros a month, for a year in all."
            )
            expect(log.get_by_role("link", name="How much is the housing grant?")).to_be_visible()
            booking = log.get_by_role("link", name="Book an appointment: Housing grant")
            expect(booking).to_have_attribute("href", re.compile("/cita/INST/para/residence/$"))
            clean(visitor.page)
            assert len(model.asked) == 1
        finally:
            admin.open("/organizacion/asistente/")
            admin.tab_to(admin.page.get_by_role("switch", name=re.compile("A language model")))
            admin.press("Space")
            admin.follow("Save")


class Mailbox:
    """The mails that the product has written."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def newest(self, to: str, subject: str) -> str:
        """The text of the newest mail to somebody with these words in its subject, once it is there."""
        deadline = time.monotonic() + LATE_MS / 1000
        while time.monotonic() < deadline:
            for file in sorted(
                self.place.rglob("*.log"), key=lambda one: one.stat().st_mtime, reverse=True
            ):
                found = message_from_bytes(file.read_bytes(), policy=policy.default)
                if found["To"] == to and subject in str(found["Subject"]):
                    body = found.get_body(("plain",))
                    assert body is not None
                    return str(body.get_content())
            time.sleep(0.2)
        raise AssertionError(f"no mail to {to} about {subject}")


@pytest.fixture
def mailbox(product: tuple[str, Town], tmp_path_factory: pytest.TempPathFactory) -> Mailbox:
    """Where the product writes its mails instead of sending them."""
    return Mailbox(tmp_path_factory.getbasetemp())

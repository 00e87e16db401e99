"""One citizen chats, writes, books, is written to and applies: one person, one timeline, one sealed history."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import expect

from crm.kit.pdf.keys import demo_authority
from crm.kit.pdf.sealing import validate
from tests.factories.mail import letter
from tests.imap_server import Box
from tests.journeys.desk import LATE_MS, Desk, Office
from tests.journeys.test_appointments import code_in, not_the_first
from tests.journeys.test_chatting import be, open_chat, put, reach, say
from tests.journeys.test_window import Mailbox, clean
from tests.journeys.town import CLARA, MAILBOX, Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

NAME = "Clara Puertas Abiertas"


def test_one_citizen_through_every_door(
    office: Office,
    town: Town,
    foreign: str,
    letters: Box,
    mailbox: Path,
    product_place: Path,
) -> None:
    post = Mailbox(mailbox)
    agent = office.desk(town.agent)
    reference = chat(agent, office.visitor(), foreign)
    write(agent, letters, post, reference)
    book(agent, office.visitor(390, 844), mailbox)
    campaign(office.desk(town.supervisor), town, post)
    apply(agent, office.visitor(), post)

    boss = office.desk(town.supervisor)
    look(boss, reference)
    document = seal(boss)
    root = demo_authority(product_place / "keys" / "demo").root
    with ThreadPoolExecutor() as aside:  # Playwright's loop runs in this thread
        proof = aside.submit(validate, document, [root]).result()
    assert (proof.intact, proof.trusted) == (True, True)
    told = " ".join(
        " ".join(page.get_textpage().get_text_range().split())
        for page in pypdfium2.PdfDocument(document)
    )
    for words in (
        *(NAME, reference, "Where do I ask for help with my rent?", "On our pages, Clara."),
        *("And until which day?", "Until the thirtieth, Clara."),
        *("Residence certificate", "Workshops in English", "I cannot pay my rent alone."),
    ):
        assert words in told, words
    for stranger in ("She was here yesterday.", "Remedios", "whom do I ask?"):
        assert stranger not in told


def chat(agent: Desk, visitor: Desk, foreign: str) -> str:
    """She gives her mailbox, which proposes her and proves nothing; the agent says who she is."""
    agent.open("/conversaciones/")
    be(agent, "Available")
    frame = open_chat(visitor, foreign)
    put(visitor, frame, "Your name", "Clara P.")
    put(visitor, frame, "Your e-mail", CLARA)
    put(visitor, frame, "What can we do for you?", "Where do I ask for help with my rent?")
    reach(visitor, frame.get_by_label("I have read how my data are used, and agree."))
    visitor.press("Space")
    reach(visitor, frame.get_by_role("button", name="Start the chat"))
    visitor.press("Enter")
    expect(agent.page.locator("[data-offer]").filter(has_text="Clara P.")).to_be_visible()
    agent.follow("Accept")
    side = agent.page.locator("#talk-citizen")
    expect(side).to_contain_text("Nobody has confirmed who it is.")
    expect(side).to_contain_text(f"The same mailbox is on record for: {NAME}")
    # the case comes first: it becomes hers when she is known
    agent.use("Open a case")
    agent.fill(agent.page.locator("#new-subject"), "Help with the rent")
    agent.tab_to(agent.page.locator("#new-case [type=submit]"))
    with agent.arriving():
        agent.press("Enter")
    expect(side).to_contain_text("Nobody has confirmed who it is.")
    agent.follow("I have checked: it is this person")
    expect(side).to_contain_text("Confirmed by an employee")
    agent.fill(agent.page.locator("#composer-text"), "On our pages, Clara.")
    agent.press("Control+Enter")
    expect(frame.locator(".chat-log")).to_contain_text("On our pages, Clara.")
    say(visitor, frame, "Thank you.")
    found = re.search(r"INST-\d{4}-\d{7}", side.inner_text())
    assert found
    reach(visitor, frame.get_by_role("button", name="End the chat"))
    visitor.press("Enter")
    reach(visitor, frame.get_by_role("button", name="End the conversation"))
    visitor.press("Enter")
    expect(agent.page.locator("#talk-head")).to_contain_text("Wrapping up")
    agent.use("Close")
    agent.tab_to(agent.page.locator("#close-talk [name=code]").first)
    agent.press("Space")
    agent.tab_to(agent.page.locator("#close-talk [type=submit]"))
    with agent.arriving():
        agent.press("Enter")
    agent.open("/conversaciones/")
    be(agent, "Offline")
    return found.group()


def write(agent: Desk, letters: Box, post: Mailbox, reference: str) -> None:
    """Her letter is fetched from a mailbox that nobody has on record; the agent finds her by name."""
    letters.add(
        letter(
            "And until which day?",
            sender="C. P. <cp@elsewhere.example>",
            to=MAILBOX,
            subject="The term",
            id="clara@mail.example",
        )
    )
    agent.open("/correo/")
    row = agent.page.locator(".mail-row").filter(has_text="The term")
    expect(row).to_be_visible(timeout=LATE_MS)  # it is looked for every half minute
    agent.tab_to(row.get_by_role("link"))
    with agent.arriving():
        agent.press("Enter")
    side = agent.page.locator("#ctx")
    expect(side).to_contain_text("Nobody on record has this mailbox.")
    agent.fill(agent.page.locator("#composer-text"), "Until the thirtieth, Clara.")
    agent.press("Control+Enter")
    expect(agent.page.locator(".mail-entry").filter(has_text="Until the thirtieth")).to_be_visible()
    agent.open(agent.page.url)
    find(agent)
    expect(side).to_contain_text("Open the citizen's record")
    agent.tab_to(agent.page.locator("#mail-head details summary"))
    agent.press("Enter")
    agent.use("Link to another case")
    agent.fill("Case number", reference)
    agent.follow("Link")
    expect(side).to_contain_text("Help with the rent")
    assert "Until the thirtieth, Clara." in post.newest("cp@elsewhere.example", "The term")
    clean(agent.page)


def find(agent: Desk) -> None:
    """« Find the person », by name, after checking."""
    agent.use("Find the person")
    agent.seek(agent.page.locator("#citizen-search"), "clara puertas")
    found = agent.page.locator("#identify [name=citizen]").first
    expect(found).to_be_attached()
    agent.tab_to(found)
    agent.press("Space")
    agent.tab_to(agent.page.locator("#identify [type=submit]"))
    with agent.arriving():
        agent.press("Enter")


def book(agent: Desk, visitor: Desk, mailbox: Path) -> None:
    """Under a short name, so that her mailbox alone does not make the appointment hers."""
    visitor.open("/cita/INST/")
    visitor.follow("Residence certificate In person · 20 minutes", "link")
    not_the_first(visitor)
    visitor.follow("Continue")
    visitor.fill("Name and surnames", "C. Puertas")
    visitor.fill("Email", CLARA)
    visitor.tab_to(visitor.page.locator("#id_consent"))
    visitor.press("Space")
    visitor.follow("Continue")
    expect(visitor.page.locator("h1")).to_have_text("Confirm your appointment")
    visitor.fill("Code", code_in(mailbox, visitor, CLARA))
    visitor.follow("Confirm")
    expect(visitor.page.locator("h1")).to_have_text("Your appointment is confirmed")
    agent.open("/citas/")
    agent.choose(agent.page.locator("#office"), "North counter")
    agent.follow("Show")
    hers = agent.page.get_by_role("link", name="C. Puertas")
    for _day in range(10):
        if hers.count():
            break
        agent.follow("The day after", "link")
    agent.tab_to(hers)
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.locator("main")).to_contain_text("Who is it?")
    clean(agent.page)
    find(agent)
    expect(agent.page.locator("[aria-labelledby=facts]")).to_contain_text(NAME)
    agent.follow("Receipt", "link")
    expect(agent.page.locator("main")).to_contain_text("Residence certificate")
    clean(agent.page)


def campaign(boss: Desk, town: Town, post: Mailbox) -> None:
    """Somebody else approves it, and it leaves."""
    assert town.written
    boss.open(f"/campanas/{town.written.uuid}/")
    boss.follow("Approve")
    assert "Dear Clara Puertas Abiertas, come." in post.newest(CLARA, "Workshop for Clara")


def apply(agent: Desk, visitor: Desk, post: Mailbox) -> None:
    """A form, and whoever handles it says that it is hers."""
    visitor.open("/sede/INST/")
    visitor.follow("Housing grant", "link")
    visitor.follow("Apply now", "link")
    visitor.fill("First name", "Clara")
    visitor.fill("First surname", "Puertas")
    visitor.fill("What you ask for", "I cannot pay my rent alone.")
    visitor.fill("Email address", CLARA)
    visitor.tab_to(visitor.page.get_by_role("switch", name=re.compile("I have read")))
    visitor.press("Space")
    visitor.follow("Send the application")
    expect(visitor.page.locator("h1")).to_have_text("We have received your application")
    reference = visitor.page.locator(".p-when").inner_text()
    agent.press("/")
    agent.type(reference)
    found = agent.page.locator("#palette [data-found] [role=option]").filter(has_text=reference)
    expect(found).to_have_attribute("aria-selected", "true")
    with agent.arriving():
        agent.press("Enter")
    agent.tab_to(agent.page.locator("#tab-historia"))
    agent.press("ArrowRight")
    agent.follow("Say who it is", "link")
    agent.follow(f"It is {NAME}")
    expect(agent.page.locator("#ctx")).to_contain_text(NAME)


def look(boss: Desk, reference: str) -> None:
    """One person, one timeline."""
    boss.press("/")
    boss.type("clara puertas")
    found = boss.page.locator("#palette [data-found] [role=option]").filter(has_text="Clara")
    expect(found).to_have_count(1)
    expect(found).to_have_attribute("aria-selected", "true")
    with boss.arriving():
        boss.press("Enter")
    timeline = boss.page.locator("[aria-labelledby=timeline]")
    earlier = timeline.get_by_role("link", name="See earlier movements")
    while earlier.count():
        shown = timeline.locator("time").count()
        boss.tab_to(earlier)
        boss.press("Enter")
        expect(timeline.locator("time").nth(shown)).to_be_attached()
    for words in (
        *("began the conversation · Web chat", "began the conversation · Email"),
        *("opened the case in North counter", reference, "booked Residence certificate"),
        *("was sent a campaign's message · Workshops in English",),
    ):
        expect(timeline).to_contain_text(words)
    clean(boss.page)


def seal(boss: Desk) -> bytes:
    """Her whole story as a document that anybody can verify."""
    panel = boss.page.locator("#person-histories")
    expect(panel.locator("select")).to_be_visible()
    boss.use("Issue sealed history")
    expect(panel).to_contain_text("Ready", timeout=LATE_MS)
    document = boss.download("Download PDF").path().read_bytes()
    code = panel.locator(".v-copy .num").first.inner_text()
    boss.open("/verificar/")
    boss.fill("Secure verification code (CSV)", code)
    boss.follow("Verify")
    expect(boss.page.locator("h1")).to_have_text("The document is genuine")
    assert NAME not in boss.page.locator("main").inner_text()
    return document

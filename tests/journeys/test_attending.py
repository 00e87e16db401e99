"""A citizen is attended: found, listened to, answered; the case is told in a sealed document."""

import re
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import expect

from tests.journeys.desk import Desk, Office
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def test_from_the_door_to_the_verified_history(office: Office, town: Town, tmp_path: Path) -> None:
    desk = office.desk(town.supervisor)
    expect(desk.page.locator("h1")).to_contain_text("Sonia")
    find_by_palette(desk, "remedios quintanila", "Remedios Zafra Quintanilla")
    open_a_case(desk)
    attach(desk, tmp_path)
    stop_the_clock(desk)
    note_and_answer(desk)
    ask_for_papers(desk)
    resolve(desk)
    code, pdf = seal(desk)
    verify(office.visitor(), code, pdf)


def find_by_palette(desk: Desk, typed: str, name: str) -> None:
    """One letter is missing, and the citizen is found all the same."""
    desk.press("/")
    desk.type(typed)
    found = desk.page.locator("#palette [data-found] [role=option]").filter(has_text=name)
    expect(found).to_have_attribute("aria-selected", "true")
    with desk.arriving():
        desk.press("Enter")
    expect(desk.page.locator("h1")).to_contain_text(name)


def open_a_case(desk: Desk) -> None:
    """The first try lacks the subject; what was typed stays."""
    desk.follow("New case", "link")
    desk.choose("Case type", "Housing grant")
    desk.fill("Description", "She brings the contract of her new flat.")
    desk.fill("Amount asked for", "250")
    desk.follow("Open the case")
    expect(desk.page.locator(".v-errors")).to_be_focused()
    expect(desk.field("Description")).to_have_value("She brings the contract of her new flat.")
    expect(desk.field("Amount asked for")).to_have_value("250")
    expect(desk.field("Remedios Zafra Quintanilla")).to_be_checked()
    desk.fill("Subject", "Grant for a flat in Calle Mayor")
    desk.follow("Open the case")
    expect(desk.page.locator("h1")).to_have_text("Grant for a flat in Calle Mayor")


def attach(desk: Desk, place: Path) -> None:
    """A paper, by the window that the browser opens."""
    paper = place / "contract.pdf"
    with pikepdf.new() as contract:
        contract.add_blank_page()
        contract.save(paper)
    show(desk, "Documents")
    desk.choose_file("Choose files", str(paper))
    expect(desk.page.locator("#documents")).to_contain_text("contract.pdf")


def show(desk: Desk, tab: str) -> None:
    """Go to the tabs, which are one stop, and along them with the arrows."""
    wanted = desk.page.get_by_role("tab", name=tab)
    desk.tab_to(desk.page.locator("[role=tab][aria-selected=true]"))
    for _tab in range(desk.page.get_by_role("tab").count()):
        if wanted.get_attribute("aria-selected") == "true":
            return
        desk.press("ArrowRight")
    raise AssertionError(f"there is no tab {tab}")


def stop_the_clock(desk: Desk) -> None:
    """The legal deadline stands still for a court and runs again; the page tells the sum."""
    top = desk.page.locator("#case-top")
    for verb, cause in (("Suspend", "The court was asked"), ("Resume", "The court has spoken")):
        desk.tab_to(top.locator(".v-menu summary").first)
        desk.press("Enter")
        desk.use(f"{verb} the legal deadline")
        dialog = desk.page.locator("dialog[open]")
        if verb == "Suspend":
            desk.choose(dialog.get_by_label("Cause"), "22.1.g: A court must pronounce itself first")
        desk.fill(dialog.get_by_label("Reason"), cause)
        desk.follow(verb)
        expect(desk.page.locator("#timeline")).to_contain_text(cause)
        stopped = expect(top.locator(".clk"))
        if verb == "Suspend":
            stopped.to_contain_text("The legal deadline is suspended")
        else:
            stopped.to_contain_text("Must be done by")
    desk.tab_to(top.locator("summary").filter(has_text="Why this date?"))
    desk.press("Enter")
    expect(top.locator(".clk-sum")).to_contain_text("30 working days from the day after")
    expect(top.locator(".clk")).to_contain_text("Ley 39/2015, art. 22.1.g")


def note_and_answer(desk: Desk) -> None:
    """A note for colleagues, words for the citizen and theirs, kept apart."""
    timeline, words = desk.page.locator("#timeline"), desk.page.locator("#composer-text")
    show(desk, "History")
    desk.press("n")
    expect(words).to_be_focused()
    desk.type("Ask the town hall for the register.")
    desk.press("Control+Enter")
    expect(timeline.locator(".v-note")).to_contain_text("Ask the town hall")
    expect(words).to_have_value("")
    desk.press("Escape", "e")
    expect(words).to_be_focused()
    desk.type("We have your contract. You will hear from us in ten days.")
    desk.press("Control+Enter")
    expect(timeline.locator(".v-msg")).to_contain_text("You will hear from us")
    expect(timeline.locator(".v-note")).not_to_contain_text("You will hear from us")
    desk.press("Escape", "d")
    expect(words).to_be_focused()
    desk.type("I will bring the register on Monday.")
    desk.choose("Channel", "Phone")
    desk.use("Write it down")
    theirs = timeline.locator(".v-msg:not(.v-msg-out)")
    expect(theirs).to_contain_text("I will bring the register on Monday.")
    expect(theirs).to_contain_text("Remedios")


def ask_for_papers(desk: Desk) -> None:
    """The answer met its target, which the page explains; what is to be brought has its day."""
    top = desk.page.locator("#case-top")
    expect(top.locator(".clk-targets")).to_contain_text("First answer: met")
    desk.tab_to(top.locator("summary").filter(has_text="Why these moments?"))
    desk.press("Enter")
    expect(top.locator(".clk-targets")).to_contain_text("40 h of working time from")
    desk.tab_to(top.locator(".v-menu summary").first)
    desk.press("Enter")
    desk.follow("Papers asked of the citizen", "link")
    desk.fill("What they must bring, one a line", "The register of residents")
    desk.follow("Ask for papers")
    expect(top.locator(".clk")).to_contain_text("The citizen brings papers by")
    expect(desk.page.locator("#timeline")).to_contain_text("The register of residents")


def resolve(desk: Desk) -> None:
    """It waits for the citizen, goes on, and ends with an outcome."""
    move(desk, "Wait for the citizen")
    desk.fill("Reason", "The register is missing")
    desk.follow("Wait for the citizen")
    expect(desk.page.locator("#case-top")).to_contain_text("Waiting for citizen")
    move(desk, "Resolve")
    desk.fill("Outcome", "Granted: 250 euros a month")
    desk.follow("Resolve")
    expect(desk.page.locator("#case-top")).to_contain_text("Outcome: Granted: 250 euros a month")


def move(desk: Desk, name: str) -> None:
    """Open the menu of moves and go to the page of one."""
    desk.tab_to(desk.page.locator("#case-top summary").filter(has_text="Move to"))
    desk.press("Enter")
    desk.tab_to(desk.page.locator("#case-top a:visible").filter(has_text=name))
    with desk.arriving():
        desk.press("Enter")


def seal(desk: Desk) -> tuple[str, bytes]:
    """Ask for the sealed history and wait on the open page until the worker has made it."""
    show(desk, "Documents")
    desk.use("Issue sealed history")
    histories = desk.page.locator("#histories")
    expect(histories).to_contain_text("Download PDF")
    code = re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){6}", histories.inner_text())
    assert code, histories.inner_text()
    return code.group(), desk.download("Download PDF").path().read_bytes()


def verify(visitor: Desk, code: str, pdf: bytes) -> None:
    """Anybody with the code gets the very same bytes; with a wrong one, nobody gets anything."""
    visitor.open("/verificar/")
    visitor.fill("Secure verification code (CSV)", "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG")
    visitor.follow("Verify")
    expect(visitor.page.get_by_role("alert")).to_contain_text("There is no valid document")
    visitor.fill("Secure verification code (CSV)", code.lower())
    visitor.follow("Verify")
    expect(visitor.page.locator("h1")).to_have_text("The document is genuine")
    visitor.tab_to(visitor.control("Download the original", "button"))
    with visitor.page.expect_download() as original:
        visitor.press("Enter")
    assert original.value.path().read_bytes() == pdf
    assert pdf.startswith(b"%PDF-")

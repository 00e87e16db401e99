"""Somebody calls for their father: the mandate is recorded with its proof, a case opened in his name,
what is not covered stays hidden, and after it is revoked nothing is told. By keyboard alone."""

import re
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import expect

from crm.kit.staticfiles import node_modules
from tests.journeys.desk import Desk, Office
from tests.journeys.test_attending import find_by_palette
from tests.journeys.test_pages import AXE, EVERYTHING
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

FATHER, DAUGHTER = "Anselmo Representado Vidal", "Herminia Representado Soto"


def test_a_representative_calls(office: Office, town: Town, tmp_path: Path) -> None:
    desk = office.desk(town.supervisor)
    find_by_palette(desk, "anselmo representado", FATHER)
    record(desk, tmp_path)
    attend(desk)
    open_for(desk)
    revoke(desk)
    refused(desk)


def clean(desk: Desk) -> None:
    """The page as it stands has no fault that axe knows."""
    desk.page.evaluate((node_modules() / "axe-core" / "axe.min.js").read_text())
    assert desk.page.evaluate(AXE, EVERYTHING) == []


def record(desk: Desk, place: Path) -> None:
    """By matter, proved by a deed that is attached and checked at once."""
    paper = place / "deed.pdf"
    with pikepdf.new() as deed:
        deed.add_blank_page()
        deed.save(paper)
    expect(desk.page.locator("#mandates")).to_be_visible()
    desk.follow("Record a mandate", "link")
    desk.seek(desk.page.locator("#citizen-search"), "herminia representado")
    expect(desk.page.get_by_label(DAUGHTER)).to_be_checked()
    for label in ("Housing grant", "I have checked the proof: the mandate counts from now on"):
        desk.tab_to(desk.page.get_by_label(label))
        desk.press("Space")
    clean(desk)
    desk.follow("Save")
    expect(desk.page.locator(".v-errors")).to_contain_text("Attach the document")
    expect(desk.page.get_by_label(DAUGHTER)).to_be_checked()
    desk.choose_file("Document that proves it", str(paper))
    desk.follow("Save")
    panel = desk.page.locator("section", has=desk.page.locator("#mandates"))
    expect(panel).to_contain_text(DAUGHTER)
    expect(panel).to_contain_text("In force")


def attend(desk: Desk) -> None:
    """The page narrows to what she may know, and says so."""
    clean(desk)
    desk.follow(f"Attend {DAUGHTER} for this person")
    main = desk.page.locator("#main")
    expect(main).to_contain_text(f"You attend in the name of: {FATHER}, through {DAUGHTER}")
    expect(main).to_contain_text("The mandate does not cover it.")
    clean(desk)


def open_for(desk: Desk) -> None:
    """She is offered as who asks for it, and the story says so."""
    desk.follow("New case", "link")
    desk.choose("Case type", "Housing grant")
    expect(desk.page.get_by_label(f"{DAUGHTER}, who represents them")).to_be_checked()
    desk.fill("Subject", "Grant for my father")
    clean(desk)
    desk.follow("Open the case")
    expect(desk.page.locator("h1")).to_have_text("Grant for my father")
    expect(desk.page.locator("#timeline")).to_contain_text(
        f"in the name of: {FATHER}, through {DAUGHTER}"
    )
    clean(desk)


def revoke(desk: Desk) -> None:
    """Her father says no: the mandate ends at once."""
    find_by_palette(desk, "herminia representado", DAUGHTER)
    panel = desk.page.locator("section", has=desk.page.locator("#mandates"))
    expect(panel).to_contain_text(FATHER)
    desk.follow(FATHER, "link")
    expect(desk.page.locator("h1")).to_have_text(f"{DAUGHTER} acts for {FATHER}")
    clean(desk)
    desk.tab_to(desk.page.locator("#main .v-menu summary").first)
    desk.press("Enter")
    desk.follow("Revoke or renounce the mandate", "link")
    desk.fill("Reason", "He called and revoked it")
    desk.follow("Save")
    expect(desk.page.locator("#main")).to_contain_text("He called and revoked it")


def refused(desk: Desk) -> None:
    """The next look says why nothing may be told; ended, the record opens for the employee's own reason."""
    found = desk.page.locator("nav.crumb a").filter(has_text=FATHER)
    desk.tab_to(found)
    with desk.arriving():
        desk.press("Enter")
    expect(desk.page.locator("h1")).to_have_text("Nothing may be told in this person's name")
    expect(desk.page.locator("#main")).to_contain_text("The mandate was revoked on")
    clean(desk)
    desk.follow("End")
    expect(desk.page.locator("h1")).to_have_text(FATHER)
    panel = desk.page.locator("section", has=desk.page.locator("#mandates"))
    expect(panel).to_contain_text(re.compile("Revoked"))

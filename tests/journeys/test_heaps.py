"""Many at once: a heap of cases given to one person, and a file of cases from elsewhere."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from crm.kit.staticfiles import node_modules
from tests.journeys.desk import Desk, Office
from tests.journeys.test_pages import AXE, EVERYTHING
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

ROWS = "id;asunto;fecha\n1;Farola apagada;03/02/2026\n2;Árbol caído;04/02/2026\n3;;05/02/2026\n"


def test_a_heap_is_filtered_and_the_filter_shared(office: Office, town: Town) -> None:
    desk = office.desk(town.supervisor)
    desk.open("/casos/")
    rows = desk.page.locator("#rows > tr")
    filters = desk.page.locator("summary").filter(has_text="Filters")
    desk.tab_to(filters)
    desk.press("Enter")
    desk.choose("Channel", "Video")
    desk.follow("Apply")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Asked by video")

    address = desk.page.url
    assert address.endswith("/casos/?canal=video")
    colleague = office.desk(town.colleague)
    colleague.open(address)
    expect(colleague.page.locator("#rows > tr")).to_contain_text("Asked by video")

    desk.tab_to(filters)
    desk.press("ArrowDown")
    expect(desk.field("Channel")).to_have_value("video")
    desk.press("Escape")
    expect(filters).to_be_focused()
    expect(desk.field("Channel")).to_have_count(0)
    desk.follow("Remove the filter Channel", "link")
    expect(rows.filter(has_text="One of the heap 1")).to_be_visible()


def test_a_query_is_written_with_what_is_offered(office: Office, town: Town) -> None:
    desk = office.desk(town.supervisor)
    desk.open("/casos/")
    rows = desk.page.locator("#rows > tr")
    box = desk.tab_to(desk.field("Words or case number"))
    offers = desk.page.get_by_role("listbox", name="What may be written here")
    desk.type("chan")
    expect(offers.get_by_role("option")).to_have_text(re.compile("channel:"))
    desk.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "query-offer-0")
    desk.press("Enter")
    expect(box).to_have_value("channel:")
    expect(offers.get_by_role("option")).to_have_count(10)
    desk.type("vid")
    expect(offers.get_by_role("option")).to_have_count(1)
    desk.page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    assert desk.page.evaluate(AXE, EVERYTHING) == []
    desk.press("ArrowDown", "Enter")
    expect(box).to_have_value("channel:video ")
    expect(offers).to_be_hidden()
    with desk.arriving():
        desk.press("Enter")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Asked by video")
    desk.follow("state:open channel:video", "link")
    expect(desk.field("Words or case number")).to_have_value("state:open channel:video")
    expect(rows).to_have_count(1)


def test_what_is_wrong_with_a_query_is_told_under_it(office: Office, town: Town) -> None:
    desk = office.desk(town.supervisor)
    desk.open("/casos/")
    desk.fill("Words or case number", "video chanel:video -due<soon")
    with desk.arriving():
        desk.press("Enter")
    box = desk.field("Words or case number")
    expect(box).to_have_value("video chanel:video -due<soon")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_have_accessible_description(re.compile("There is no field “chanel”"))
    expect(desk.page.locator(".query-typed mark")).to_have_text(["chanel", "soon"])
    expect(desk.page.locator("#rows")).to_have_count(0)
    desk.follow("channel", "link")
    expect(desk.page.locator(".query-typed mark")).to_have_text(["soon"])
    desk.fill("Words or case number", "video -due<today")
    with desk.arriving():
        desk.press("Enter")
    expect(desk.page.locator("#rows > tr")).to_contain_text("Asked by video")
    desk.tab_to(desk.page.locator("summary").filter(has_text="How to write a query"))
    desk.press("Enter")
    expect(desk.page.get_by_role("heading", name="Fields")).to_be_visible()


def test_a_heap_is_assigned_after_a_preview(office: Office, town: Town) -> None:
    desk = office.desk(town.supervisor)
    desk.go("cases", "Cases")
    desk.press("/")
    desk.press("Escape")
    desk.fill("Words or case number", "heap")
    with desk.arriving():
        desk.press("Enter")
    expect(desk.page.locator("#rows tr")).to_have_count(5)
    desk.press(*"jxjxjjx")
    bar = desk.page.get_by_role("region", name="Actions on the selection")
    expect(bar).to_contain_text("Selected: 3")
    chosen = desk.page.locator("#rows tr[aria-selected=true] a").all_inner_texts()
    with desk.arriving():
        desk.press("a")
    desk.choose("Assign to", "Bruno Bastida")
    desk.follow("Preview")
    expect(desk.page.locator("main")).to_contain_text("Cases: 3. Can be done: 3.")
    desk.follow("Start")
    expect(desk.page.locator("main")).to_contain_text("Done: 3. Refused: 0.")
    desk.open("/casos/?q=heap")
    theirs = desk.page.locator("#rows tr").filter(has_text="Bruno Bastida")
    assert sorted(theirs.locator("th a").all_inner_texts()) == sorted(chosen)
    assert len(chosen) == 3


def test_a_file_is_mapped_tried_and_loaded(office: Office, town: Town, tmp_path: Path) -> None:
    file = tmp_path / "avisos.csv"
    file.write_text(ROWS, encoding="cp1252")
    desk = office.desk(town.administrator)
    desk.go("imports", "Imports")
    desk.follow("Import a file", "link")
    desk.choose_file("File", str(file))
    desk.choose("Unit that receives the cases", "North counter")
    desk.follow("Upload")
    expect(desk.page.locator("main")).to_contain_text("Árbol caído")
    say_what_is_what(desk)
    tried = desk.page.get_by_role("table", name="The first rows, as cases")
    expect(tried.locator("tbody tr")).to_have_count(3)
    expect(tried).to_contain_text("Árbol caído")
    desk.follow("Load")
    expect(desk.page.locator("#import")).to_contain_text("Finished")
    figures = desk.page.locator("#import dl dd")
    expect(figures).to_have_text(["2", "0", "1"])
    wrong = desk.download("All, as CSV").path().read_text("utf-8-sig").splitlines()
    assert len(wrong) == 2
    assert wrong[1].startswith("3,3,")


def say_what_is_what(desk: Desk) -> None:
    """Columns become fields; a forgotten one is said at its place."""
    desk.fill("System that the file comes from", "old-crm")
    desk.choose(desk.page.locator("#id_external_id-column"), "id")
    desk.fill(desk.page.locator("#id_type-value"), "grant")
    desk.choose(desk.page.locator("#id_opened_at-column"), "fecha")
    desk.choose(desk.page.locator("#id_opened_at-format"), "20/11/2026")
    desk.follow("Save and see")
    expect(desk.page.locator(".v-errors")).to_contain_text(re.compile("Subject"))
    expect(desk.field("System that the file comes from")).to_have_value("old-crm")
    desk.choose(desk.page.locator("#id_subject-column"), "asunto")
    desk.follow("Save and see")

"""A director looks at the service: figures, what is behind one of them, and a file of it."""

import csv

import pytest
from playwright.sync_api import expect

from tests.journeys.desk import Office
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def test_a_director_narrows_the_board_opens_a_case_behind_it_and_takes_a_file(
    office: Office, town: Town
) -> None:
    desk = office.desk(town.supervisor)
    desk.go("reports", "Reports")
    page = desk.page
    expect(page.get_by_role("heading", name="Reports", level=1)).to_be_visible()
    expect(page.get_by_role("img", name="What came in and what was done")).to_be_visible()

    filters = page.locator("summary").filter(has_text="Filters")
    desk.tab_to(filters)
    desk.press("Enter")
    desk.choose("Period", "Last 7 days")
    desk.tab_to(page.get_by_label("Video", exact=True))
    desk.press("Space")
    desk.follow("Apply")
    assert "canal=video" in page.url
    assert "periodo=7" in page.url
    opened = page.get_by_role("link", name="Cases opened: 1. See the cases")
    expect(opened).to_be_visible()
    expect(page.get_by_role("link", name="Remove the filter Channels")).to_be_visible()

    desk.tab_to(page.locator("summary").filter(has_text="See as a table").first)
    desk.press("Enter")
    table = page.get_by_role("table", name="What came in and what was done")
    expect(table.locator("tbody tr")).to_have_count(7)

    desk.tab_to(opened)
    with desk.arriving():
        desk.press("Enter")
    expect(page.locator("#rows > tr")).to_have_count(1)
    expect(page.locator("#rows > tr")).to_contain_text("Asked by video")

    desk.use("Export")
    desk.tab_to(page.get_by_label("XLSX"))
    desk.press("ArrowUp")  # to CSV
    desk.fill("What for", "Yearly report")
    desk.follow("Make the file")
    expect(page.get_by_role("heading", name="My files", level=1)).to_be_visible()
    ready = page.locator("li").filter(has_text="Yearly report").get_by_role("link")
    expect(ready).to_be_visible()
    desk.tab_to(ready)
    with page.expect_download() as download:
        desk.press("Enter")
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["Case number", town.cases["video"].reference]

    desk.go("reports", "Reports")
    desk.follow("What the figures mean", "link")
    expect(page.get_by_role("heading", name="Backlog")).to_be_visible()


def test_who_may_not_see_reports_is_told_so(office: Office, town: Town) -> None:
    desk = office.desk(town.agent)
    desk.open("/informes/")
    expect(desk.page.locator("main")).to_contain_text("None of your roles includes")
    expect(desk.page.get_by_role("link", name="Reports")).to_have_count(0)


def test_the_districts_are_on_the_map_and_in_the_table(office: Office, town: Town) -> None:
    desk = office.desk(town.auditor)
    desk.open("/informes/")
    expect(desk.page.locator(".bd-map path.bd-place")).to_have_count(1)
    row = desk.page.get_by_role("table", name="By district").locator("tbody tr")
    expect(row.filter(has_text="Old town")).to_contain_text("1")

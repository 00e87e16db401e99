"""Two people at once: what one does is seen by the other, and nothing typed is lost."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.desk import Office
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def test_a_note_appears_on_a_colleagues_page_and_closes_no_menu(office: Office, town: Town) -> None:
    case = f"/casos/{town.cases['live'].uuid}/"
    mine, theirs = office.desk(town.agent), office.desk(town.colleague)
    mine.open(case)
    theirs.open(case)
    expect(mine.page.locator("[data-live]")).to_be_visible()
    mine.tab_to(mine.page.locator("#case-top summary").filter(has_text="Move to"))
    mine.press("Enter")
    theirs.press("n")
    theirs.type("The landlord called back")
    theirs.press("Control+Enter")
    expect(mine.page.locator("#timeline")).to_contain_text("The landlord called back")
    expect(mine.page.locator("#timeline")).to_contain_text("Bruno Bastida")
    expect(mine.page.locator("#case-top details[open]")).to_contain_text("Possible moves")


def test_who_saves_second_is_told_and_loses_nothing(office: Office, town: Town) -> None:
    address = f"/casos/{town.cases['contested'].uuid}/editar/"
    first, second = office.desk(town.agent), office.desk(town.colleague)
    for desk in (first, second):
        desk.open(address)
    first.fill("Subject", "The first to save")
    first.follow("Save")
    second.fill("Subject", "The second to save")
    second.fill("Description", "Three paragraphs of work.")
    second.follow("Save")
    told = second.page.get_by_role("alert")
    expect(told).to_contain_text("Alba Agente edited: subject")
    choice = second.page.locator(".v-clash")
    expect(choice).to_contain_text("The first to save")
    expect(second.field("Subject")).to_have_value("The second to save")
    expect(second.field("Description")).to_have_value("Three paragraphs of work.")
    second.follow("Save")
    expect(second.page.locator("h1")).to_have_text("The second to save")


def test_who_is_suspended_is_out_within_five_seconds(office: Office, town: Town) -> None:
    theirs = office.desk(town.leaving)
    theirs.open(f"/casos/{town.cases['watched'].uuid}/")
    expect(theirs.page.locator("[data-live]")).to_be_visible()
    admin = office.desk(town.administrator)
    admin.open(f"/organizacion/personal/{town.leaving.uuid}/")
    admin.fill("Why it is suspended", "No longer works here")
    admin.follow("Suspend")
    expect(theirs.page).to_have_url(re.compile("/entrar/"), timeout=5_000)


def test_a_draft_survives_a_reload_and_the_lost_link_is_told(office: Office, town: Town) -> None:
    desk = office.desk(town.agent)
    link = desk.breakable_link()
    desk.open(f"/casos/{town.cases['draft'].uuid}/")
    expect(desk.page.locator("[data-live]")).to_be_visible()
    desk.press("n")
    desk.type("She will come back on Monday with")
    expect(desk.page.locator("[data-status]")).to_contain_text("Draft saved")
    desk.page.reload()
    desk.ready()
    desk.press("n")
    expect(desk.page.locator("#composer-text")).to_have_value("She will come back on Monday with")

    down = desk.page.locator("#link-down .v-banner")
    expect(down).to_be_hidden()
    expect(desk.page.locator("[data-live]")).to_be_visible()
    with link.cut():
        expect(down).to_contain_text("Live connection lost")
        expect(desk.page.locator("[data-live]")).to_be_hidden()
    expect(desk.page.locator("[data-live]")).to_be_visible()
    expect(down).to_be_hidden()
    expect(desk.page.locator("#composer-text")).to_have_value("She will come back on Monday with")

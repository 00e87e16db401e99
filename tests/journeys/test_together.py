"""Two browsers on one case: each sees the other, no keystroke is lost, nothing is ever locked."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.desk import Desk, Office
from tests.journeys.test_writing import accessible
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def here(desk: Desk, words: str) -> None:
    expect(desk.page.locator("#case-here")).to_contain_text(words)


def written(desk: Desk, text: str) -> None:
    """It stands in the box, and the server has it."""
    expect(desk.page.locator("#composer-text")).to_have_value(text)
    expect(desk.page.locator("#composer [data-status]")).to_have_text(
        re.compile("Draft saved|restored")
    )


def test_two_browsers_on_one_case(office: Office, town: Town) -> None:
    case = town.cases["together"]
    place = f"/casos/{case.uuid}/"
    alba, bruno = office.desk(town.agent), office.desk(town.colleague)
    lists = office.desk(town.supervisor)
    lists.open("/casos/?vista=all&q=Two+at+once")
    alba.open(place)
    bruno.open(place)

    # each sees the other, in the page and in the list
    here(alba, "Bruno Bastida is looking at it")
    here(bruno, "Alba Agente is looking at it")
    row = lists.page.locator(f"#case-{case.uuid}")
    expect(row).to_contain_text("Alba Agente is looking at it")
    expect(row).to_contain_text("Bruno Bastida is looking at it")

    # while one answers, the other is told before they begin, and goes on all the same
    alba.press("e")
    alba.type("Good morning, this is Alba.")
    here(bruno, "Alba Agente is answering")
    expect(row).to_contain_text("Alba Agente is answering")
    lock = bruno.page.locator("[data-lock]")
    expect(lock).to_contain_text("Alba Agente is answering")
    assert accessible(bruno) == []
    assert accessible(lists) == []
    bruno.use("Answer all the same")
    expect(lock).to_be_hidden()
    expect(bruno.page.locator("#composer-text")).to_be_focused()
    bruno.type("Good morning, this is Bruno.")
    here(alba, "Bruno Bastida is answering")

    # a note is another draft, and shows as one
    bruno.page.get_by_role("button", name="Internal note").focus()
    bruno.press("Enter")
    bruno.type("Call her on Monday.")
    here(alba, "Bruno Bastida is writing a note")
    written(bruno, "Call her on Monday.")
    bruno.page.reload()
    bruno.ready()
    written(bruno, "Good morning, this is Bruno.")
    bruno.page.get_by_role("button", name="Internal note").focus()
    bruno.press("Enter")
    written(bruno, "Call her on Monday.")

    # on another computer it is there as well
    other = office.desk(town.colleague)
    other.open("/borradores/")
    expect(other.page.locator("main")).to_contain_text("Call her on Monday.")
    assert accessible(other) == []
    other.open(f"{place}?escribir=note")
    expect(other.page.locator("#composer-text")).to_have_value("Call her on Monday.")

    # the first answer goes; the second is shown it, and goes knowingly
    alba.press("Control+Enter")
    story = bruno.page.locator("#timeline")
    expect(story).to_contain_text("Good morning, this is Alba.")
    here(bruno, "Alba Agente is looking at it")  # what is sent is written no more
    bruno.page.get_by_role("button", name="Reply").focus()
    bruno.press("Enter")
    expect(bruno.page.locator("#composer-text")).to_have_value("Good morning, this is Bruno.")
    bruno.tab_to(bruno.page.locator("#composer-text"))
    bruno.press("Control+Enter")
    crossed = bruno.page.locator("#composer-crossed")
    expect(crossed).to_contain_text("Alba Agente has answered the citizen since you began.")
    expect(crossed).to_contain_text("Good morning, this is Alba.")
    expect(bruno.page.locator("#composer-text")).to_have_value("Good morning, this is Bruno.")
    assert accessible(bruno) == []
    bruno.use("Send mine as well")
    expect(story).to_contain_text("Good morning, this is Bruno.")
    expect(bruno.page.locator("#composer-text")).to_have_value("")
    expect(crossed).to_be_empty()

    # a draft that is shared is taken over
    alba.tab_to(alba.page.locator("#composer-text"))
    alba.type("There is one more thing")
    written(alba, "There is one more thing")
    alba.use("Share the draft")
    expect(alba.page.locator("[data-share]")).to_have_text("Shared with the unit")
    shared = bruno.page.locator("#case-drafts")
    expect(shared).to_contain_text("There is one more thing")
    bruno.tab_to(shared.get_by_role("button", name="Go on with it"))
    with bruno.arriving():
        bruno.press("Enter")
    expect(bruno.page.locator("#composer-text")).to_have_value("There is one more thing")
    alba.tab_to(alba.page.locator("#composer-text"))
    alba.press("End")
    alba.type(": the date.")
    clash = alba.page.locator("[data-clash]")
    expect(clash).to_contain_text("This draft was sent, taken over or discarded elsewhere.")
    expect(alba.page.locator("#composer-text")).to_have_value("There is one more thing: the date.")
    alba.use("Keep what I have here")
    written(alba, "There is one more thing: the date.")

    # discarded, and taken back
    alba.use("Discard")
    expect(alba.page.locator("#composer-text")).to_have_value("")
    alba.use("Undo")
    expect(alba.page.locator("#composer-text")).to_have_value("There is one more thing: the date.")

    # whoever goes is gone
    bruno.open("/")
    expect(alba.page.locator("#case-here")).not_to_contain_text("Bruno Bastida is answering")


def test_without_a_link_nothing_typed_is_lost(office: Office, town: Town) -> None:
    case = town.cases["apart"]
    alba = office.desk(town.agent)
    alba.open(f"/casos/{case.uuid}/")
    alba.press("n")
    alba.context.set_offline(True)
    alba.type("Written in a tunnel.")
    expect(alba.page.locator("#composer [data-status]")).to_contain_text("kept on this device")
    alba.complaints.clear()  # that the network is away the browser says itself
    alba.context.set_offline(False)
    alba.page.reload()
    alba.ready()
    alba.press("n")
    written(alba, "Written in a tunnel.")
    there = office.desk(town.agent)
    there.open("/borradores/")
    expect(there.page.locator("main")).to_contain_text("Written in a tunnel.")


def test_two_who_change_the_data_choose_at_the_field(office: Office, town: Town) -> None:
    case = town.cases["apart"]
    place = f"/casos/{case.uuid}/editar/"
    alba, bruno = office.desk(town.agent), office.desk(town.colleague)
    alba.open(place)
    bruno.open(place)
    here(alba, "Bruno Bastida is changing the data")
    bruno.fill("Subject", "As Bruno calls it")
    bruno.fill("Description", "What Bruno saw.")
    bruno.follow("Save")
    alba.fill("Subject", "As Alba calls it")
    alba.fill("Address of the matter", "Main Street 1")
    alba.follow("Save")
    choice = alba.page.locator(".v-clash")
    expect(choice).to_have_count(1)
    expect(choice).to_contain_text("Bruno Bastida changed this as well")
    expect(choice).to_contain_text("As Bruno calls it")
    expect(alba.field("Subject")).to_have_value("As Alba calls it")
    expect(alba.field("Description")).to_have_value("What Bruno saw.")
    assert accessible(alba) == []
    alba.tab_to(choice.get_by_role("radio", name=re.compile("Keep what I wrote")))
    alba.press("ArrowDown")
    alba.follow("Save")
    expect(alba.page.get_by_role("heading", level=1)).to_have_text("As Bruno calls it")
    alba.open(f"/casos/{case.uuid}/#tab-datos")
    expect(alba.page.locator("#panel-datos")).to_contain_text("What Bruno saw.")
    expect(alba.page.locator("#panel-datos")).to_contain_text("Main Street 1")

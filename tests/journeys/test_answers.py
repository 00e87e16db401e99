"""An employee answers with what is usually said, and runs a macro, by keyboard alone."""

import pytest
from playwright.sync_api import expect

from crm.kit.staticfiles import node_modules
from tests.journeys.desk import Desk, Office
from tests.journeys.test_pages import AXE, EVERYTHING
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def accessible(desk: Desk) -> list[str]:
    desk.page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    found: list[str] = desk.page.evaluate(AXE, EVERYTHING)
    return found


def test_an_answer_in_the_middle_of_a_text_and_a_macro_by_the_palette(
    office: Office, town: Town
) -> None:
    case = town.cases["answered"]
    desk = office.desk(town.agent)
    desk.open(f"/casos/{case.uuid}/")
    box, offers = desk.page.locator("#composer-text"), desk.page.locator(".v-answers")

    desk.fill(box, "Dear citizen: . Regards.")
    desk.press(*["ArrowLeft"] * len(". Regards."))
    desk.type("/nobody-wrote-this")
    expect(offers.get_by_text("No answer has these words.")).to_be_visible()
    desk.press("Escape")
    expect(offers).to_be_hidden()
    expect(box).to_be_focused()
    desk.press(*["Backspace"] * len("/nobody-wrote-this"))
    desk.type("/asu")
    option = offers.get_by_role("option", selected=True)
    expect(option).to_contain_text("De su asunto")
    assert accessible(desk) == []
    desk.press("Alt+l")
    expect(option).to_contain_text("En català")
    desk.press(*["Alt+l"] * 6)
    expect(option).to_contain_text("su asunto es")
    desk.press("Enter")
    whole = "Dear citizen: su asunto es «Answered as usual» y su resultado ((outcome)). Regards."
    expect(box).to_have_value(whole)

    # Ctrl+Z gives back what was typed
    desk.press("Control+z")
    expect(box).to_have_value("Dear citizen: /asu. Regards.")
    desk.press("Control+Shift+z")
    expect(box).to_have_value(whole)

    # what lacks is named and stops the sending; nothing is lost
    left = desk.page.locator("[data-left]")
    expect(left).to_contain_text("Outcome")
    assert accessible(desk) == []
    desk.press("Control+Enter")
    assert box.evaluate("one => one.value.slice(one.selectionStart, one.selectionEnd)") == (
        "((outcome))"
    )
    expect(box).to_have_value(whole)
    expect(desk.page.locator("#timeline")).not_to_contain_text("su asunto es")
    desk.type("good")
    expect(left).to_be_hidden()
    desk.press("Control+Enter")
    expect(desk.page.locator("#timeline")).to_contain_text("y su resultado good. Regards.")

    # the macro by the palette: it says what it does and asks what its move demands
    desk.open(f"/casos/{case.uuid}/")
    expect(desk.page.locator("[data-anywhere]")).to_have_count(1)
    desk.go("note and res", "Note and resolve")
    expect(desk.page.locator("main")).to_contain_text("2. Move to another state: Resolve")
    assert accessible(desk) == []
    desk.fill("Outcome", "Granted")
    desk.follow("Go on")
    story = desk.page.locator("#timeline")
    expect(story).to_contain_text("ran the macro “Note and resolve”")
    expect(desk.page.locator("#case-top")).to_contain_text("Resolved")


def test_in_a_thread_of_mail_it_is_filled_for_its_case(office: Office, town: Town) -> None:
    assert town.letter is not None
    desk = office.desk(town.agent)
    desk.open(f"/correo/{town.letter.uuid}/")
    box, offers = desk.page.locator("#composer-text"), desk.page.locator(".v-answers")
    desk.fill(box, "/asu")
    option = offers.get_by_role("option", selected=True)
    expect(option).to_contain_text("De su asunto")
    expect(option).to_contain_text("lacks: Outcome")
    assert accessible(desk) == []
    desk.press("Enter")
    expect(box).to_have_value("su asunto es «Consulta» y su resultado ((outcome))")
    expect(desk.page.locator("[data-left]")).to_contain_text("Outcome")

"""An administrator sets up a chat from nothing; a supervisor enters a conversation and gives it away."""

import pytest
from playwright.sync_api import expect

from tests.journeys.desk import Desk, Office
from tests.journeys.test_chatting import be, open_chat, put, reach
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def save(desk: Desk) -> None:
    """Press the button of the page's own form."""
    desk.tab_to(desk.page.locator("main form [type=submit]").first)
    with desk.arriving():
        desk.press("Enter")


def test_a_chat_is_set_up_from_nothing(office: Office, town: Town) -> None:
    desk = office.desk(town.administrator)
    desk.go("chats and", "Chats and queues")

    desk.follow("New queue", "link")
    save(desk)
    expect(desk.page.get_by_role("alert")).to_contain_text("Name: This field is required.")
    desk.fill("Name", "Grants by chat")
    desk.choose("Unit", "North counter")
    save(desk)
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Grants by chat")
    expect(desk.page.locator("#people")).to_be_visible()
    desk.choose("Person", town.colleague.full_name)
    desk.fill("Conversations at once", "2")
    desk.tab_to(desk.page.locator("form[action$='/personas/'] [type=submit]"))
    with desk.arriving():
        desk.press("Enter")
    expect(desk.page.get_by_text("2 conversations at once")).to_be_visible()
    desk.follow("New wrap-up code", "link")
    desk.fill("Name", "Solved")
    save(desk)
    expect(desk.page.get_by_role("link", name="Solved")).to_be_visible()

    desk.follow("Chats and queues", "link")
    desk.follow("New web chat", "link")
    desk.fill("Name", "Chat of the office")
    desk.choose("Unit", "North counter")
    desk.choose("Queue", "Grants by chat")
    desk.fill("Sites that may show it, one a line", "https://www.town.example/path")
    desk.fill("What people agree to before they write", "We use your data to answer you.")
    save(desk)
    problem = "is no site: write https:// and its name, without a path."
    expect(desk.page.get_by_role("alert")).to_contain_text(problem)
    desk.fill("Sites that may show it, one a line", "https://www.town.example")
    save(desk)
    expect(desk.page.get_by_text("widget.js", exact=False)).to_be_visible()
    desk.follow("New reason", "link")
    desk.fill("Name", "My grant")
    desk.choose("Queue", "Grants by chat")
    save(desk)
    expect(desk.page.get_by_role("link", name="My grant")).to_be_visible()


def test_a_supervisor_enters_a_conversation_and_gives_it_away(
    office: Office,
    town: Town,
    foreign: str,
) -> None:
    agent, colleague = office.desk(town.agent), office.desk(town.colleague)
    agent.open("/conversaciones/")
    be(agent, "Available")
    visitor = office.visitor()
    frame = open_chat(visitor, foreign)
    put(visitor, frame, "Your name", "Hermelinda")
    put(visitor, frame, "What can we do for you?", "I have a question.")
    reach(visitor, frame.get_by_label("I have read how my data are used, and agree."))
    visitor.press("Space")
    reach(visitor, frame.get_by_role("button", name="Start the chat"))
    visitor.press("Enter")
    offer = agent.page.locator("[data-offer]").filter(has_text="Hermelinda")
    left = offer.locator("[data-controller=countdown]")
    first = int(left.inner_text().removesuffix(" s"))
    assert 0 < first <= 30
    agent.page.wait_for_function(
        "([one, first]) => parseInt(one.textContent) < first", arg=[left.element_handle(), first]
    )
    agent.follow("Accept")
    colleague.open("/conversaciones/")
    be(colleague, "Busy")

    boss = office.desk(town.supervisor)
    boss.open("/colas/")
    boss.follow("General", "link")
    row = boss.page.get_by_role("row").filter(has_text="Hermelinda")
    expect(row).to_contain_text(town.agent.full_name)
    boss.follow("Hermelinda", "link")
    expect(boss.page.locator("#thread")).to_contain_text("I have a question.")
    boss.use("Give to somebody else")
    choices = boss.tab_to(boss.page.locator("#reassign-to"))
    choices.press_sequentially(town.colleague.full_name.split()[0])
    expect(choices.locator("option:checked")).to_contain_text(town.colleague.full_name)
    boss.fill(boss.page.locator("#reassign-note"), "Alba leaves now.")
    boss.tab_to(boss.page.locator("#reassign [type=submit]"))
    with boss.arriving():
        boss.press("Enter")

    expect(agent.page.locator("#desk-queue")).not_to_contain_text("Hermelinda")
    expect(frame.locator("[data-part=status]")).to_contain_text(
        f"{town.colleague.get_short_name()} attends you"
    )
    colleague.tab_to(colleague.page.locator("#desk-queue a").filter(has_text="Hermelinda"))
    with colleague.arriving():
        colleague.press("Enter")
    expect(colleague.page.locator("#thread")).to_contain_text("Alba leaves now.")
    colleague.fill(colleague.page.locator("#composer-text"), "It is me now.")
    colleague.press("Control+Enter")
    expect(frame.locator(".chat-log")).to_contain_text("It is me now.")
    expect(frame.locator(".chat-log")).not_to_contain_text("Alba leaves now.")
    colleague.use("Close")
    colleague.tab_to(colleague.page.locator("#close-talk [name=code]").first)
    colleague.press("Space")
    colleague.tab_to(colleague.page.locator("#close-talk [type=submit]"))
    with colleague.arriving():
        colleague.press("Enter")
    for desk in (agent, colleague):
        desk.open("/conversaciones/")
        be(desk, "Offline")

"""A citizen chats from somebody else's web site; an employee answers, and it becomes a case."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FrameLocator, Locator, expect

from crm.kit.staticfiles import node_modules
from tests.journeys.desk import STOPS, Desk, Office
from tests.journeys.test_pages import AXE, EVERYTHING
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


FOCUSED = """one => one.getRootNode().activeElement === one && one.ownerDocument.hasFocus()"""


def reach(desk: Desk, target: Locator) -> None:
    """Press Tab until the target has the focus, in whatever frame it stands."""
    expect(target).to_be_attached()
    for _stop in range(STOPS):
        if target.evaluate(FOCUSED):
            return
        desk.press("Tab")
    raise AssertionError(f"Tab does not reach {target}")


def put(desk: Desk, frame: FrameLocator, label: str, words: str) -> None:
    reach(desk, frame.get_by_label(label))
    desk.press("Control+a")
    desk.type(words)


def open_chat(visitor: Desk, foreign: str) -> FrameLocator:
    visitor.page.goto(foreign)
    button = visitor.page.get_by_role("button", name="Chat with us")
    reach(visitor, button)
    visitor.press("Enter")
    frame = visitor.page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Talk to us")).to_be_visible()
    return frame


def say(visitor: Desk, frame: FrameLocator, words: str) -> None:
    reach(visitor, frame.get_by_label("Write a message"))
    visitor.type(words)
    visitor.press("Enter")
    expect(frame.locator(".chat-log")).to_contain_text(words)


def accessible(visitor: Desk) -> list[str]:
    """What axe finds wrong in the frame."""
    inside = next(frame for frame in visitor.page.frames if "/chat/journeys/" in frame.url)
    inside.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    found: list[str] = inside.evaluate(AXE, EVERYTHING)
    return found


def be(desk: Desk, state: str) -> None:
    """Say at the desk that one is available, busy…"""
    menu = desk.page.locator("#presence summary")
    desk.tab_to(menu)
    desk.press("Enter")
    with desk.arriving():
        desk.tab_to(desk.page.get_by_role("button", name=state, exact=True))
        desk.press("Enter")
    expect(menu).to_contain_text(state)


def test_a_citizen_chats_and_an_employee_answers(
    office: Office, town: Town, foreign: str, tmp_path: Path
) -> None:
    agent = office.desk(town.agent)
    agent.open("/conversaciones/")
    be(agent, "Available")

    # the visitor, on a page of somebody else's
    visitor = office.visitor()
    frame = open_chat(visitor, foreign)
    reach(visitor, frame.get_by_role("button", name="Start the chat"))
    visitor.press("Enter")
    expect(frame.get_by_label("Your name")).to_be_focused()  # the first that is missing
    put(visitor, frame, "Your name", "Remedios")
    put(visitor, frame, "Your e-mail", "remedios@example.org")
    put(visitor, frame, "What can we do for you?", "Which papers do I need?")
    reach(visitor, frame.get_by_label("I have read how my data are used, and agree."))
    visitor.press("Space")
    assert accessible(visitor) == []
    reach(visitor, frame.get_by_role("button", name="Start the chat"))
    visitor.press("Enter")
    expect(frame.locator("[data-part=status]")).to_contain_text("place in the queue: 1")

    # it rings; the agent takes it and answers
    offer = agent.page.locator("[data-offer]").filter(has_text="Remedios")
    expect(offer).to_contain_text("Which papers do I need?")
    agent.follow("Accept")
    expect(agent.page.locator("#thread")).to_contain_text("Which papers do I need?")
    expect(frame.locator("[data-part=status]")).to_contain_text("Alba attends you")
    agent.fill(agent.page.locator("#composer-text"), "Good morning. Your identity card.")
    expect(frame.locator("[data-part=typing]")).to_be_visible()
    agent.press("Control+Enter")
    expect(frame.locator(".chat-log")).to_contain_text("Your identity card.")
    assert accessible(visitor) == []

    # a reload loses nothing, nor does a second one
    for _reload in range(2):
        visitor.page.reload()
        expect(frame.locator(".chat-log")).to_contain_text("Your identity card.")
    expect(frame.locator(".chat-msg")).to_have_count(2)
    say(visitor, frame, "And a photo of it?")
    expect(agent.page.locator("#thread")).to_contain_text("And a photo of it?")
    expect(agent.page.locator("#thread .v-msg-foot")).to_contain_text("Read")

    # a photo
    photo = tmp_path / "card.png"
    Image.new("RGB", (60, 40), "teal").save(photo)
    reach(visitor, frame.get_by_label("Send a file"))
    with visitor.page.expect_file_chooser() as chooser:
        visitor.press("Enter")
    chooser.value.set_files(photo)
    expect(frame.locator(".chat-log")).to_contain_text("card.png")
    expect(agent.page.locator("#thread")).to_contain_text("card.png")

    # who it is, after checking; and a case of it
    agent.use("Find the person")
    agent.seek(agent.page.locator("#citizen-search"), "remedios zafra")
    found = agent.page.locator("#identify [name=citizen]").first
    expect(found).to_be_attached()
    agent.tab_to(found)
    agent.press("Space")
    agent.tab_to(agent.page.locator("#identify [type=submit]"))
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.locator("#talk-citizen")).to_contain_text("Remedios Zafra Quintanilla")
    agent.use("Open a case")
    agent.fill(agent.page.locator("#new-subject"), "Papers for a grant")
    agent.tab_to(agent.page.locator("#new-case [type=submit]"))
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.locator("#talk-citizen")).to_contain_text("Papers for a grant")

    # the visitor ends it and asks for a copy; the agent notes how it ended
    reach(visitor, frame.get_by_role("button", name="End the chat"))
    visitor.press("Enter")
    reach(visitor, frame.get_by_role("button", name="End the conversation"))
    visitor.press("Enter")
    expect(frame.get_by_role("heading", name="The conversation has ended")).to_be_visible()
    put(visitor, frame, "Send me a copy by e-mail", "remedios@example.org")
    visitor.press("Enter")
    expect(frame.get_by_text("The copy is on its way.")).to_be_visible()
    assert accessible(visitor) == []
    expect(agent.page.locator("#talk-head")).to_contain_text("Wrapping up")
    agent.use("Close")
    agent.tab_to(agent.page.locator("#close-talk [name=code]").first)
    agent.press("Space")
    agent.tab_to(agent.page.locator("#close-talk [type=submit]"))
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.locator("#desk-queue")).not_to_contain_text("Remedios")

    # it stands in the case's story
    agent.open("/casos/?q=papers")
    agent.follow("Papers for a grant", "link")
    expect(agent.page.locator("#timeline")).to_contain_text("Your identity card.")
    agent.open("/conversaciones/")
    be(agent, "Offline")


def test_what_is_written_without_a_network_arrives_once(
    office: Office, town: Town, foreign: str
) -> None:
    visitor = office.visitor()
    frame = open_chat(visitor, foreign)
    put(visitor, frame, "Your name", "Casimiro")
    put(visitor, frame, "What can we do for you?", "Is anybody there?")
    reach(visitor, frame.get_by_label("I have read how my data are used, and agree."))
    visitor.press("Space")
    reach(visitor, frame.get_by_role("button", name="Start the chat"))
    visitor.press("Enter")
    expect(frame.locator("[data-part=status]")).to_contain_text("queue")

    visitor.context.route("**/chat/conversacion/decir/", lambda route: route.abort())
    say(visitor, frame, "Written in a tunnel")
    expect(frame.locator("[data-part=problem]")).to_be_visible()
    visitor.page.reload()
    expect(frame.locator(".is-sending")).to_contain_text("Written in a tunnel")
    visitor.context.unroute("**/chat/conversacion/decir/")
    expect(frame.locator(".is-sending")).to_have_count(0)
    visitor.page.reload()
    expect(frame.locator(".chat-msg")).to_have_count(2)
    visitor.complaints[:] = [said for said in visitor.complaints if "ERR_FAILED" not in said]

    reach(visitor, frame.get_by_role("button", name="End the chat"))
    visitor.press("Enter")
    reach(visitor, frame.get_by_role("button", name="End the conversation"))
    visitor.press("Enter")
    expect(frame.get_by_role("heading", name="The conversation has ended")).to_be_visible()
    reach(visitor, frame.get_by_role("button", name="Forget this conversation"))
    visitor.press("Enter")
    expect(frame.get_by_role("heading", name="Talk to us")).to_be_visible()
    expect(frame.locator(".chat-msg")).to_have_count(0)


def test_out_of_hours_a_message_gets_a_number(office: Office, town: Town, foreign: str) -> None:
    visitor = office.visitor(width=390, height=844)
    frame = open_chat(visitor, foreign)
    put(visitor, frame, "Your name", "Nocturna")
    put(visitor, frame, "Your e-mail", "nocturna@example.org")
    reach(visitor, frame.get_by_label("What is it about?"))
    visitor.press("End")
    put(visitor, frame, "What can we do for you?", "The lamp is dark.")
    reach(visitor, frame.get_by_label("I have read how my data are used, and agree."))
    visitor.press("Space")
    reach(visitor, frame.get_by_role("button", name="Start the chat"))
    visitor.press("Enter")
    expect(frame.get_by_role("heading", name="Leave us a message")).to_be_visible()
    expect(frame.get_by_label("What can we do for you?")).to_have_value("The lamp is dark.")
    reach(visitor, frame.get_by_role("button", name="Send the message"))
    visitor.press("Enter")
    expect(frame.get_by_role("heading", name="We have your message")).to_be_visible()
    expect(frame.locator("[data-reference]")).to_have_text(re.compile(r"^INST-\d{4}-\d{7}$"))
    assert accessible(visitor) == []


def test_a_page_that_is_not_allowed_holds_no_chat(office: Office) -> None:
    visitor = office.visitor()
    refused: list[str] = []
    visitor.page.on("console", lambda said: refused.append(said.text))
    visitor.page.goto("/accesibilidad/")
    visitor.page.evaluate(
        """() => { const frame = document.createElement("iframe");
                   frame.src = "/chat/journeys/"; document.body.append(frame); }"""
    )
    visitor.page.wait_for_event("console", predicate=lambda said: "frame-ancestors" in said.text)
    assert any("frame-ancestors" in text for text in refused)
    visitor.complaints.clear()

"""A permit goes through its tasks and papers: done by one, approved by another, seen by a third."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from crm.kit.staticfiles import node_modules
from tests.journeys.desk import Desk, Office
from tests.journeys.test_attending import show
from tests.journeys.test_pages import AXE, LOOKS, fits, widest
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

PICTURES = os.environ.get("JOURNEY_PICTURES", "")


def look(desk: Desk, name: str) -> None:
    """The page as it stands is accessible in every look, and fits; a picture of each if wanted."""
    desk.page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    for width, height, theme, rules in LOOKS:
        desk.page.set_viewport_size({"width": width, "height": height})
        desk.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        if PICTURES:
            desk.page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{theme}.png")
        assert desk.page.evaluate(AXE, rules) == [], f"{name} {width} {theme}"
        assert fits(desk.page), (name, widest(desk.page))
    desk.page.set_viewport_size({"width": 1440, "height": 900})
    desk.page.emulate_media(color_scheme="light")


def test_a_permit_is_worked_through_its_tasks(office: Office, town: Town) -> None:
    agent = office.desk(town.agent)
    address = open_a_permit(agent)
    tick_the_plan(agent)
    add_and_refuse(agent)
    finish(agent, "Check the papers")
    propose(agent)
    supervisor = office.desk(town.supervisor)
    approve(supervisor)
    end_it(agent, address)


def open_a_permit(desk: Desk) -> str:
    """The case comes with what its type plans."""
    desk.open("/casos/nuevo/")
    desk.choose("Case type", "Building permit")
    desk.fill("Subject", "A fence around the garden")
    desk.follow("Open the case")
    expect(desk.page.get_by_role("tab", name="Tasks")).to_have_text(re.compile("Tasks4"))
    show(desk, "Tasks")
    expect(desk.page.locator("#case-tasks")).to_contain_text("Check the papers")
    look(desk, "case-tasks")
    return desk.page.url.split("#")[0]


def tick_the_plan(desk: Desk) -> None:
    """The citizen need not bring what the land registry has."""
    row = desk.page.locator("#case-tasks li").filter(has_text="Map of the place")
    desk.tab_to(row.locator("summary"))
    desk.press("Enter")
    desk.tab_to(desk.page.get_by_role("radio", name="Missing").locator("visible=true"))
    desk.press("ArrowDown", "ArrowDown", "ArrowDown")
    desk.fill("Why it is not needed, or which administration has it", "The land registry")
    look(desk, "paper")
    desk.follow("Save")
    expect(desk.page.locator("#case-tasks")).to_contain_text("The land registry")


def add_and_refuse(desk: Desk) -> None:
    """A task without a title comes back with all that was typed."""
    desk.follow("Add a task", "link")
    desk.fill("Instructions", "From the street.")
    desk.fill("To be done within", "5")
    desk.follow("Add the task")
    expect(desk.page.locator(".v-errors")).to_be_focused()
    expect(desk.field("Instructions")).to_have_value("From the street.")
    look(desk, "task-new")
    desk.fill("What is to be done", "Take a photograph")
    desk.follow("Add the task")
    expect(desk.page.locator("#case-tasks")).to_contain_text("Take a photograph")


def finish(desk: Desk, title: str) -> None:
    """From the list of the case, with one press."""
    desk.follow(f"Done: {title}")
    expect(desk.page.locator("#toasts")).to_contain_text("is done")
    expect(desk.page.locator("#case-tasks")).to_contain_text(title)


def propose(desk: Desk) -> None:
    """On the task's own page, with a comment; somebody else has to approve it."""
    desk.follow("Write the proposal", "link")
    look(desk, "task")
    desk.fill("What came of it", "In favour.")
    desk.follow("Done, to be approved")
    expect(desk.page.locator("main")).to_contain_text("Waiting for approval")


def approve(desk: Desk) -> None:
    """The supervisor finds it on their day and approves it."""
    desk.open("/")
    desk.follow("To approve", "link")
    expect(desk.page.locator("main")).to_contain_text("Write the proposal")
    look(desk, "approval")
    desk.follow("Approve: Write the proposal")
    expect(desk.page.locator("main")).to_contain_text("Nothing waits for your approval")


def end_it(desk: Desk, address: str) -> None:
    """One task only warns: it may stay open, which has to be said."""
    desk.open(f"{address}mover/resolve/")
    expect(desk.page.locator("main")).to_contain_text("Tasks that stay open: ")
    expect(desk.page.locator("main")).to_contain_text("File the copy")
    look(desk, "end")
    desk.fill("Outcome", "Granted")
    desk.tab_to(desk.page.get_by_label("They may stay open"))
    desk.press("Space")
    desk.follow("Resolve")
    expect(desk.page.locator("#case-top")).to_contain_text("Resolved")

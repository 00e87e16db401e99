"""Communications writes to those who want it, somebody else approves, and it is sent once."""

import time

import pytest
from playwright.sync_api import expect

from tests.journeys.desk import LATE_MS, Desk, Office
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def test_a_campaign_from_the_first_condition_to_the_last_message(
    office: Office, town: Town
) -> None:
    mine = office.desk(town.communicator)
    mine.go("campaigns", "Campaigns")

    mine.follow("Audiences", "link")
    mine.follow("New audience", "link")
    mine.fill("Name", "Spanish speakers")
    mine.use("Add a condition")
    expect(mine.page.locator("#size")).to_contain_text("choose at least one value")
    mine.tab_to(mine.page.get_by_role("checkbox", name="Spanish"))
    mine.press("Space")
    few = "Fewer than 5 people with a mailbox"  # whoever may not open records learns no more
    expect(mine.page.locator("#size")).to_contain_text(few)
    mine.use("Add a group")
    mine.choose(mine.page.locator("#f-0\\.1\\.0"), "Age")
    mine.fill(mine.page.locator("#from-0\\.1\\.0"), "190")
    mine.press("Tab")
    expect(mine.page.locator("#size")).to_contain_text("write a whole number from 0 to 130")
    mine.use("Remove the group")
    expect(mine.page.locator("#size")).to_contain_text(few)
    mine.follow("Save")
    expect(mine.page.locator("main")).to_contain_text("Spanish speakers")

    mine.follow("Templates", "link")
    mine.follow("New template", "link")
    mine.fill("Name", "Autumn workshops")
    mine.fill("Subject", "Workshops, ((name))")
    mine.fill("Message", "Dear ((full_name)), enrol until ((until:date)).")
    mine.follow("Save")

    mine.follow("Campaigns", "link")
    mine.follow("New campaign", "link")
    mine.fill("Name", "Autumn")
    mine.choose("Topic", "Workshops")
    mine.choose("Audience", "Spanish speakers")
    mine.choose("Template", "Autumn workshops")
    mine.follow("Save the draft")
    expect(mine.page.locator("main")).to_contain_text("((until)) has no value.")
    mine.follow("Edit", "link")
    mine.tab_to(mine.page.locator("#id_value-until"))
    mine.type("12152030")
    mine.follow("Save the draft")
    mine.follow("Preview with recipients", "link")
    expect(mine.page.locator("main")).to_contain_text("Dear Remedios Zafra Quintanilla")
    mine.follow("Autumn", "link")
    address = mine.page.url
    mine.follow("Ask for approval")
    expect(mine.page.locator("main")).to_contain_text("Somebody else must approve it")

    theirs = office.desk(town.supervisor)
    theirs.open(address)
    theirs.follow("Approve")
    _until(mine, "1 of 1 recipients")
    _until(mine, "Finished")
    expect(mine.page.locator("#results")).to_contain_text("Sent")

    agent = office.desk(town.agent)
    agent.open(f"/ciudadania/{town.citizen.uuid}/")
    expect(agent.page.locator("main")).to_contain_text("was sent a campaign's message")


def test_a_recipient_chooses_without_signing_in(office: Office, town: Town) -> None:
    visitor = office.visitor(390, 844)
    visitor.open(f"/preferencias/{town.recipient}/")
    expect(visitor.field("Workshops")).to_be_checked()
    visitor.follow("Guardar")  # in the language in which they are written to
    expect(visitor.page.get_by_role("status").first).to_contain_text("Guardado")
    visitor.open(f"/baja/{town.recipient}/")
    expect(visitor.page.locator("h1")).to_have_text("Dejar de recibir mensajes")


def _until(desk: Desk, words: str) -> None:
    """The page says so, sooner or later: workers send."""
    deadline = time.monotonic() + LATE_MS / 1000
    while words not in " ".join(desk.page.locator("main").inner_text().split()):
        assert time.monotonic() < deadline, f"the page never says {words!r}"
        desk.page.reload()
        desk.ready()

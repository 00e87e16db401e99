"""How work is shared out: views, whole heaps done and undone, transfers, absences, one person on record twice."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.journeys.desk import Desk, Office
from tests.journeys.test_tasks import look
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def test_a_view_is_saved_for_the_unit_counted_and_pinned(office: Office, town: Town) -> None:
    desk = office.desk(town.supervisor)
    desk.open("/casos/?q=video")
    desk.follow("Save as a view", "link")
    expect(desk.field("Query")).to_have_value(re.compile("video"))
    desk.fill("Name", "Asked by camera")
    desk.tab_to(desk.page.get_by_role("radio", name="Only me"))
    desk.press("ArrowDown")
    expect(desk.page.get_by_role("radio", name="My unit")).to_be_checked()
    desk.fill("Query", "state:open chanel:video")
    desk.follow("Save")
    expect(desk.page.locator(".v-errors")).to_contain_text("chanel")
    expect(desk.field("Name")).to_have_value("Asked by camera")
    look(desk, "view-wrong")
    desk.fill("Query", "state:open channel:video")
    desk.choose(desk.page.locator("#id_unit"), "North counter")
    desk.follow("Save")
    expect(desk.page.locator("#rows > tr")).to_contain_text("Asked by video")

    agent = office.desk(town.agent)
    agent.open("/casos/")
    view = agent.page.locator("#views a").filter(has_text="Asked by camera")
    expect(view.locator(".num")).to_have_text("1")
    agent.tab_to(view)
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.locator("#rows > tr")).to_have_count(1)
    look(agent, "view")
    agent.tab_to(agent.page.locator("summary").filter(has_text="This view"))
    agent.press("Enter")
    expect(agent.page.get_by_role("link", name="Change, share or delete")).to_have_count(0)
    agent.follow("Pin it to My day")
    agent.open("/")
    board = agent.page.locator("section[aria-labelledby=board-h]")
    expect(board).to_contain_text("Asked by camera")
    expect(board).to_contain_text("Asked by video")
    look(agent, "pinned")
    southern = office.desk(town.southern)
    southern.open("/casos/")
    expect(southern.page.locator("#views")).not_to_contain_text("Asked by camera")


def test_a_heap_that_was_given_away_is_taken_back(office: Office, town: Town) -> None:
    desk = office.desk(town.supervisor)
    desk.open("/casos/?q=heap+4+or+heap+5")
    rows = desk.page.locator("#rows > tr")
    before = rows.count()
    assert before >= 2
    desk.press(*"jxjx")
    with desk.arriving():
        desk.press("a")
    desk.choose("Assign to", "Leandro Leal")
    desk.follow("Preview")
    expect(desk.page.locator("main")).to_contain_text("Cases: 2. Can be done: 2.")
    expect(desk.page.locator("main dl")).to_contain_text("Leandro Leal")
    look(desk, "bulk-preview")
    desk.follow("Start")
    expect(desk.page.locator("main")).to_contain_text("Done: 2. Refused: 0.")
    desk.follow("Undo…")
    expect(desk.page.locator("main")).to_contain_text("Cases: 2. Can be done: 2.")
    desk.follow("Start")
    expect(desk.page.locator("main")).to_contain_text("Done: 2. Refused: 0.")
    look(desk, "bulk-undone")
    desk.open("/casos/?q=heap+4+or+heap+5")
    expect(rows).to_have_count(before)
    expect(rows.filter(has_text="Leandro Leal")).to_have_count(0)


def test_a_case_goes_to_another_counter_only_when_it_is_accepted(
    office: Office, town: Town
) -> None:
    case = town.cases["handed"]
    desk = office.desk(town.supervisor)
    desk.open(f"/casos/{case.uuid}/trasladar/")
    desk.choose("To which unit", "South counter")
    desk.follow("Offer the transfer")
    expect(desk.page.locator(".v-errors")).to_be_focused()
    expect(desk.field("To which unit").locator("option:checked")).to_contain_text("South counter")
    look(desk, "transfer-wrong")
    desk.fill("Why", "They live in the south.")
    desk.follow("Offer the transfer")
    desk.open(f"/casos/{case.uuid}/")
    expect(desk.page.locator("#case-top")).to_contain_text("North counter")
    look(desk, "transfer-offered-case")
    desk.open("/traslados/?ver=enviados")
    expect(desk.page.locator("main")).to_contain_text(case.reference)

    southern = office.desk(town.southern)
    southern.open(f"/casos/{case.uuid}/")
    expect(southern.page.locator("main")).not_to_contain_text("For the southern counter")
    southern.open("/traslados/")
    look(southern, "transfers")
    southern.follow(case.reference, "link")
    expect(southern.page.locator("main")).to_contain_text("They live in the south.")
    look(southern, "transfer")
    southern.follow("Accept the transfer")
    southern.open(f"/casos/{case.uuid}/")
    expect(southern.page.locator("#case-top")).to_contain_text("South counter")
    desk.open(f"/casos/{case.uuid}/")
    expect(desk.page.locator("#case-top")).to_have_count(0)


def test_while_somebody_is_away_a_colleague_stands_in(office: Office, town: Town) -> None:
    desk = office.desk(town.supervisor)
    desk.open("/reparto/")
    look(desk, "distribution")
    desk.follow("Absences : Leandro Leal", "link")
    today = timezone.localdate()
    day(desk, "First day", today + timedelta(days=2))
    day(desk, "Last day", today + timedelta(days=1))
    desk.choose("Who stands in", "Bruno Bastida")
    desk.follow("Save")
    expect(desk.page.locator(".v-errors")).to_be_focused()
    expect(desk.field("Who stands in").locator("option:checked")).to_have_text("Bruno Bastida")
    look(desk, "absence-wrong")
    day(desk, "Last day", today + timedelta(days=9))
    desk.follow("Save")
    expect(desk.page.locator("main")).to_contain_text("Bruno Bastida stands in")
    look(desk, "absences")
    desk.follow("Remove")
    expect(desk.page.locator("main")).to_contain_text("No absence recorded")


def test_one_person_on_record_twice_becomes_one_and_two_again(office: Office, town: Town) -> None:
    first, second = town.twice
    desk = office.desk(town.supervisor)
    desk.open(f"/ciudadania/{first.uuid}/unificar/?q=Mercedes+Doble")
    look(desk, "merge-choose")
    desk.open(f"/ciudadania/{first.uuid}/unificar/{second.uuid}/")
    desk.follow("Merge the records")
    expect(desk.page.locator(".v-errors")).to_be_focused()
    look(desk, "merge-wrong")
    desk.fill("How do you know that it is the same person?", "She showed her identity card.")
    doubt = desk.page.get_by_label("I have looked at what speaks against it")
    if doubt.count():
        desk.tab_to(doubt)
        desk.press("Space")
    desk.follow("Merge the records")
    cases(desk, f"/ciudadania/{first.uuid}/", "A first request", "A second request")
    look(desk, "merged")
    desk.open(f"/ciudadania/{second.uuid}/")  # the old address leads on
    expect(desk.page).to_have_url(re.compile(str(first.uuid)))
    desk.follow(f"Take back : {second.full_name}", "link")
    desk.fill("Why are they not the same person?", "They are mother and daughter.")
    look(desk, "unmerge")
    desk.follow("Make them two again")
    cases(desk, f"/ciudadania/{second.uuid}/", "A second request")
    expect(desk.page.locator("main")).not_to_contain_text("A first request")


def day(desk: Desk, field: str, on: date) -> None:
    """Write a day as the browser asks for it, beginning with the month."""
    desk.tab_to(desk.field(field))
    desk.type(f"{on:%m%d%Y}")
    expect(desk.field(field)).to_have_value(on.isoformat())


def cases(desk: Desk, address: str, *subjects: str) -> None:
    """What the page of a person tells of their cases."""
    desk.open(address)
    for subject in subjects:
        expect(desk.page.locator("main")).to_contain_text(subject)

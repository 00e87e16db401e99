"""One names another in a note: the other's bell rings, they open the case, follow it and hear of it."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.desk import LATE_MS, Desk, Office
from tests.journeys.test_tasks import look
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def test_a_mention_rings_the_others_bell(office: Office, town: Town) -> None:
    writer, reader = office.desk(town.agent), office.desk(town.colleague)
    all_read(reader)
    case = open_a_case(writer)
    reader.open("/")
    name_them(writer)
    heard(reader)
    open_it(reader, case)
    hear_of_it(writer, reader)
    choose(reader)


def all_read(desk: Desk) -> None:
    """Whatever came before."""
    desk.open("/novedades/")
    with desk.arriving():
        desk.press("m")
    expect(badge(desk)).to_be_hidden()
    look(desk, "news-none")


def badge(desk: Desk) -> Locator:
    """How many updates the bell says."""
    return desk.page.locator(".v-bell [data-count]")


def open_a_case(desk: Desk) -> str:
    desk.open("/casos/nuevo/")
    desk.choose("Case type", "Building permit")
    desk.fill("Subject", "A lamp that two look at")
    desk.follow("Open the case")
    return desk.page.url.split("#")[0]


def name_them(desk: Desk) -> None:
    """The name is completed by keyboard and stands marked in the story."""
    desk.press("n")
    box = desk.page.locator("#composer-text")
    expect(box).to_be_focused()
    desk.type("Could you look at it, @Brun")
    names = desk.page.get_by_role("listbox", name="Colleagues and units")
    expect(names.get_by_role("option").first).to_contain_text("Bruno Bastida")
    look(desk, "mention-offered")
    desk.press("Enter")
    expect(box).to_have_value("Could you look at it, @Bruno Bastida ")
    expect(names).to_be_hidden()
    desk.type("please")
    desk.press("Control+Enter")
    expect(desk.page.locator(".v-mention")).to_have_text("@Bruno Bastida")


def heard(desk: Desk) -> None:
    """Live, without loading anything; what the bell holds is read by keyboard."""
    expect(badge(desk)).to_have_text("1", timeout=LATE_MS)
    bell = desk.page.locator(".v-bell > summary")
    expect(bell).to_have_attribute("aria-label", "Updates: 1 unread update")
    desk.tab_to(bell)
    desk.press("Enter")
    expect(desk.page.locator("#bell-list")).to_contain_text("Alba Agente mentioned you in a note")
    look(desk, "bell-open")


def open_it(desk: Desk, case: str) -> None:
    """The link leads to the case, which the mention has them follow; a key ends that and begins it."""
    desk.tab_to(desk.page.locator("#bell-list a.v-cover").first)
    with desk.arriving():
        desk.press("Enter")
    assert desk.page.url.split("#")[0] == case
    expect(badge(desk)).to_be_hidden()
    expect(desk.control("Following", "button")).to_be_visible()
    for shown in ("Follow", "Following"):
        with desk.arriving():
            desk.press("f")
        expect(desk.control(shown, "button")).to_be_visible()
    desk.tab_to(desk.page.locator("summary", has_text="Who follows it?"))
    desk.press("Enter")
    expect(desk.page.locator(".v-items-tight", has_text="Bruno Bastida")).to_be_visible()
    look(desk, "case-followed")


def hear_of_it(writer: Desk, reader: Desk) -> None:
    """A further note is news for who follows."""
    reader.open("/")
    writer.press("Escape", "n")
    writer.type("It is on again.")
    writer.press("Control+Enter")
    expect(badge(reader)).to_have_text("1", timeout=LATE_MS)
    with reader.arriving():
        reader.press("g", "n")
    expect(reader.page.get_by_role("heading", name="Updates", level=1)).to_be_visible()
    expect(reader.page.locator("main .news-row.is-unread")).to_have_count(1)
    expect(reader.page.locator("main .news-row").first).to_contain_text(
        re.compile(r"2 updates in \w+-\d{4}-\d+")
    )
    look(reader, "news")
    with reader.arriving():
        reader.press("m")
    expect(badge(reader)).to_be_hidden()


def choose(desk: Desk) -> None:
    """Mentions come by e-mail at once from now on."""
    desk.follow("What reaches me", "link")
    look(desk, "news-choices")
    desk.choose("By e-mail: I am mentioned in a note", "At once")
    desk.follow("Save")
    chosen = desk.field("By e-mail: I am mentioned in a note")
    expect(chosen).to_have_value("now")

"""An administrator connects another system, an employee sees what it says, and works on when it is gone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from crm.kit.staticfiles import node_modules
from tests.integrations.receiver import verified
from tests.integrations.servers import Elsewhere, never, saying
from tests.journeys.desk import Desk, Office
from tests.journeys.product import ELSEWHERE
from tests.journeys.test_pages import AXE, EVERYTHING
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

BENEFIT = (
    b'{"benefits": [{"name": "Minimum income", "status": {"text": "In force"}, "amount": 612.4},'
    b' {"name": "Housing aid", "status": {"text": "Ended"}, "amount": 90}]}'
)


@pytest.fixture
def registry() -> Iterator[Elsewhere]:
    """A system of somebody else's, which answers well at first."""
    system = Elsewhere(saying(200, BENEFIT), ELSEWHERE)
    yield system
    system.stop()


def accessible(desk: Desk) -> None:
    desk.page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    assert desk.page.evaluate(AXE, EVERYTHING) == []


def test_a_registry_feeds_the_page_of_a_person_and_may_fail(
    office: Office, town: Town, registry: Elsewhere
) -> None:
    admin = office.desk(town.administrator)
    admin.go("connections", "Connections")
    admin.follow("New connection", "link")
    admin.fill("Name", "Benefits registry")
    admin.fill("Address of the system", registry.address)
    admin.fill("Path", "/people/{number}")
    admin.choose("How we say who we are", "Authorization: Bearer …")
    admin.fill("Key", "a-key-of-theirs")
    admin.fill("Where the list stands in the answer", "benefits")
    admin.fill("What is shown", "Benefit = name\nStatus = status.text\nEuros a month = amount")
    admin.fill("Legal basis", "Ley 39/2015, art. 28.2")
    admin.fill("Seconds to wait", "2")
    admin.fill("Further tries", "0")
    admin.fill("Seconds that an answer counts as fresh", "0")
    admin.follow("Save the connection")
    expect(admin.page.locator("main")).to_contain_text("A key is saved.")
    assert "a-key-of-theirs" not in admin.page.content()

    admin.fill("Identification number to ask about", "99000001H")
    admin.follow("Try it now")
    result = admin.page.locator("main [role=status]").first
    expect(result).to_contain_text("Answered")
    expect(result).to_contain_text("Records: 2.")
    expect(result).not_to_contain_text("Minimum income")
    assert registry.asked[-1].headers["authorization"] == "Bearer a-key-of-theirs"
    accessible(admin)

    agent = office.desk(town.agent)
    agent.open(f"/ciudadania/{town.citizen.uuid}/")
    panel = agent.page.locator("section[aria-labelledby=systems]")
    expect(panel).to_contain_text("Minimum income")
    expect(panel).to_contain_text("612.4")
    expect(panel.locator("tbody tr")).to_have_count(2)
    accessible(agent)

    registry.reply = never  # it takes the question and is silent
    agent.page.reload()
    agent.ready()
    expect(panel.locator("[aria-busy=true]")).to_have_count(1)
    agent.tab_to(agent.page.locator("summary:visible").last)  # the page is there to be worked with
    expect(agent.page.locator("h1")).to_contain_text("Remedios Zafra Quintanilla")
    expect(panel).to_contain_text("No answer in time")
    expect(panel).to_contain_text("As it was:")
    expect(panel).to_contain_text("Minimum income")
    accessible(agent)

    registry.stop()  # and now nobody is there
    agent.page.reload()
    agent.ready()
    expect(panel).to_contain_text("Nobody answers at the address")
    expect(panel).to_contain_text("As it was:")
    agent.follow("New case", "link")
    expect(agent.page.locator("h1")).to_contain_text("New case")

    admin.page.reload()
    admin.open("/integraciones/conexiones/")
    expect(admin.page.locator("main")).to_contain_text("It fails")


def test_another_system_is_told_what_happens(
    office: Office, town: Town, registry: Elsewhere
) -> None:
    registry.reply = saying(204)
    admin = office.desk(town.administrator)
    admin.go("outgoing", "Outgoing events")
    admin.follow("New subscription", "link")
    admin.fill("Name", "Citizens' folder")
    admin.fill("Address that receives the events", f"{registry.address}/events")
    admin.tab_to(admin.page.get_by_label("A case was edited"))
    admin.press("Space")
    admin.follow("Create the subscription")
    secret = admin.page.locator("#secret .num").inner_text()
    accessible(admin)
    admin.follow("Send a test event")
    place = admin.page.url

    agent = office.desk(town.agent)
    agent.open(f"/casos/{town.cases['draft'].uuid}/editar/")
    agent.fill("Subject", "A thought put into words")
    agent.follow("Save")

    log = admin.page.locator("#deliveries > li")
    for _look in range(240):  # the worker comes by every two seconds
        admin.open(place)
        if log.filter(has_text=re.compile("cases.edited.*Delivered", re.DOTALL)).count():
            break
        admin.page.wait_for_timeout(500)
    expect(log).to_have_count(2)
    expect(log.first).to_contain_text("cases.edited")
    expect(log.first).to_contain_text("Delivered")
    told = {verified(asked, secret)["type"] for asked in registry.asked}
    assert told == {"ventanilla.test", "cases.edited"}
    assert all(b"thought" not in asked.body for asked in registry.asked)

    admin.tab_to(log.first.get_by_role("button", name=re.compile("^Send again")))
    with admin.arriving():
        admin.press("Enter")
    expect(admin.page.locator("main")).to_contain_text("event")

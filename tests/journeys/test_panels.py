"""The page of a person who is known to six other systems, of which two hang, one fails and one is not for
everybody: it is there to be worked with meanwhile, each says how it stands, and what one says is kept."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Locator, expect

from crm.integrations.models import Connection
from tests.integrations.servers import Elsewhere, saying
from tests.journeys.desk import Desk, Office
from tests.journeys.product import ELSEWHERE
from tests.journeys.test_studio import look
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

ANSWER = b'{"data": [{"town": "Port Ellery", "since": "2021-04-05"}]}'
SYSTEMS = {
    "Census": "Ley 7/1985, art. 16.3",
    "Pensions": "RDL 8/2015, art. 71",
    "Taxes": "Ley 58/2003, art. 95.1.k",
    "Vehicles": "RDL 6/2015, art. 60",
    "Property": "RDL 1/2004, art. 50",
    "Debts": "Ley 47/2003, art. 10",
}
CONSULT = "integrations.consult_systems"
HANG, FAILS, UNKNOWN, KEPT_FROM = ("Pensions", "Taxes"), "Vehicles", "Property", "Debts"


@dataclass
class Others:
    """Systems of others: two take every question and say nothing until they may."""

    speak: threading.Event = field(default_factory=threading.Event)
    repaired: bool = False

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """What the system in the address says."""
        name = handler.path.split("/")[1]
        if name in HANG:
            self.speak.wait(60)
        elif name == FAILS and not self.repaired:
            saying(500)(handler)
        elif name == UNKNOWN:
            saying(404)(handler)
        else:
            saying(200, ANSWER)(handler)


@pytest.fixture
def others(town: Town) -> Iterator[Others]:
    """Six connections to them, which go again."""
    told = Others()
    server = Elsewhere(told, ELSEWHERE)
    with ThreadPoolExecutor(1) as apart:  # Playwright's loop runs in this thread
        made = apart.submit(_connect, town, server.address).result()
        yield told
        told.speak.set()
        apart.submit(_forget, made).result()
    server.stop()


def _connect(town: Town, address: str) -> list[Connection]:
    """As an administrator would describe them; only the product's own processes may call there."""
    return [
        Connection.objects.create(
            organisation=town.organisation,
            name=name,
            base_url=address,
            path=f"/{name}/{{number}}",
            records_at="data",
            fields=[["Town", "town"], ["Since", "since"]],
            seconds=8,
            retries=0,
            cache_seconds=0,
            legal_basis=basis,
            permission="cases.assign_case" if name == KEPT_FROM else CONSULT,
        )
        for name, basis in SYSTEMS.items()
    ]


def _forget(made: list[Connection]) -> None:
    rows = Connection.objects.unscoped("a journey's own")
    rows.filter(pk__in=[row.pk for row in made]).delete()


def part(desk: Desk, name: str) -> Locator:
    heading = desk.page.get_by_role("heading", name=name, exact=True)
    return desk.page.locator("section[aria-labelledby=systems] section").filter(has=heading)


def test_six_systems_of_which_two_hang_and_one_fails(
    office: Office, town: Town, others: Others
) -> None:
    case = town.cases["draft"]
    agent = office.desk(town.agent)
    agent.open(f"/ciudadania/{town.citizen.uuid}/?case={case.reference}")

    # while two have not answered, the page is there: to be read, and to be worked with
    expect(part(agent, "Census")).to_contain_text("Up to date")
    expect(part(agent, FAILS)).to_contain_text("It answered with an error")
    expect(part(agent, UNKNOWN)).to_contain_text("Nothing on record about this person.")
    expect(part(agent, KEPT_FROM)).to_contain_text("Without permission")
    expect(part(agent, KEPT_FROM)).to_contain_text("assign cases to others in the unit")
    agent.tab_to(agent.page.locator("section[aria-labelledby=timeline] summary"))
    agent.press("Enter")
    agent.tab_to(agent.page.get_by_label("Only what still goes on"))
    with agent.page.expect_response(re.compile("/cronologia/.*abiertos=1")):
        agent.press("Space")
    agent.press("Escape")
    for name in HANG:
        expect(part(agent, name)).to_have_attribute("aria-busy", "true")
        expect(part(agent, name)).to_contain_text("Asking…")
    assert not others.speak.is_set()
    look(agent, "panels-waiting")

    # and then each says how it stands
    for name in HANG:
        expect(part(agent, name)).to_contain_text("No answer in time")
        expect(part(agent, name)).to_contain_text("No answer")
        expect(part(agent, name)).to_contain_text(SYSTEMS[name])
    expect(part(agent, "Census")).to_contain_text("Legal basis: Ley 7/1985, art. 16.3")
    expect(part(agent, "Census")).to_contain_text("shown until:")
    look(agent, "panels-answered")

    others.repaired = True
    agent.tab_to(part(agent, FAILS).get_by_role("button"))
    agent.press("Enter")
    expect(part(agent, FAILS)).to_contain_text("Port Ellery")

    # what one says is kept in the case from which the person was opened
    agent.tab_to(part(agent, "Census").locator("summary"))
    agent.press("Enter")
    agent.tab_to(part(agent, "Census").get_by_role("button", name="Keep as shown"))
    with agent.arriving():
        agent.press("Enter")
    expect(agent.page.locator("h1")).to_have_text("Census")
    expect(agent.page.locator("main")).to_contain_text("Port Ellery")
    expect(agent.page.locator("main")).to_contain_text("As it was shown")
    look(agent, "frozen")
    agent.open(f"/casos/{case.uuid}/")
    expect(agent.page.locator("#timeline")).to_contain_text("kept in the case what Census says")
    agent.tab_to(agent.page.locator("#ctx details > summary").first)
    agent.press("Enter")
    expect(agent.page.locator("#ctx")).to_contain_text("Nothing on record about this person.")
    look(agent, "case-with-answer")

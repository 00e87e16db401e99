"""An administrator compares versions, takes open cases to another and brings a type in as text, by keyboard."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import expect

from cases import services
from cases.models import Case
from tests.cases.test_type_migration import OLD, second
from tests.factories.accounts import acting
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.journeys.desk import LATE_MS, Desk, Office
from tests.journeys.test_studio import look, part
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def made(town: Town) -> list[Case]:
    """Two versions of a type, and three open cases of the first, of which one cannot go along; apart from
    the browser's thread, which waits for nobody."""

    def make() -> list[Case]:
        try:
            kind = CaseTypeFactory(
                organisation=town.organisation, code="rental", name="Rental help", fields=OLD
            )
            data = [{"rent": 400, "pet": "Cat"}, {}, {"rent": 1_000}]
            found = [CaseFactory(unit=town.north, case_type=kind, data=said) for said in data]
            services.publish_version(acting(town.administrator), kind, deepcopy(second()))
            return found
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as apart:
        return apart.submit(make).result()


def test_versions_are_compared_migrated_and_carried(
    office: Office, town: Town, tmp_path: Path
) -> None:
    cases = made(town)
    desk = office.desk(town.administrator)
    desk.open("/organizacion/tipos/rental/")
    part(desk, "Versions and text")
    expect(desk.page.locator(".studio-main")).to_contain_text("Open cases: 3")
    expect(desk.page.locator(".studio-diff").first).to_be_visible()
    look(desk, "versions")
    desk.choose("Between", "Version 2, published")
    desk.choose("and", "Version 2, published")
    desk.follow("Compare")
    expect(desk.page.locator(".studio-main")).to_contain_text("They say the same.")
    text = desk.download("Text of version 1").path().read_text()
    migrate(desk, cases)
    carry(desk, text, tmp_path)


def migrate(desk: Desk, cases: list[Case]) -> None:
    """What vanished is mapped; what would happen is seen before anything does."""
    part(desk, "Open cases")
    look(desk, "open-cases")
    desk.follow("Take those of version 1 to 2", "link")
    expect(desk.page.locator("#dry")).to_contain_text("Of the 3 looked at, 3 would stay.")
    desk.choose("Renta", "It becomes “Precio”")
    desk.choose("pet", "It is left behind, and the case's story keeps it")
    desk.fill("floor", "ground")
    desk.follow("See what would happen")
    expect(desk.page.locator("#dry")).to_contain_text("Of the 3 looked at, 1 would stay.")
    expect(desk.page.locator("#dry")).to_contain_text(cases[2].reference)
    expect(desk.field("floor")).to_have_value("ground")
    look(desk, "dry-run")
    desk.follow("Start")
    done = desk.page.locator(".studio-main")
    expect(done).to_contain_text("Of 3 open cases 2 went along and 1 stayed.", timeout=LATE_MS)
    expect(done).to_contain_text("Renta → Precio")
    look(desk, "migrated")
    file = desk.download("Download all as a file").path().read_text()
    assert cases[2].reference in file
    assert cases[0].reference not in file
    desk.follow("Try again with those that stayed", "link")
    expect(desk.field("floor")).to_have_value("ground")


def carry(desk: Desk, text: str, folder: Path) -> None:
    """A slip in a text is said with its line and word; corrected, it is the draft of a new type."""
    file = folder / "rental.yaml"
    text = text.replace("code: rental\n", "code: rental-copy\n", 1)
    file.write_text(text.replace("initial: new", "initial: nwe"))
    desk.go("case types", "Case types")
    desk.follow("Import a case type", "link")
    desk.choose_file("File", str(file))
    desk.follow("See what it would do")
    would = desk.page.locator("#would")
    line = next(at for at, one in enumerate(text.split("\n"), 1) if one == "initial: new")
    expect(would).to_contain_text(f"Line {line}, column 10, “nwe”")
    look(desk, "import-wrong")
    desk.fill("Text", "")
    desk.page.keyboard.insert_text(text)
    desk.follow("Look again")
    expect(would).to_contain_text("Nothing is wrong")
    look(desk, "import")
    desk.follow("Make it the draft")
    expect(desk.page.locator("h1")).to_have_text("Rental help")
    expect(desk.page.locator("#studio-standing")).to_contain_text("Draft")

"""One product and one browser for all journeys; a fresh office for each."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker

import boot
from tests.journeys.desk import Office
from tests.journeys.product import copied_database, running
from tests.journeys.town import Town, build


@pytest.fixture(scope="package")
def chromium() -> str:
    """Where the browser is."""
    found = next(filter(None, map(shutil.which, boot.BROWSERS)), None)
    if found is None:
        pytest.skip("Chromium is not installed: `python3 boot.py doctor` says how")
    return found


@pytest.fixture(scope="package")
def product_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the product keeps its files."""
    return tmp_path_factory.mktemp("product")


@pytest.fixture
def mailbox(product_place: Path) -> Path:
    """Where the letters are that the product sends."""
    return product_place / "mail"


@pytest.fixture
def _django_db_helper() -> None:
    """In place of pytest-django's transaction around each test marked `django_db`.

    The mark has the tables made; the journeys themselves are of other processes, which commit.
    """


@pytest.fixture(scope="package")
def product(
    chromium: str,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    product_place: Path,
) -> Iterator[tuple[str, Town]]:
    """The address of the running product, and who lives in it.

    The town is built before a browser starts: Playwright's event loop and Django's database do not
    share a thread. From then on everything is done and seen through pages.
    """
    with django_db_blocker.unblock(), copied_database() as database:
        town = build()
        with running(database, product_place) as address:
            yield address, town


@pytest.fixture(scope="package")
def browser(product: tuple[str, Town], chromium: str) -> Iterator[Browser]:
    """The one browser; whoever sits at it has a profile of their own."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def _office(browser: Browser, product: tuple[str, Town]) -> Office:
    return Office(browser, product[0])


@pytest.fixture
def office(_office: Office) -> Iterator[Office]:
    """Desks for whoever is needed; whatever their browsers complain of fails the journey."""
    yield _office
    assert _office.leave() == []


@pytest.fixture
def town(product: tuple[str, Town]) -> Town:
    """Who lives here."""
    return product[1]

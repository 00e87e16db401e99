"""One product and one browser for all journeys; a fresh office for each."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker

import boot
from tests.campaigns.sink import sink
from tests.imap_server import Box, serving
from tests.journeys.desk import Office
from tests.journeys.product import LETTERS, Product, copied_database
from tests.journeys.town import FOREIGN_PORT, Town, build


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


@pytest.fixture(scope="package")
def letters() -> Iterator[Box]:
    """The citizens' mailbox at its provider, from which the product fetches."""
    with serving(LETTERS) as box:
        yield box


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
    letters: Box,
) -> Iterator[tuple[str, Town]]:
    """The address of the running product, and who lives in it.

    The town is built before a browser starts: Playwright's event loop and Django's database do not
    share a thread. From then on everything is done and seen through pages.
    """
    sent = product_place / "mail"
    sent.mkdir()
    with django_db_blocker.unblock(), copied_database() as database, sink(sent) as ledger:
        town = build()
        with Product(
            database, product_place, EMAIL_URL=f"smtp://127.0.0.1:{ledger.port}"
        ) as running:
            yield running.address, town


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


@pytest.fixture
def foreign(office: Office) -> Iterator[str]:
    """A page of another origin that holds the chat by one script tag, under a strict policy of its own."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tag = f'<script src="{office.address}/chat/journeys/widget.js" async></script>'
            body = f'<!doctype html><html lang="en"><title>Elsewhere</title><h1>Elsewhere</h1>{tag}'
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            policy = f"default-src 'none'; script-src {office.address}; frame-src {office.address}"
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", FOREIGN_PORT), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{FOREIGN_PORT}/"
    server.shutdown()
    server.server_close()

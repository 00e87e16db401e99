"""A person at a browser, who works by keyboard alone and whose browser must not complain."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote_plus

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Download,
    Locator,
    Page,
    WebSocketRoute,
    expect,
)

from crm.accounts.models import User
from tests.factories.accounts import PASSWORD

PATIENCE_MS = 30_000
"""Of a machine that does much else; a journey never waits longer than it must."""

expect.set_options(timeout=PATIENCE_MS)

LATE_MS = 6 * PATIENCE_MS
"""For what a worker does when its turn comes: fetch, launch and send by the clock, make a document."""

FOCUSED = "one => one.isConnected ? one === document.activeElement : null"

STOPS = 250
"""More stops of the Tab key than any page has."""

FORM_CAME_BACK = re.compile(r"Failed to load resource: .* a status of (409|422)")
"""What Chromium says of an answer that carries a form back: no fault. Nor is a page that says 404."""


class Desk:
    """One page of one person. Nothing here moves a pointer."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("filechooser", lambda _window: None)  # from now on none of them is a real one

    def _hear(self, said: ConsoleMessage) -> None:
        wrong = said.type == "error" or "Security Policy" in said.text
        of_the_page = "Failed to load" in said.text and said.location["url"] == self.page.url
        if wrong and not of_the_page and not FORM_CAME_BACK.match(said.text):
            self.complaints.append(f"{said.text} ({said.location['url']})")

    def ready(self) -> None:
        """Wait until every controller of the page is connected."""
        self.page.wait_for_selector("html[data-ready]")

    def open(self, address: str) -> None:
        """Write an address into the browser."""
        self.page.goto(address)
        self.ready()

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Write where the focus is."""
        self.page.keyboard.type(text)

    def tab_to(self, target: Locator) -> Locator:
        """Press Tab until the target has the focus, as somebody without a mouse must.

        What is live may be drawn anew meanwhile: then it is the new one that is looked for.
        """
        expect(target).to_be_attached()
        element = target.element_handle()
        for _stop in range(STOPS):
            focused = element.evaluate(FOCUSED)
            if focused:
                return target
            if focused is None:
                element = target.element_handle()
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {target}")

    def field(self, label: str) -> Locator:
        """The control of exactly that label, whether or not it must be filled in."""
        words = re.compile(rf"^\s*{re.escape(label)}(\s*\(optional\))?\s*$")
        return self.page.get_by_label(words).locator("visible=true")

    def fill(self, field: str | Locator, text: str) -> None:
        """Tab to a field and put the text there in place of what it holds."""
        self.tab_to(self.field(field) if isinstance(field, str) else field)
        self.press("Control+a")
        self.type(text)

    def seek(self, field: Locator, words: str) -> None:
        """Type into a field that searches while one types, and wait until all of the words are answered:
        what a part of them found may stand there before, and is taken away again."""
        with self.page.expect_response(lambda answer: f"={words}" in unquote_plus(answer.url)):
            self.fill(field, words)
        expect(field).not_to_have_class(re.compile("htmx-request"))

    def choose(self, field: str | Locator, option: str) -> None:
        """Tab to a list of choices and go down to one."""
        choices = self.tab_to(self.field(field) if isinstance(field, str) else field)
        self.press("Home")
        for _choice in range(choices.locator("option").count()):
            if choices.evaluate("one => one.selectedOptions[0].text.trim()") == option:
                return
            self.press("ArrowDown")
        raise AssertionError(f"{option} cannot be chosen at {choices}")

    def use(self, name: str, role: str = "button") -> None:
        """Tab to a button or link of that name and press it."""
        self.tab_to(self.control(name, role))
        self.press("Enter")

    def control(self, name: str, role: str) -> Locator:
        """What is called so; after the name may stand the key that leads there."""
        words = re.compile(rf"^\s*{re.escape(name)}(\s+(\w|Ctrl ↵))?\s*$")
        return self.page.get_by_role(role, name=words).locator("visible=true").first  # type: ignore[arg-type]

    def follow(self, name: str, role: str = "button") -> None:
        """Press what leads to another page and wait for it."""
        self.tab_to(self.control(name, role))
        with self.arriving():
            self.press("Enter")

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """What is done inside leads to another page, which is ready afterwards."""
        with self.page.expect_navigation(wait_until="load"):
            yield
        self.ready()

    def choose_file(self, label: str, path: str) -> None:
        """Open the browser's own window for files with the keyboard and choose one there."""
        self.tab_to(self.field(label))
        with self.page.expect_file_chooser() as chooser:
            self.press("Enter")
        chooser.value.set_files(path)

    def download(self, name: str) -> Download:
        """Press a link or button that answers with a file."""
        self.tab_to(self.control(name, "link"))
        with self.page.expect_download() as download:
            self.press("Enter")
        return download.value

    def breakable_link(self) -> "Link":
        """From the next page on the live link passes through a hand that can cut it."""
        return Link(self.context)

    def go(self, words: str, place: str) -> None:
        """Find a place in the palette by some of its words and go there."""
        self.press("Control+k")
        self.type(words)
        found = self.page.locator("#palette [role=option][aria-selected=true]")
        expect(found).to_contain_text(place)
        with self.arriving():
            self.press("Enter")


class Link:
    """The live link of a desk, led through us on its way to the product."""

    def __init__(self, context: BrowserContext) -> None:
        self.whole = True
        self.open: list[WebSocketRoute] = []
        context.route_web_socket(re.compile("/ws/$"), self._lead)

    def _lead(self, socket: WebSocketRoute) -> None:
        if self.whole:
            socket.connect_to_server()
            self.open.append(socket)
        else:
            socket.close()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """As long as it lasts no link holds."""
        self.whole = False
        for socket in self.open:
            socket.close()
        yield
        self.whole = True


class Office:
    """Everybody's desks; who has signed in once need not do it again."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        self.address = address
        self.cookies: dict[str, object] = {}
        self.desks: list[Desk] = []

    def visitor(self, width: int = 1440, height: int = 900) -> Desk:
        """Somebody who is not signed in."""
        return self._desk(None, width, height)

    def desk(self, user: User, width: int = 1440, height: int = 900) -> Desk:
        """A browser in which the user is signed in and at home."""
        desk = self._desk(self.cookies.get(user.email), width, height)
        if user.email in self.cookies:
            desk.open("/")
        else:
            sign_in(desk, user)
            self.cookies[user.email] = desk.context.storage_state()
        return desk

    def _desk(self, cookies: object, width: int, height: int) -> Desk:
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            locale="en",
            storage_state=cookies,  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE_MS)
        self.desks.append(Desk(context))
        return self.desks[-1]

    def leave(self) -> list[str]:
        """Close every desk; what their browsers complained of."""
        complaints = [text for desk in self.desks for text in desk.complaints]
        for desk in self.desks:
            desk.context.close()
        self.desks.clear()
        return complaints


def sign_in(desk: Desk, user: User) -> None:
    """Go through the door with address and password."""
    desk.open("/entrar/")
    desk.fill("Email", user.email)
    desk.fill("Password", PASSWORD)
    with desk.arriving():
        desk.press("Enter")
    expect(desk.page).not_to_have_url(re.compile("/entrar/"))

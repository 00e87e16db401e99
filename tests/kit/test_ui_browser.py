"""The frame and its components in a real browser: accessibility, keyboard, drafts, live link."""

import re
import shutil
from collections.abc import Iterator
from types import ModuleType
from typing import Literal
from urllib.parse import parse_qs

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import override_settings
from django.test.testcases import LiveServerThread
from django.urls import include, path
from playwright.sync_api import Browser, FilePayload, Page, Route, expect, sync_playwright

import boot
from crm.kit.public import PublicDoor, doors
from crm.kit.staticfiles import node_modules

CHROMIUM = next(filter(None, map(shutil.which, boot.BROWSERS)), None)
pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

urls = ModuleType("showcase_urls")
vars(urls)["urlpatterns"] = [path("", include("crm.kit.showcase"))]

AXE = """axe.run(document, {preload: false, resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
  .then((result) => result.violations.map(
    (broken) => broken.id + ": " + broken.nodes.map((node) => node.target.join(" ")).join(", ")))"""
"""preload would make axe fetch the style sheets and write an inline one, which the policy forbids."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The showcase without a database and the rooms' addresses: its public doors are made up."""
    made_up = {
        "one": PublicDoor("Procedures and answers", "file-text", lambda code: f"/one/{code}/"),
        "other": PublicDoor("Appointments", "calendar", lambda code: f"/other/{code}/"),
    }
    with (
        override_settings(ROOT_URLCONF=urls, DEBUG=True),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(doors, "_entries", made_up)
        thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
        thread.daemon = True
        thread.start()
        thread.is_ready.wait()
        assert thread.error is None
        yield f"http://127.0.0.1:{thread.port}"
        thread.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def ready(page: Page) -> None:
    """Wait until every controller of the page is connected."""
    page.wait_for_selector("html[data-ready]")


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """The showcase on a wide screen; whatever the browser complains of fails the test."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        base_url=server,
        reduced_motion="reduce",
        locale="en",
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda said: complaints.append(said.text) if "Security Policy" in said.text else None,
    )
    opened.goto("/componentes/")
    ready(opened)
    yield opened
    context.close()
    assert complaints == []


@pytest.mark.parametrize(
    ("layout", "theme", "width"),
    [
        *[("", theme, width) for theme in ("light", "dark") for width in (1440, 390)],
        ("", "contrast", 1440),
        *[(layout, "light", 1440) for layout in ("public", "auth")],
        *[(layout, "dark", 390) for layout in ("public", "auth")],
    ],
)
def test_every_layout_is_accessible(
    browser: Browser, server: str, layout: str, theme: str, width: int
) -> None:
    scheme: Literal["dark", "light"] = "dark" if theme == "dark" else "light"
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en"
    )
    page = context.new_page()
    page.goto(f"{server}/componentes/?theme={theme}&layout={layout}")
    ready(page)
    page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    assert page.evaluate(AXE) == []
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    if not layout:
        assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")
    context.close()


def test_palette_and_map_are_accessible_when_open(page: Page) -> None:
    page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    assert page.evaluate(AXE) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("New case")
    assert page.evaluate(AXE) == []


def test_the_palette_finds_ignoring_accents_and_gives_focus_back(page: Page) -> None:
    opener = page.get_by_role("button", name="Open a dialog")
    opener.focus()
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search or write an action")
    expect(box).to_be_focused()
    box.fill("cÁses")
    expect(page.locator("#palette [role=option]:visible")).to_have_text("Casesgc")
    expect(box).to_have_attribute("aria-activedescendant", "palette-cases")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("cases")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#cases$"))


def test_keys_go_places_unless_someone_types_or_switched_them_off(page: Page) -> None:
    reference = page.locator("#id_reference")
    reference.fill("")
    reference.press_sequentially("g c/?")
    expect(reference).to_have_value("g c/?")
    assert not page.url.endswith("#cases")
    reference.blur()
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("#cases$"))
    page.keyboard.press("?")
    page.get_by_label("Single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()


def test_rows_by_keyboard_and_the_bulk_bar(page: Page) -> None:
    bar = page.get_by_role("region", name="Actions on the selection")
    expect(bar).to_be_hidden()
    for key in "jjxjx":
        page.keyboard.press(key)
    expect(bar).to_contain_text("Selected: 2")
    expect(page.locator("[data-rows] tr[aria-selected=true]")).to_have_count(2)
    expect(page.get_by_role("link", name="INP-2026-0048103")).to_be_focused()
    page.get_by_label("Select INP-2026-0048101").click()
    page.get_by_label("Select INP-2026-0048105").click(modifiers=["Shift"])
    expect(bar).to_contain_text("Selected: 5")
    expect(page.get_by_label("Select all")).to_be_checked()
    page.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()


def test_drafts_survive_reload_and_never_change_paper(page: Page) -> None:
    box = page.locator("#composer-text")
    page.keyboard.press("n")
    expect(box).to_be_focused()
    box.fill("Only for colleagues")
    expect(page.locator("[data-status]")).to_contain_text("Draft saved")
    key = page.locator("#composer [name=idempotency_key]").input_value()
    assert len(key) == 32
    page.get_by_role("button", name="Reply").click()
    expect(box).to_have_value("")
    box.fill("For the citizen")
    page.reload()
    ready(page)
    expect(box).to_have_value("For the citizen")
    page.locator("#composer").get_by_role("button", name="Internal note").click()
    expect(box).to_have_value("Only for colleagues")
    expect(page.locator("#composer [name=idempotency_key]")).to_have_value(key)
    expect(page.locator("#composer [name=mode]")).to_have_value("note")


def test_a_sent_note_clears_its_draft_and_a_failed_one_stays(page: Page) -> None:
    box = page.locator("#composer-text")
    posted: list[str] = []

    def refuse_first(route: Route) -> None:
        posted.append("refused" if not posted else "saved")
        if len(posted) == 1:
            problem = "application/problem+json"
            route.fulfill(status=403, json={"detail": "Not your case"}, content_type=problem)
        else:
            note = "<article class='v-note'>Saved</article>"
            route.fulfill(body=note, content_type="text/html")

    page.route("**/componentes/?note", refuse_first)
    page.keyboard.press("n")
    box.fill("A note")
    key = page.locator("#composer [name=idempotency_key]").input_value()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Not your case")).to_be_visible()
    expect(box).to_have_value("A note")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#timeline")).to_contain_text("Saved")
    expect(box).to_have_value("")
    assert page.locator("#composer [name=idempotency_key]").input_value() != key
    page.reload()
    ready(page)
    page.keyboard.press("n")
    expect(box).to_have_value("")
    assert posted == ["refused", "saved"]


def test_what_the_citizen_said_is_kept_with_its_channel_until_it_is_taken(page: Page) -> None:
    box, channel = page.locator("#composer-text"), page.get_by_label("Channel")
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.post_data or "")
        body = "<article class='v-msg'>Written down</article>"
        route.fulfill(**({"status": 500} if len(sent) == 1 else {"body": body}))  # type: ignore[arg-type]

    page.route("**/componentes/?said", answer)
    expect(channel).to_be_hidden()
    page.keyboard.press("d")
    expect(box).to_be_focused()
    page.keyboard.type("She will bring it on Monday")
    page.keyboard.press("Control+Enter")
    expect(channel).to_be_focused()  # the browser asks for it; nothing is sent
    assert sent == []
    channel.select_option("Phone")
    page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    assert page.evaluate(AXE) == []
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.reload()
    ready(page)
    expect(box).to_have_value("")
    page.keyboard.press("d")
    expect(box).to_have_value("She will bring it on Monday")
    expect(channel).to_have_value("phone")
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator("#timeline")).to_contain_text("Written down")
    expect(box).to_have_value("")
    expect(channel).to_have_value("")
    first, second = (parse_qs(words) for words in sent)
    assert first["channel"] == ["phone"]
    assert first["idempotency_key"] == second["idempotency_key"]
    page.locator("#composer").get_by_role("button", name="Reply").click()
    expect(channel).to_be_hidden()
    expect(channel).to_be_disabled()


@pytest.mark.parametrize("status", [409, 422])
def test_what_cannot_be_sent_is_told_and_stays_written(page: Page, status: int) -> None:
    page.route(
        "**/componentes/?note",
        lambda route: route.fulfill(
            status=status,
            json={"detail": "It is too long"},
            content_type="application/problem+json",
        ),
    )
    page.keyboard.press("n")
    page.locator("#composer-text").fill("A very long note")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="It is too long")).to_be_visible()
    expect(page.locator("#composer-text")).to_have_value("A very long note")
    expect(page.locator("#timeline")).not_to_contain_text("too long")
    page.reload()
    ready(page)
    page.keyboard.press("n")
    expect(page.locator("#composer-text")).to_have_value("A very long note")


def test_what_is_written_offline_is_sent_once_when_the_network_returns(page: Page) -> None:
    tries: list[str | None] = []

    def answer(route: Route) -> None:
        request = route.request
        tries.append(request.post_data)
        if len(tries) == 1:
            route.abort()
        else:
            route.fulfill(body="<article class='v-note'>Arrived</article>")

    page.route("**/componentes/?note", answer)
    page.keyboard.press("n")
    page.locator("#composer-text").fill("Written in a tunnel")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="You are offline.")).to_be_visible()
    expect(page.locator("#composer-text")).to_have_value("Written in a tunnel")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#timeline")).to_contain_text("Arrived")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    assert len(tries) == 2
    assert tries[0] == tries[1]


def test_a_theme_that_the_server_refuses_is_taken_back(page: Page) -> None:
    page.route("**/preferences", lambda route: route.fulfill(status=500))
    page.evaluate(
        "document.querySelector('[data-set=theme]').closest('[data-url]').dataset.url = 'preferences'"
    )
    page.get_by_label("Nuria Sanchís: appearance and account").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.get_by_role("alert").filter(has_text="could not be done")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "auto")


def test_menus_close_by_escape_and_give_focus_back(page: Page) -> None:
    summary = page.locator("summary", has_text="More actions")
    summary.click()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Transfer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Transfer")).to_be_hidden()
    expect(summary).to_be_focused()


def test_files_of_the_wrong_kind_and_size_are_refused_by_name(page: Page) -> None:
    page.locator("#upload").set_input_files(
        [
            FilePayload(name="virus.exe", mimeType="application/x-msdownload", buffer=b"MZ"),
            FilePayload(name="ok.pdf", mimeType="application/pdf", buffer=b"%PDF"),
        ]
    )
    refused = page.locator("[data-list] .is-refused")
    expect(refused).to_have_text("We cannot accept “virus.exe”. Accepted formats: PDF, JPEG.")
    assert page.evaluate("[...document.getElementById('upload').files].map((f) => f.name)") == [
        "ok.pdf"
    ]


def test_the_rail_folds_and_the_lost_link_is_told(page: Page) -> None:
    fold = page.locator("[data-controller=rail]")
    expect(fold).to_have_attribute("aria-expanded", "true")
    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "false")
    assert page.evaluate("document.querySelector('.v-rail').offsetWidth") == 68
    expect(page.locator("#link-down")).to_contain_text("Live connection lost", timeout=6000)


def test_a_masked_number_is_asked_of_the_server_and_covered_again(page: Page) -> None:
    page.clock.install()
    page.route("**/componentes/?show", lambda route: route.fulfill(json={"value": "12345678Z"}))
    masked = page.locator(".v-masked")
    page.get_by_role("button", name="Show NIF in full").click()
    expect(masked).to_contain_text("12345678Z")
    page.clock.run_for(31_000)
    expect(masked).not_to_contain_text("12345678Z")
    expect(masked).to_contain_text("•••••743•")


def test_tabs_have_one_stop_and_move_by_arrows(page: Page) -> None:
    page.get_by_role("tab", name="History").focus()
    page.keyboard.press("ArrowRight")
    documents = page.get_by_role("tab", name="Documents")
    expect(documents).to_be_focused()
    expect(documents).to_have_attribute("aria-selected", "true")
    expect(page.locator("#panel-history")).to_be_hidden()
    assert page.locator("[role=tab][tabindex='-1']").count() == 1
    page.reload()
    expect(page.locator("#panel-documents")).to_be_visible()


def test_a_menu_stays_open_when_its_part_is_drawn_anew(page: Page) -> None:
    """A colleague's change came over the socket and closed the menu under one's hands."""
    page.locator("details.v-menu > summary").first.click()
    page.evaluate("""() => {
      const menu = document.querySelector("details.v-menu");
      const anew = menu.cloneNode(true);
      anew.open = false;
      anew.dataset.drawn = "anew";
      Idiomorph.morph(menu, anew.outerHTML);
    }""")
    expect(page.locator("details.v-menu[data-drawn=anew]")).to_have_attribute("open", "")


def test_a_map_is_drawn_over_its_words(page: Page) -> None:
    figure = page.locator(".v-map").first
    figure.scroll_into_view_if_needed()
    expect(figure.locator(".v-map-view")).to_be_visible()
    expect(figure.locator("figcaption")).to_contain_text("39.4699, -0.3763")


def test_a_point_is_picked_by_a_click_or_by_typing_and_none_is_shown_before(page: Page) -> None:
    figure = page.locator(".v-map").last
    figure.scroll_into_view_if_needed()
    expect(figure.locator(".leaflet-container")).to_be_visible()
    expect(figure.locator(".v-map-point")).to_have_count(0)
    latitude, longitude = page.locator("#sample-latitude"), page.locator("#sample-longitude")
    figure.locator(".v-map-view").click()  # its middle is where it begins
    expect(latitude).to_have_value(re.compile(r"^(40\.0|39\.9)\d+$"))
    expect(longitude).to_have_value(re.compile(r"^-(4\.0|3\.9)\d+$"))
    expect(figure.locator("figcaption")).to_contain_text(latitude.input_value())
    expect(figure.locator(".v-map-point")).to_be_visible()
    longitude.fill("999")
    expect(figure.locator(".v-map-point")).to_have_count(0)
    longitude.fill("-3.5")
    expect(figure.locator("figcaption")).to_contain_text("-3.5")
    expect(figure.locator(".v-map-point")).to_be_visible()


def test_a_map_without_tiles_is_a_grid_beside_its_words(page: Page) -> None:
    page.route(re.compile(r"favicon\.svg\?"), lambda route: route.abort())
    page.reload()
    ready(page)
    figure = page.locator(".v-map").first
    expect(figure.locator(".v-map-cell").first).to_contain_text(re.compile(r"^39\.4\d+, -0\.3\d+$"))
    expect(figure.locator(".v-map-view .v-map-point")).to_be_visible()
    expect(figure.locator("figcaption")).to_contain_text("39.4699, -0.3763")


LIVE = """() => {
  window.sockets = [];
  window.WebSocket = class extends EventTarget {
    static OPEN = 1;
    constructor(url) { super(); this.url = url; this.readyState = 0; this.sent = [];
      window.sockets.push(this);
      setTimeout(() => {
        this.readyState = 1;
        this.dispatchEvent(new Event("open"));
        document.documentElement.dataset.sockets = window.sockets.length;
      }); }
    send(text) { this.sent.push(JSON.parse(text)); }
    close(code = 1006) { this.readyState = 3; this.dispatchEvent(Object.assign(new Event("close"), {code})); }
    tell(message) { this.dispatchEvent(new MessageEvent("message", {data: JSON.stringify(message)})); }
  };
}"""


def test_live_patches_come_once_and_in_order_across_a_break(browser: Browser, server: str) -> None:
    context = browser.new_context(base_url=server, locale="en")
    page = context.new_page()
    page.add_init_script(f"({LIVE})()")
    page.goto("/componentes/")
    ready(page)
    page.evaluate(
        """async () => {
          window.heard = []; window.resyncs = 0;
          const live = await import("/static/js/lib/live.js");
          live.subscribe("case:1", {
            patch: (patch, seq) => window.heard.push([seq, patch.text]),
            resync: () => { window.resyncs += 1; },
          }, 4);
        }"""
    )
    page.wait_for_selector("html[data-sockets='1']")
    assert page.evaluate("window.sockets.length") == 1
    assert page.evaluate("window.sockets[0].sent") == [
        {"type": "subscribe", "stream": "case:1", "after": 4}
    ]
    page.evaluate(
        """() => { const [socket] = window.sockets;
          const event = (seq) => ({type: "event", stream: "case:1", seq, patch: {text: `n${seq}`}});
          socket.tell(event(5)); socket.tell(event(5)); socket.tell(event(8));
          socket.tell({...event(6), stream: "case:2"}); }"""
    )
    assert page.evaluate("window.heard") == [[5, "n5"]]
    assert page.evaluate("window.sockets[0].sent.at(-1)") == {
        "type": "subscribe",
        "stream": "case:1",
        "after": 5,
    }
    page.evaluate("window.sockets[0].close()")
    page.wait_for_selector("html[data-sockets='2']")
    assert page.evaluate("window.sockets[1].sent[0].after") == 5
    page.evaluate("window.sockets[1].tell({type: 'resync', stream: 'case:1', seq: 40})")
    page.evaluate("window.sockets[1].close(4403)")
    page.wait_for_timeout(1500)
    assert page.evaluate("[window.resyncs, window.sockets.length]") == [1, 2]
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_toast_covers_neither_the_page_nor_the_button_that_sends(page: Page, width: int) -> None:
    # regression: on a narrow screen with a composer it was stretched over the whole height
    page.set_viewport_size({"width": width, "height": 844})
    page.evaluate(
        """document.body.insertAdjacentHTML("beforeend",
            `<form class="v-composer"></form>
            <div class="v-toasts" id="told"><div class="v-toast">It is done.</div></div>`)"""
    )
    box = page.locator("#told").bounding_box()
    assert box is not None
    assert box["height"] < 100
    assert box["y"] + box["height"] < 844 / 2

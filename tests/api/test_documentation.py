"""The schema and the page that shows it."""

import json
import shutil
from collections.abc import Iterator

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test.testcases import LiveServerThread
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from crm.api import written

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def test_the_schema_is_for_everybody_in_json_and_yaml(db: None) -> None:
    client = Client()
    as_json = client.get("/api/v1/schema/")
    assert as_json["Content-Type"] == "application/vnd.oai.openapi+json"
    described = json.loads(as_json.content)
    assert described["openapi"].startswith("3.1")
    as_yaml = client.get("/api/v1/schema/?format=yaml")
    assert as_yaml["Content-Type"] == "application/vnd.oai.openapi"
    assert as_yaml.content.startswith(b"openapi: 3.1")
    asked = client.get("/api/v1/schema/", headers={"Accept": "text/yaml"})
    assert asked.content == as_yaml.content


def test_every_operation_says_what_it_may_answer(db: None) -> None:
    described = json.loads(Client().get("/api/v1/schema/").content)
    names = []
    for address, methods in described["paths"].items():
        for method, operation in methods.items():
            names.append(operation["operationId"])
            assert operation["summary"], (method, address)
            assert operation["security"] == [{"apiKey": []}, {"session": []}]
            assert {"400", "401", "403", "429", "503"} <= set(operation["responses"])
            taken = operation.get("parameters", ())  # one may take none at all
            headers = {p["name"] for p in taken if p["in"] == "header"}
            assert ("Idempotency-Key" in headers) is (method != "get"), (method, address)
    assert len(names) == len(set(names))


@pytest.fixture
def server() -> Iterator[str]:
    """The product without a database: nobody is signed in to look at the schema."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.mark.journey
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_page_shows_it_without_breaking_the_content_security_policy(server: str) -> None:
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        said.append(message.text)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page: Page = browser.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{server}/api/v1/docs/")
        page.locator(".opblock-summary").first.click()
        page.locator(".opblock-body .responses-wrapper").first.wait_for()
        foreign = [frame.url for frame in page.frames if server not in frame.url]
        browser.close()
    assert said == []
    assert foreign == []


# it draws only what stands in sight: who scrolls down comes by every operation
SCROLLED = """async () => {
    const seen = new Set();
    for (let y = 0; y < document.body.scrollHeight; y += 300) {
        window.scrollTo(0, y);
        await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
        document.querySelectorAll(".opblock").forEach(one => seen.add(one.id));
    }
    return seen.size;
}"""


@pytest.mark.journey
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_who_scrolls_down_comes_by_every_operation(server: str) -> None:
    paths = json.loads(written(False))["paths"].values()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page: Page = browser.new_page()
        page.goto(f"{server}/api/v1/docs/")
        page.locator(".opblock-summary").first.wait_for()
        seen = page.evaluate(SCROLLED)
        browser.close()
    assert seen == sum(len(methods) for methods in paths) > 100

"""No document reads our files or calls anyone, whatever a citizen wrote into it (B2.8).

osTicket's CVE-2026-22200 and WeasyPrint's GHSA-35jj-wx47-4w8r, GHSA-983w-rhvv-gwmv and
CVE-2026-55073 are the cases in mind: a canary file and a canary listener must stay untouched.
"""

import base64
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from crm.kit import pdf

SECRET = "CANARYSECRET"


@dataclass
class Canary:
    """A file and a listener that nobody may touch."""

    file: Path
    port: int = 0
    hits: list[str] = field(default_factory=list)

    @property
    def targets(self) -> dict[str, str]:
        here = f"127.0.0.1:{self.port}"
        return {
            "file": self.file.as_uri(),
            "path": str(self.file),
            "file with query": f"{self.file.as_uri()}?x#y",
            "FILE": f"FILE://localhost{self.file}",
            "http": f"http://{here}/hit.css",
            "redirect to file": f"http://{here}/to-file",
            "decimal host": f"http://2130706433:{self.port}/hit",
            "mapped host": f"http://[::ffff:127.0.0.1]:{self.port}/hit",
            "user": f"http://user:word@{here}/hit",
            "protocol-relative": f"//{here}/hit",
            "ftp": f"ftp://{here}/hit",
            "asset tricks": f"asset:../../..{self.file}",
            "data html": "data:text/css,@import%20url(http://" + here + "/hit)",
            "svg inside": "data:image/svg+xml;base64,"
            + base64.b64encode(
                f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
                f'<image href="http://{here}/hit" xlink:href="{self.file.as_uri()}" width="9" height="9"/>'
                f'<use href="http://{here}/hit#a"/><style>@import url(http://{here}/hit);</style>'
                "</svg>".encode()
            ).decode(),
            "xxe inside": "data:image/svg+xml;base64,"
            + base64.b64encode(
                f'<!DOCTYPE s [<!ENTITY x SYSTEM "{self.file.as_uri()}">'
                f'<!ENTITY % y SYSTEM "http://{here}/hit"> %y;]>'
                '<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>'.encode()
            ).decode(),
        }


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    file = tmp_path / "canary.css"
    file.write_text(f"body::before {{ content: '{SECRET}' }}")
    canary = Canary(file)

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            canary.hits.append(self.path)
            self.send_response(302)
            self.send_header("Location", canary.file.as_uri())
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    canary.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield canary
    server.shutdown()
    server.server_close()


CARRIERS = [
    "<img src='{url}'>",
    "<img srcset='{url} 2x'>",
    "<link rel=stylesheet href='{url}'>",
    "<link rel=attachment href='{url}' title=x>",
    "<a rel=attachment href='{url}'>x</a>",
    "<style>@import url({url});</style>",
    "<style>@import '{url}' print;</style>",
    "<p style='background: url({url})'>x</p>",
    "<p style='list-style-image: url({url}); display: list-item'>x</p>",
    "<p style='border-image: url({url}) 1; border: 1px solid'>x</p>",
    "<style>p::before {{ content: url({url}) }}</style><p>x</p>",
    "<style>@font-face {{ font-family: F; src: url({url}) }}</style><p style='font: 1em F'>x</p>",
    "<object data='{url}'>x</object>",
    "<embed src='{url}'>",
    "<iframe src='{url}'></iframe>",
    "<video poster='{url}' src='{url}'></video>",
    "<svg><image href='{url}' xlink:href='{url}' width=9 height=9 /><use href='{url}#a' /></svg>",
    "<svg><rect fill='url({url}#p)' filter='url({url}#f)' mask='url({url}#m)' width=9 height=9 /></svg>",
    "<input type=image src='{url}'>",
    "<body background='{url}'>",
    "<meta http-equiv=refresh content='0;url={url}'>",
    "<script src='{url}'></script>",
    (
        "<style>p {{ content: target-text('{url}') }} a::after {{ content: target-counter(attr(href), page) }}"
        "</style><a href='{url}'>x</a>"
    ),
]


@pytest.mark.parametrize("carriers", [CARRIERS[::2], CARRIERS[1::2]], ids=["even", "odd"])
def test_no_reference_reaches_a_file_or_a_listener(canary: Canary, carriers: list[str]) -> None:
    html = "".join(
        carrier.format(url=url) for carrier in carriers for url in canary.targets.values()
    )
    document = pdf.render(html, assets={}, language="es", title="Historia")
    assert canary.hits == []
    assert_holds_nothing(document)


def test_a_base_element_moves_no_reference(canary: Canary) -> None:
    for base in (canary.file.parent.as_uri() + "/", f"http://127.0.0.1:{canary.port}/"):
        html = f"<base href='{base}'>" + "".join(
            carrier.format(url="canary.css") for carrier in CARRIERS
        )
        assert_holds_nothing(pdf.render(html, assets={}, language="es", title="Historia"))
    assert canary.hits == []


def assert_holds_nothing(document: bytes) -> None:
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(document))
    assert SECRET not in text
    with pikepdf.open(io.BytesIO(document)) as opened:
        assert len(opened.attachments) == 0
        for thing in opened.objects:
            if isinstance(thing, pikepdf.Stream) and thing.get("/Type") != "/ObjStm":
                assert SECRET.encode() not in thing.read_raw_bytes()
                assert "/Filter" not in thing or SECRET.encode() not in thing.read_bytes()


def test_a_registered_asset_is_shown_and_its_own_references_are_not(canary: Canary) -> None:
    css = f"p::before {{ content: 'FROMASSET' }} @import url({canary.targets['http']});".encode()
    document = pdf.render(
        "<link rel=stylesheet href='asset:case.css'><p>x</p>",
        assets={"case.css": css},
        language="es",
        title="Historia",
    )
    text = pypdfium2.PdfDocument(document)[0].get_textpage().get_text_range()
    assert "FROMASSET" in text
    assert canary.hits == []


def test_a_colour_profile_reaches_nothing_though_it_ends_the_document(canary: Canary) -> None:
    html = f"<style>@color-profile --c {{ src: url({canary.targets['http']}) }}</style><p>x"
    with pytest.raises(pdf.PdfError) as caught:
        pdf.render(html, assets={}, language="es", title="Historia")
    assert caught.value.code == "pdf_failed"
    assert canary.hits == []


@pytest.mark.parametrize(
    ("bomb", "code"),
    [
        (("<table><tr><td>" * 25 + "x" + "</table>" * 25) * 3000, "pdf_timeout"),
        ("<table><tr><td style='width: 50%'>" * 400 + "x", "pdf_too_complex"),
        ("<div style='display: flex'><div style='display: grid'>" * 50 + "x", "pdf_timeout"),
        ("<p>" + "a" * 30_000_000, "pdf_timeout"),
        ("<div>" * 200_000, "pdf_timeout"),
        ("<style>" + "aaaaaaaaaa{color:red}" * 2_000_000 + "</style>", "pdf_timeout"),
    ],
    ids=["tables", "nesting", "flex", "paragraph", "depth", "style"],
)
def test_a_bomb_ends_in_time_with_a_sentence(bomb: str, code: str) -> None:
    started = time.monotonic()
    patience = 1.5 if code == "pdf_timeout" else 30  # what is too complex is not to be late first
    with pytest.raises(pdf.PdfError) as caught:
        pdf.render(bomb, assets={}, language="es", title="Historia", timeout=patience)
    assert caught.value.code == code
    assert time.monotonic() - started < patience + 6


def test_an_entity_bomb_in_an_image_does_not_stop_the_document() -> None:
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    svg = f'<!DOCTYPE s [<!ENTITY l0 "ha">{lol}]><svg xmlns="http://www.w3.org/2000/svg"><text>&l11;</text></svg>'
    url = "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
    document = pdf.render(f"<img src='{url}'><p>still here", assets={}, language="es", title="H")
    assert "still here" in pypdfium2.PdfDocument(document)[0].get_textpage().get_text_range()

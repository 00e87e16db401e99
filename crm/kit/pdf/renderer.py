"""Runs inside the sandbox: lays out one HTML document as a tagged PDF, fetching nothing.

The payload is JSON: html, language, title and the assets by name (base64).
"""

import base64
import json
import logging
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO
from urllib.parse import unquote

from PIL import Image
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

MEDIA_TYPES = {
    ".css": "text/css",
    ".jpg": "image/jpeg",
    ".otf": "font/otf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
OPTIONS = {"pdf_variant": "pdf/ua-1", "pdf_tags": True}

Image.MAX_IMAGE_PIXELS = 25_000_000  # Pillow refuses from twice as many; the image is left out


class AssetsOnly(URLFetcher):
    """Knows the registered assets (`asset:name`) and `data:` images; refuses all else."""

    def __init__(self, assets: dict[str, bytes]) -> None:
        super().__init__(allowed_protocols={"data"}, allow_redirects=False)
        self._assets = assets
        self.refused = 0

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        scheme, _, name = url.partition(":")
        if scheme.lower() == "asset" and unquote(name) in self._assets:
            suffix = PurePosixPath(name).suffix.lower()
            kind = MEDIA_TYPES.get(suffix, "application/octet-stream")
            return URLFetcherResponse(url, self._assets[unquote(name)], {"Content-Type": kind})
        if scheme.lower() == "data" and name.lower().startswith("image/"):
            return super().fetch(url)
        self.refused += 1
        raise ValueError("not a registered asset")


class Pages(logging.Handler):
    """Reports each page as its layout begins."""

    def __init__(self, report: Callable[[dict[str, object]], None]) -> None:
        super().__init__()
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        if "Page %d" in str(record.msg) and record.args:
            self._report({"page": record.args[-1]})  # type: ignore[index]


def main(
    payload: IO[bytes], arguments: dict[str, object], report: Callable[[dict[str, object]], None]
) -> bytes:
    """Return the PDF; report every page begun and, at the end, pages made and fetches refused."""
    order = json.load(payload)
    progress = logging.getLogger("weasyprint.progress")
    progress.setLevel(logging.INFO)
    progress.addHandler(Pages(report))
    fetcher = AssetsOnly(
        {name: base64.b64decode(content) for name, content in order["assets"].items()}
    )
    html = HTML(string=order["html"], base_url="asset:/", url_fetcher=fetcher)
    html.etree_element.set("lang", order["language"])
    for link in html.etree_element.iter():
        if "attachment" in link.get("rel", "").lower():
            del link.attrib["rel"]  # what is sealed shows all that it holds
    document = html.render(**OPTIONS)
    document.metadata.title = order["title"]
    document.metadata.lang = order["language"]
    pdf: bytes = document.write_pdf(**OPTIONS)
    report({"pages": len(document.pages), "refused": fetcher.refused})
    return pdf

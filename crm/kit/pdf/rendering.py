"""HTML to tagged PDF (PDF/UA-1), by WeasyPrint in the sandbox."""

import base64
import json
import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from crm.kit import sandbox
from crm.kit.pdf.errors import PdfError

_RENDERER = Path(__file__).with_name("renderer.py")
_LARGEST_PDF = 200 * 1024 * 1024

log = logging.getLogger(__name__)


def render(
    html: str,
    *,
    assets: Mapping[str, bytes],
    language: str,
    title: str,
    timeout: float = 60.0,
    memory: int = 1024 * 1024 * 1024,
    progress: Callable[[int], None] | None = None,
) -> bytes:
    """Return the document as PDF/UA-1; only `assets` (as `asset:NAME`) and data: images are fetched.

    `timeout` is in seconds, `memory` in bytes of address space. `progress` is told the number of
    each page begun; a number may come again, as numbered pages are laid out more than once. Other
    references are left out of the document and counted in the log. Raises PdfError.
    """
    summary: dict[str, object] = {}

    def on_report(report: sandbox.Report) -> None:
        page = report.get("page")
        if isinstance(page, int) and progress is not None:
            progress(page)
        if "pages" in report:
            summary.update(report)

    order = {
        "html": html,
        "language": language,
        "title": title,
        "assets": {name: base64.b64encode(body).decode() for name, body in assets.items()},
    }
    with tempfile.TemporaryFile() as payload:
        payload.write(json.dumps(order).encode())
        payload.seek(0)
        try:
            pdf = sandbox.run(
                _RENDERER,
                payload,
                {},
                limits=sandbox.Limits(timeout, memory, _LARGEST_PDF),
                on_report=on_report,
            )
        except sandbox.SandboxError as error:
            log.error("A document could not be rendered (%s)", error)
            raise PdfError(f"pdf_{error.reason}") from error
    if summary.get("refused"):
        log.warning("A document left out %s forbidden references", summary["refused"])
    return pdf

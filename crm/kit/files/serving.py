"""Handing files out so that a browser saves them and never runs them."""

from typing import TypeVar

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Conflict
from crm.kit.files.names import safe_name
from crm.kit.files.previews import PREVIEW_TYPE
from crm.kit.files.scanning import Scan
from crm.kit.files.storing import open_stored

_Response = TypeVar("_Response", bound=HttpResponseBase)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


def serve(path: str, *, name: str, media_type: str, scan: Scan | str) -> FileResponse:
    """Answer with a kept file as a download; Conflict while the scanner has not cleared it."""
    if not Scan(scan).downloadable:
        raise Conflict(
            "file_not_cleared", _("The file cannot be opened: %(why)s.") % {"why": Scan(scan).label}
        )
    response = FileResponse(open_stored(path), content_type=media_type)
    return _guarded(response, name, attachment=True)


def serve_preview(picture: bytes, *, name: str) -> HttpResponse:
    """Answer with what `preview` made, to be shown inside a page."""
    response = HttpResponse(picture, content_type=PREVIEW_TYPE)
    return _guarded(response, f"{name}.webp", attachment=False)


def _guarded(response: _Response, name: str, *, attachment: bool) -> _Response:
    for header, value in _HEADERS.items():
        response[header] = value
    disposition = content_disposition_header(attachment, safe_name(name))
    response["Content-Disposition"] = disposition or "attachment"
    return response

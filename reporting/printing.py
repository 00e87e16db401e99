"""A history's content on paper: tagged PDF with its code on every page, sealed by the organisation."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.kit import http
from crm.kit.errors import DomainError, Unavailable
from crm.kit.files import open_stored
from crm.kit.pdf import qr_svg, render
from crm.kit.staticfiles import VENDOR_FILES, node_modules
from crm.organisations.models import Organisation
from reporting.models import Variant

if TYPE_CHECKING:
    from crm.kit.pdf.keys import Signer
    from crm.kit.pdf.sealing import Sealed

_FONTS = {
    "latin.woff2": "vendor/fonts/atkinson-hyperlegible-next-latin-wght-normal.woff2",
    "latin-ext.woff2": "vendor/fonts/atkinson-hyperlegible-next-latin-ext-wght-normal.woff2",
}
_QR_NAME = "qr.svg"
_CERTIFICATES = ("seal.p12", "seal.pem")


@dataclass(frozen=True)
class Printed:
    """A sealed document, ready to be kept."""

    content: bytes
    pages: int
    level: str
    timestamp_missing: bool
    signer: str


def print_history(
    content: Mapping[str, Any],
    code: str,
    organisation: Organisation,
    *,
    progress: Callable[[int], None] | None = None,
) -> Printed:
    """The content as a sealed PDF under the organisation's certificate.

    Takes seconds and no database connection. Raises PdfError, or Unavailable without a certificate.
    """
    signer = signer_of(organisation)
    language = content["language"]
    with translation.override(language), timezone.override(content["time_zone"]):
        title = title_of(content)
        plain = render(
            render_to_string(
                "reporting/case_history.html",
                {**_frame(content, code, organisation), "title": title},
            ),
            assets=_assets(code, organisation),
            language=language,
            title=title,
            progress=progress,
        )
        sealed = _sealed(plain, signer, organisation)
    return Printed(
        sealed.content, _pages(plain), sealed.level, sealed.timestamp_missing, signer.name
    )


def write_text(content: Mapping[str, Any]) -> str:
    """The same content as plain text: what can be had when no PDF can be made of it."""
    with translation.override(content["language"]):
        context = {"content": content, "title": title_of(content), "variant": _variant(content)}
        return render_to_string("reporting/case_history.txt", context)


def title_of(content: Mapping[str, Any]) -> str:
    """What the document is called; it names nobody."""
    if not content["reference"]:
        return _("History of a person")
    return _("Case history %(reference)s") % {"reference": content["reference"]}


def verification_url(code: str = "") -> str:
    """Where a document is verified. After the # the code reaches no server, log or Referer."""
    return f"{settings.PUBLIC_URL}{reverse('reporting:verify')}" + (f"#{code}" if code else "")


def require_certificate(organisation: Organisation) -> None:
    """Raise NoCertificate when nothing could be sealed; looks at files' names only."""
    folder = _keys_of(organisation)
    if settings.PRODUCTION and not any((folder / name).is_file() for name in _CERTIFICATES):
        raise NoCertificate


def signer_of(organisation: Organisation) -> "Signer":
    """The seal of an organisation: its own, else a demo one; in production only its own.

    Its own lies in KEYS_DIR/CODE: `seal.p12`, or `seal.pem` with `seal.key.pem` and perhaps
    `chain.pem`; `passphrase` beside them, if they need one.
    """
    from crm.kit.pdf.keys import Signer, demo_authority

    require_certificate(organisation)
    folder = _keys_of(organisation)
    secret = folder / "passphrase"
    passphrase = secret.read_bytes().strip() if secret.is_file() else None
    if (folder / "seal.p12").is_file():
        return Signer.from_pkcs12(folder / "seal.p12", passphrase)
    if (folder / "seal.pem").is_file():
        chain = [path for path in [folder / "chain.pem"] if path.is_file()]
        return Signer.from_pem(
            folder / "seal.key.pem", folder / "seal.pem", chain=chain, passphrase=passphrase
        )
    authority = demo_authority(Path(settings.KEYS_DIR) / "demo")
    return authority.signer(organisation.code, organisation.name)


def _keys_of(organisation: Organisation) -> Path:
    return Path(settings.KEYS_DIR) / organisation.code


class NoCertificate(Unavailable):
    """The organisation has no certificate to seal with."""

    def __init__(self) -> None:
        super().__init__(
            "no_certificate",
            gettext_lazy(
                "The organisation has no certificate to seal documents with. Tell your administrator."
            ),
        )


def _sealed(pdf: bytes, signer: "Signer", organisation: Organisation) -> "Sealed":
    from crm.kit.pdf.sealing import TimestampAuthority, seal

    timestamper = TimestampAuthority(_ask_for_time) if settings.PDF_TSA_URL else None
    reason = _("Seal of the organisation on a case history")
    return seal(pdf, signer, reason=reason, location=organisation.name, timestamper=timestamper)


def _ask_for_time(request: bytes) -> bytes:
    """An RFC 3161 time stamp from the authority set up."""
    headers = {
        "Content-Type": "application/timestamp-query",
        "Accept": "application/timestamp-reply",
    }
    return http.post(settings.PDF_TSA_URL, request, headers=headers, most_bytes=64 * 1024)


def _pages(pdf: bytes) -> int:
    from pyhanko.pdf_utils.reader import PdfFileReader

    return int(PdfFileReader(io.BytesIO(pdf)).root["/Pages"]["/Count"])


def _frame(content: Mapping[str, Any], code: str, organisation: Organisation) -> dict[str, Any]:
    return {
        "content": content,
        "variant": _variant(content),
        "code": code,
        "language": content["language"],
        "logo": bool(organisation.logo),
        "issued_at": timezone.now(),
        "verify_url": verification_url(),
        "qr": _QR_NAME,
    }


def _variant(content: Mapping[str, Any]) -> str:
    return str(Variant(content["variant"]).label)


def _assets(code: str, organisation: Organisation) -> dict[str, bytes]:
    assets = {
        name: (node_modules() / VENDOR_FILES[path]).read_bytes() for name, path in _FONTS.items()
    }
    assets["pdf.css"] = (Path(settings.BASE_DIR) / "static/css/pdf.css").read_bytes()
    assets["document.css"] = _own_style(organisation).encode()
    assets[_QR_NAME] = qr_svg(verification_url(code), title=_("QR code of the verification page"))
    if organisation.logo:
        try:
            with open_stored(organisation.logo) as file:
                assets["logo.webp"] = file.read()
        except DomainError:
            pass  # a document without its logo is still the document
    return assets


def _own_style(organisation: Organisation) -> str:
    """What differs from document to document: the colour, and « 3 de 17 » in its language."""
    text = _("%(page)s of %(pages)s") % {"page": "\0", "pages": "\1"}
    number = "".join(
        {"\0": " counter(page) ", "\1": " counter(pages) "}.get(part, f'"{part}"')
        for part in _parts(text)
    )
    return (
        f":root {{ --accent: {organisation.accent}; }}\n"
        f"@page {{ @top-right {{ content: {number}; }} }}\n"
    )


def _parts(text: str) -> list[str]:
    """The text cut at the places of the numbers; quotes and slashes would leave the style sheet."""
    safe = "".join(char for char in text if char not in '"\\\n')
    return [
        part for part in safe.replace("\0", "\2\0\2").replace("\1", "\2\1\2").split("\2") if part
    ]

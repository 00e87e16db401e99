"""The verification code printed on every page (CSV: RD 203/2021 art. 21) and its QR image."""

import io
import re
import secrets

import segno
from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Invalid

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no I, L, O, U
_LENGTH, _GROUP = 28, 4  # 140 random bits in seven groups
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SEPARATORS = re.compile(r"[\s\u2010-\u2015\u2212-]+")


class CodeError(Invalid):
    """What was typed cannot be a verification code."""

    def __init__(self) -> None:
        super().__init__(
            _("This is not a verification code. It has 28 letters and numbers, in groups of four."),
            code="code_malformed",
        )


def new_code() -> str:
    """Return a code nobody can guess: 140 random bits, grouped to be read aloud."""
    return _grouped("".join(secrets.choice(_ALPHABET) for _position in range(_LENGTH)))


def normalise_code(text: str) -> str:
    """Return the code as `new_code` wrote it, however a person typed it, or raise CodeError."""
    if len(text) > 4 * _LENGTH:
        raise CodeError
    code = _SEPARATORS.sub("", text).upper().translate(_READ_AS)
    if len(code) != _LENGTH or not set(code) <= set(_ALPHABET):
        raise CodeError
    return _grouped(code)


def qr_svg(text: str, *, title: str, light: str | None = None) -> bytes:
    """Return `text` as a QR image in SVG, whose title readers announce; on `light` if it says so."""
    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        image, kind="svg", border=2, title=title, xmldecl=False, omitsize=True, light=light
    )
    return image.getvalue()


def _grouped(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))

"""Bytes into text, by the charset that is claimed, or the one that it must be."""

import codecs
import re

_NAMES = {  # as mail programs call them
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "x-utf-8": "utf-8",
    "ansi": "cp1252",
    "x-ansi": "cp1252",
    "cp-850": "cp850",
    "x-sjis": "shift_jis",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-gbk": "gbk",
    "iso-8859-8-i": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "gb2312": "gb18030",
    "shift_jis": "cp932",
}
# slow, or no charsets of a text at all
_NEVER = {"punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"}
_WESTERN = {"ascii", "iso8859-1", "iso8859-15", "cp1252", "latin_1"}
_JUNK = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(127, 160), 0xFEFF])


def decoded(content: bytes, claimed: str) -> str:
    """The text, with clean line ends and nothing that a database or a screen cannot take."""
    text = _decode(content, _codec(claimed))
    text = text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no text
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_JUNK)


def _codec(claimed: str) -> str:
    name = re.sub(r"[^a-z0-9_.:-]", "", claimed.lower().split("*")[0].strip("\"' "))[:40]
    try:
        found = codecs.lookup(_NAMES.get(name, name)).name
    except (LookupError, ValueError):
        return ""
    return "" if found in _NEVER else found


def _decode(content: bytes, codec: str) -> str:
    for bom, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(bom):
            return content.decode(name, "replace")
    order: tuple[str, ...]
    if not codec or codec in _WESTERN:  # what is UTF-8 by chance is hardly ever written
        order = ("utf-8", codec if codec.startswith("iso8859-15") else "cp1252", "latin-1")
    else:
        order = (codec, "utf-8", "cp1252", "latin-1")
    for name in order:
        try:
            return content.decode(name)
        except (UnicodeError, LookupError, ValueError):
            continue
    return content.decode("latin-1")

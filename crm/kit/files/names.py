"""File names from strangers, made safe for screens, headers and disks."""

import re
import unicodedata

_LONGEST = 150  # bytes of UTF-8; most file systems take 255
_FORBIDDEN = re.compile(r'["*:<>?|%`]')  # by Windows, or with a meaning in headers and shells
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe_name(name: str, extensions: tuple[str, ...] = ()) -> str:
    """Return the last part of `name` without anything that hides, escapes or breaks a line.

    With `extensions` (the first is preferred) the name ends in one of them.
    """
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Cc: CR, LF, NUL; Cf: right-to-left override, zero width; Cs, Co, Cn: no character at all
    name = "".join(char for char in name if not unicodedata.category(char).startswith("C"))
    name = " ".join(_FORBIDDEN.sub("_", name).split()).strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if extensions and f".{suffix.lower()}" not in extensions:
        stem, dot, suffix = name, ".", extensions[0][1:]
    if not dot:
        stem, suffix = suffix, ""
    suffix = suffix[:20]
    room = _LONGEST - len(f"{dot}{suffix}".encode())
    stem = stem.encode()[:room].decode(errors="ignore").strip(". ")
    return f"{stem or 'file'}{dot}{suffix}"

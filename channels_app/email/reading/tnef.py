"""winmail.dat, Outlook's own envelope (MS-OXTNEF): its files and its plain text."""

import struct
from collections.abc import Iterator

from channels_app.email.reading.values import MOST_FILES

_SIGNATURE = 0x223E9F78
_BODY, _RENDERED, _TITLE, _DATA = 0x0002800C, 0x00069002, 0x00018010, 0x0006800F


def unpacked(content: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The text, and each file's name and content; what is broken ends the reading."""
    body, files = b"", []
    name, data = b"", b""
    for number, value in _attributes(content):
        if number == _BODY:
            body = value.rstrip(b"\0")
        elif number == _RENDERED and data:
            files.append((name, data))
            name, data = b"", b""
        elif number == _TITLE:
            name = value.rstrip(b"\0")
        elif number == _DATA:
            data = value
    if data:
        files.append((name, data))
    return body, files[:MOST_FILES]


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    if len(content) < 6 or struct.unpack_from("<I", content)[0] != _SIGNATURE:
        return
    place = 6
    while place + 11 <= len(content):
        _level, number, length = struct.unpack_from("<BII", content, place)
        start = place + 9
        if start + length + 2 > len(content):
            return
        yield number, content[start : start + length]
        place = start + length + 2

"""Header fields of strangers: decoded, bounded, on one line."""

import re
import unicodedata
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from channels_app.email.reading.charsets import decoded
from channels_app.email.reading.values import MOST_HEADER, MOST_REFERENCES, Sender

_ID = re.compile(r"<([^<>\s]{1,400})>")
_ADDRESS = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@[^\s@<>\"(),:;\[\]\\]{1,189}\Z")
_BARE = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,189}")
_FIRST, _LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def raw(message: Message, name: str) -> str:
    """The first field of that name as it stands, on one line and not too long."""
    found = values(message, name)
    return one_line(found[0]) if found else ""


def values(message: Message, *names: str) -> list[str]:
    """Every field of these names, as it came: bytes that are no ASCII are read as what they likely are."""
    wanted = {name.lower() for name in names}
    return [
        _escaped(str(value)[:MOST_HEADER])
        for name, value in message.raw_items()
        if name.lower() in wanted
    ]


def text(message: Message, name: str) -> str:
    """The field with its encoded words read."""
    return one_line(words(raw(message, name)))


def words(value: str) -> str:
    """Encoded words (RFC 2047) read, however wrongly they are written."""
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    read = [
        decoded(part, charset or "") if isinstance(part, bytes) else part for part, charset in parts
    ]
    return "".join(read)


def one_line(value: str) -> str:
    """Without line breaks, control characters and what turns the direction of writing."""
    kept = (
        char if not unicodedata.category(char).startswith("C") else " " if char in "\r\n\t" else ""
        for char in value
    )
    return " ".join("".join(kept).split())


def ids(value: str) -> tuple[str, ...]:
    """The Message-IDs in a field, without their brackets."""
    return tuple(_ID.findall(value))[-MOST_REFERENCES:]


def first_id(value: str) -> str:
    """The field's Message-ID; some write it without brackets."""
    found = ids(value)
    if found:
        return found[0]
    bare = value.strip()
    return bare if "@" in bare and " " not in bare and len(bare) <= 400 else ""


def addresses(message: Message, *names: str) -> list[Sender]:
    """Every mailbox of these fields."""
    given = values(message, *names)
    try:
        found = getaddresses(given)
    except (ValueError, IndexError, TypeError, AttributeError, RecursionError):
        found = []
    read = [Sender(one_line(words(name))[:150], mailbox(address)) for name, address in found]
    if any(one.address for one in read):
        return read
    bare = [Sender("", mailbox(match)) for text in given for match in _BARE.findall(text)]
    return bare or read


def mailbox(address: str) -> str:
    """The address as it is compared; empty when it is none."""
    clean = one_line(words(address)).strip(" <>.,;'\"").lower()
    return clean if len(clean) <= 254 and _ADDRESS.match(clean) else ""


def moment(value: str) -> datetime | None:
    """The date of a field, if it is one that may be true."""
    try:
        read = parsedate_to_datetime(value)
        at = read.replace(tzinfo=UTC) if read.tzinfo is None else read
        return at if _FIRST < at < _LAST else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _escaped(value: str) -> str:
    """Bytes that are not ASCII, which Python keeps as half surrogates, read as what they likely are."""
    if not any("\udc80" <= char <= "\udcff" for char in value):
        return value
    return decoded(value.encode("utf-8", "surrogateescape"), "")

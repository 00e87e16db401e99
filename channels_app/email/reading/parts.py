"""The parts of a message: its text, its HTML and its files, within limits."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from itertools import islice

from channels_app.email.reading import headers, markup, tnef
from channels_app.email.reading.charsets import decoded
from channels_app.email.reading.values import (
    MOST_DEPTH,
    MOST_FILES,
    MOST_HTML,
    MOST_PARTS,
    MOST_TEXT,
    File,
    Refused,
)

_ENCODING = re.compile(r"base64|quoted-printable|x-?uue(?:ncode)?|uue", re.IGNORECASE)
_UU = re.compile(r"^begin [0-7]{3,4} (.{1,200})\n", re.MULTILINE)
_REPORTS = {
    *("message/delivery-status", "message/global-delivery-status", "message/feedback-report"),
    *("text/rfc822-headers", "message/rfc822-headers", "message/disposition-notification"),
}
_FORWARDED = "message/rfc822"


@dataclass
class Contents:
    """What has been found so far."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    leaves: list[tuple[Message, str]] = field(default_factory=list)  # for reports
    seen: int = 0

    @property
    def text(self) -> str:
        """Plain text; of a letter that has none, what its HTML says."""
        plain = "\n\n".join(text for text in self.texts if text.strip())
        if not plain.strip() and self.htmls:
            plain = markup.as_text("\n".join(self.htmls))
        return plain[:MOST_TEXT]

    @property
    def html(self) -> str:
        """All of the HTML, if it is not too much."""
        joined = "\n".join(self.htmls)
        return joined if len(joined) <= MOST_HTML else ""


def contents(message: Message) -> Contents:
    """Everything in the message, as deep and as much as is read."""
    found = Contents()
    _take(message, found, 0)
    return found


def _take(part: Message, found: Contents, depth: int) -> None:
    found.seen += 1
    if found.seen > MOST_PARTS or depth > MOST_DEPTH:
        why = "too_deep" if depth > MOST_DEPTH else "too_many"
        if not any(one.why == why for one in found.refused):
            found.refused.append(Refused(_name(part), why))
        return
    kind = part.get_content_type()
    if kind in _REPORTS:
        found.leaves.append((part, _whole(part)))
    elif kind == _FORWARDED:
        _forwarded(part, found, depth)
    elif part.is_multipart():
        _many(part, kind, found, depth)
    else:
        _leaf(part, kind, found)


def _many(part: Message, kind: str, found: Contents, depth: int) -> None:
    inner = [one for one in part.get_payload() if isinstance(one, Message)]
    if kind != "multipart/alternative":
        for one in inner:
            _take(one, found, depth + 1)
        return
    texts, htmls = len(found.texts), len(found.htmls)
    for one in inner:
        _take(one, found, depth + 1)
    # the same said several times: one of each kind is enough, the last being the fullest
    found.texts[texts:] = found.texts[texts:][-1:]
    found.htmls[htmls:] = found.htmls[htmls:][-1:]


def _forwarded(part: Message, found: Contents, depth: int) -> None:
    """A message within the message: a file with its text, and its own files beside."""
    inner = next((one for one in _inner(part)), None)
    if inner is None:
        return
    found.leaves.append((part, _heads(inner)))
    below = Contents(seen=found.seen)
    _take(inner, below, depth + 1)
    found.seen = below.seen
    told = f"{_heads(inner)}\n\n{below.text}".strip()
    subject = headers.text(inner, "Subject") or "message"
    _file(found, File(f"{subject[:80]}.txt", "text/plain", told.encode()))
    for one in below.files:
        _file(found, one)
    found.refused += below.refused


def _inner(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))


def _heads(message: Message) -> str:
    names = ("From", "To", "Cc", "Date", "Subject", "Message-ID")
    return "\n".join(f"{name}: {text}" for name in names if (text := headers.text(message, name)))


def _leaf(part: Message, kind: str, found: Contents) -> None:
    content = _bytes(part)
    if kind in {"application/ms-tnef", "application/vnd.ms-tnef"}:
        _winmail(content, found)
    elif _is_text(part, kind):
        text = decoded(content, _charset(part, content))
        if kind == "text/html":
            found.htmls.append(text[: MOST_HTML + 1])
        else:
            found.texts.append(_plain(part, text, found))
    elif content:
        called = headers.raw(part, "Content-ID").strip("<> ")[:250]
        _file(found, File(_name(part), kind, content, called))


def _is_text(part: Message, kind: str) -> bool:
    """Whether it is read as the letter itself, not as a file."""
    if kind.startswith("multipart/"):  # said to have parts, and has none
        return True
    if kind not in {"text/plain", "text/html", "text/enriched"}:
        return False
    if headers.raw(part, "Content-Disposition").lower().startswith("attachment"):
        return False
    return not _name(part, "")


def _plain(part: Message, text: str, found: Contents) -> str:
    if "flowed" in headers.raw(part, "Content-Type").lower():
        text = _flowed(text, _parameter(part, "delsp").lower() == "yes")
    return _without_uuencoded(text[: MOST_TEXT * 4], found)


def _flowed(text: str, delsp: bool) -> str:
    """RFC 3676: lines that end in a space go on in the next one of the same depth of quotation."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        body = line.lstrip(">")
        depth = len(line) - len(body)
        body = body.removeprefix(" ")
        soft = body.endswith(" ") and body != "-- "
        shown = body[:-1] if soft and delsp else body
        if depth == open_depth:
            lines[-1] += shown
        else:
            lines.append(f"{'>' * depth}{' ' * bool(depth)}{shown}")
        open_depth = depth if soft else -1
    return "\n".join(lines)


def _without_uuencoded(text: str, found: Contents) -> str:
    """Files written into the text itself, as was usual once, become files."""
    kept, place = [], 0
    for match in islice(_UU.finditer(text), MOST_FILES):
        end = text.find("\nend", match.end() - 1)
        if end < 0:
            break
        content = _uudecoded(text[match.end() : end].encode()) if match.start() >= place else None
        if content is None:
            continue
        _file(found, File(match[1].strip(), "application/octet-stream", content))
        kept.append(text[place : match.start()])
        place = end + 4
    return "".join(kept) + text[place:]


def _uudecoded(body: bytes) -> bytes | None:
    content = bytearray()
    for line in body.splitlines():
        if not line.strip():
            continue
        try:
            content += binascii.a2b_uu(line)
        except binascii.Error:
            return None
    return bytes(content) or None


def _winmail(content: bytes, found: Contents) -> None:
    body, files = tnef.unpacked(content)
    if body and not any(text.strip() for text in found.texts):
        found.texts.append(decoded(body, ""))
    for name, data in files:
        _file(found, File(headers.one_line(decoded(name, "")), "application/octet-stream", data))
    if not body and not files:
        found.refused.append(Refused("winmail.dat", "unreadable"))


def _file(found: Contents, file: File) -> None:
    if len(found.files) >= MOST_FILES:
        if not any(one.why == "too_many" for one in found.refused):
            found.refused.append(Refused(file.name, "too_many"))
        return
    found.files.append(file)


# --- One part ------------------------------------------------------------------------------------


def _bytes(part: Message) -> bytes:
    """The part's content, decoded; wrongly named encodings are read as they were meant."""
    meant = _ENCODING.search(headers.raw(part, "Content-Transfer-Encoding"))
    if meant:
        part.replace_header("Content-Transfer-Encoding", meant[0].lower())
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError, TypeError, AttributeError, binascii.Error):
        content = str(part.get_payload()).encode("utf-8", "surrogateescape")
    return content if isinstance(content, bytes) else b""


def _charset(part: Message, content: bytes) -> str:
    stated = _parameter(part, "charset")
    if stated or part.get_content_type() != "text/html":
        return stated
    meta = re.search(rb"charset=[\"']?([a-zA-Z0-9_-]{2,30})", content[:2000])
    return meta[1].decode() if meta else ""


def _parameter(part: Message, name: str) -> str:
    try:
        value = part.get_param(name)
    except (ValueError, TypeError, IndexError, LookupError):
        return ""
    if isinstance(value, tuple):
        value = value[2]
    return headers.one_line(str(value or ""))[:200]


def _name(part: Message, otherwise: str = "file") -> str:
    """The file's name as it is claimed; crm.kit.files makes it safe."""
    try:
        stated = part.get_filename() or ""
    except (ValueError, TypeError, IndexError, LookupError, AttributeError):
        stated = ""
    return headers.one_line(headers.words(stated))[:200] or otherwise


def _whole(part: Message) -> str:
    """A report's own text; Python reads such parts as lists of messages."""
    payload = part.get_payload()
    if isinstance(payload, list):
        groups = [
            "\n".join(f"{name}: {value}" for name, value in one.items()) + f"\n{_rest(one)}"
            for one in payload
            if isinstance(one, Message)
        ]
        return "\n\n".join(groups)
    return decoded(_bytes(part), "")


def _rest(message: Message) -> str:
    payload = message.get_payload()
    return payload if isinstance(payload, str) else ""

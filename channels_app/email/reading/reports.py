"""What mail servers and providers report: not delivered (RFC 3464), marked as spam (RFC 5965)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from email.message import Message

from channels_app.email.reading import headers
from channels_app.email.reading.values import Report
from crm.kit.mail import MARK_FIELD

_FAILED = re.compile(
    r"undeliver|mail failed|delivery (?:status notification \((?:fail|delay)|fail|has failed|notification)|returned mail|"
    r"mail delivery (?:fail|system)|failure notice|returning message|could not be delivered|"
    r"message you sent|non remis|no se ha podido entregar|no entregado|mail system error|"
    r"delivery problem|undelivered|rejected mail|cannot be delivered",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"^(?:mailer-?daemon|postmaster|mail-daemon|mdaemon)(?:@|$)", re.IGNORECASE)
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<!\d)(5\d\d|4[2-7]\d)[ -](?=\S)")
_NAMED = re.compile(r"<?([^\s<>\"(),:;\[\]]{1,64}@[^\s<>\"(),:;\[\]]{1,190})>?")
_ORIGINAL = re.compile(r"^message-id:\s*<([^<>\s]{1,400})>", re.IGNORECASE | re.MULTILINE)
_MARK = re.compile(rf"^{MARK_FIELD}:\s*([0-9a-f]{{32}})\s*$", re.IGNORECASE | re.MULTILINE)
_LOOKED_AT = 20_000


def of_parts(leaves: Iterable[tuple[Message, str]]) -> Report | None:
    """The report in a message's parts (each with its text), if they hold one in the standards' form."""
    found: Report | None = None
    original = mark = ""
    for part, text in leaves:
        kind = part.get_content_type()
        if kind in {"message/delivery-status", "message/global-delivery-status"}:
            found = _delivery(text)
        elif kind == "message/feedback-report":
            found = _complaint(text)
        elif kind in {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers"}:
            match = _ORIGINAL.search(text[:_LOOKED_AT])
            original = match[1] if match else original
            match = _MARK.search(text[:_LOOKED_AT])
            mark = match[1] if match else mark
    return replace(found, original_id=original, mark=mark) if found else None


def by_looks(message: Message, sender: str, text: str) -> Report | None:
    """A report in free words: only from who sends such, and only when it says so."""
    named = headers.raw(message, "X-Failed-Recipients")
    daemon = _DAEMON.match(sender) or headers.raw(message, "Return-Path") == "<>"
    subject = headers.text(message, "Subject")
    if not named and not (daemon and (_FAILED.search(subject) or _FAILED.search(text[:2000]))):
        return None
    told = text[:_LOOKED_AT]
    status = _STATUS.search(told)
    reply = _REPLY.search(told)
    code = status[1] if status else f"{reply[1][0]}.0.0" if reply else "5.0.0"
    original, mark = _ORIGINAL.search(told), _MARK.search(told)
    who = _NAMED.search(named or told)
    return Report(
        headers.mailbox(who[1]) if who else "",
        "delayed" if "delay" in subject.lower() or "retras" in subject.lower() else "failed",
        code,
        headers.one_line(told)[:240],
        original[1] if original else "",
        mark[1] if mark else "",
    )


def _delivery(text: str) -> Report:
    groups = [_fields(group) for group in re.split(r"\n[ \t]*\n", text[:_LOOKED_AT])]
    recipients = [group for group in groups if "action" in group or "status" in group]
    worst = next((one for one in recipients if one.get("action", "").startswith("fail")), None)
    chosen = worst or (recipients[0] if recipients else {})
    status = _STATUS.search(chosen.get("status", "")) or _STATUS.search(
        chosen.get("diagnostic-code", "")
    )
    code = status[1] if status else ""
    action = chosen.get("action", "").split(" ")[0].lower() or ("failed" if code[:1] == "5" else "")
    diagnostic = chosen.get("diagnostic-code", "").partition(";")[2].strip()
    return Report(
        _recipient(chosen),
        action,
        code or ("5.0.0" if action == "failed" else ""),
        headers.one_line(diagnostic)[:240],
    )


def _complaint(text: str) -> Report:
    fields = _fields(text[:_LOOKED_AT])
    return Report(_recipient(fields), "complaint", "", fields.get("feedback-type", "")[:80])


def _recipient(fields: Mapping[str, str]) -> str:
    for name in ("original-recipient", "final-recipient", "original-rcpt-to", "removal-recipient"):
        value = fields.get(name, "")
        found = headers.mailbox(value.rpartition(";")[2])
        if found:
            return found
    return ""


def _fields(text: str) -> dict[str, str]:
    """Fields of a block, folded lines joined; of a name the first."""
    found: dict[str, str] = {}
    name = ""
    for line in text.split("\n"):
        if line[:1] in {" ", "\t"} and name:
            found[name] = f"{found[name]} {line.strip()}"
            continue
        key, colon, value = line.partition(":")
        name = key.strip().lower() if colon and len(key) < 60 else ""
        if name and name not in found:
            found[name] = value.strip()
        elif name:
            name = ""
    return found

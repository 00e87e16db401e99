"""Which of a text was said now, what is quoted from before, and where the signature begins.

Line by line with patterns that look at a bounded piece: a megabyte of anything takes milliseconds.
"""

import re
from collections.abc import Iterator, Sequence

from channels_app.email.reading.values import Block

_LONGEST = 240  # of a line that can be an introduction
_INTRODUCED = re.compile(
    r"^(?:>\s*)?(?:on|el|le|o|il|am|em|a|no|\d{4}[-/])\b.{0,200}"
    r"(?:wrote|escribió|escribio|a écrit|ha escrit|va escriure|escribiu|escreveu|ha scritto|schrieb)"
    r"\s?:\s*$|.{0,200}(?:igorleak idatzi du|idatzi du|erabiltzaileak)\s?:\s*$",
    re.IGNORECASE,
)
_BEGUN = re.compile(r"^(?:>\s*)?(?:on|el|le|o|il|am|em|no)\s.{0,12}\d", re.IGNORECASE)
_DIVIDER = re.compile(
    r"^\s*[-_=]{2,}\s*(?:original message|mensaje original|missatge original|mensaxe orixinal|"
    r"jatorrizko mezua|message d'origine|forwarded message|mensaje reenviado|missatge reenviat|"
    r"reply message|ursprüngliche nachricht|messaggio originale)\s*[-_=]{0,20}\s*$",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^\s*\*?(from|de|da|von|nork|sent|enviado|enviat|envoyé|date|fecha|data|to|para|per a|à|"
    r"subject|asunto|assumpte|objet|asunto|gaia|cc)\s?:\*?\s?\S",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*[_-]{20,}\s*$")
_DEVICE = re.compile(
    r"^\s*(?:sent from (?:my|a|yahoo|outlook|samsung|mail)|enviado desde (?:mi|un|el|outlook|yahoo|correo)|"
    r"enviat des del? (?:meu|mi)|envoyé de(?:puis)? mon|obter o outlook|obtener outlook|get outlook for)\b"
    r".{0,80}$",
    re.IGNORECASE,
)


def blocks(text: str) -> tuple[Block, ...]:
    """The text in stretches; put one after the other they are the text, but for empty lines."""
    lines = text.split("\n")
    found: list[Block] = []
    for kind, run in _runs(lines):
        body = "\n".join(run).strip("\n").rstrip()
        if not body.strip():
            continue
        if found and found[-1].kind == kind:
            body = f"{found.pop().text}\n\n{body}"
        found.append(Block(kind, body))
    return tuple(found)


def _runs(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    end = _end_of_said(lines)
    signature = _signature(lines, end)
    place, kind = 0, "said"
    run: list[str] = []
    while place < signature:
        skip = _introduction(lines, place)
        now = "quoted" if skip or lines[place].lstrip().startswith(">") else "said"
        if not lines[place].strip():
            now = kind
        if now != kind and run:
            yield kind, run
            run = []
        kind = now
        run += lines[place : place + max(skip, 1)]
        place += max(skip, 1)
    yield kind, run
    if signature < end:
        yield "signature", list(lines[signature:end])
    if end < len(lines):
        yield "quoted", list(lines[end:])


def _end_of_said(lines: Sequence[str]) -> int:
    """The line from where everything is the letter that is answered."""
    for number, line in enumerate(lines):
        if len(line) > _LONGEST:
            continue
        if _DIVIDER.match(line) or _block_of_fields(lines, number):
            return number
        skip = _introduction(lines, number)
        if skip and not _answers_below(lines, number + skip):
            return number
    return len(lines)


def _block_of_fields(lines: Sequence[str], number: int) -> bool:
    """Outlook's way: « De: … Enviado: … Para: … Asunto: … » on lines of their own."""
    if _RULE.match(lines[number]):
        number += 1 + (not "".join(lines[number + 1 : number + 2]).strip())
    following = [line for line in lines[number : number + 6] if len(line) <= 500]
    if not following or not _FIELD.match(following[0]):
        return False
    named = {match[1].lower() for line in following if (match := _FIELD.match(line))}
    return len(named) >= 3


def _introduction(lines: Sequence[str], number: int) -> int:
    """How many lines say « El lunes … escribió: »; they may be broken into three."""
    joined = ""
    for count, line in enumerate(lines[number : number + 3], start=1):
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > _LONGEST or (count == 1 and not line.strip()):
            return 0
        if _INTRODUCED.match(joined):
            return count
        if count == 1 and not _BEGUN.match(joined):
            return 0
    return 0


def _answers_below(lines: Sequence[str], number: int) -> bool:
    """Whether the quotation that begins here is marked, so that words between it can be told apart."""
    following = next((line for line in lines[number : number + 4] if line.strip()), "")
    return following.lstrip().startswith(">")


def _signature(lines: Sequence[str], end: int) -> int:
    """Where the last signature begins that nothing said comes after."""
    for number in range(max(0, end - 40), end):
        line = lines[number]
        if line in {"-- ", "--", "—"} or (len(line) < 120 and _DEVICE.match(line)):
            below = lines[number + 1 : end]
            if not any(one.lstrip().startswith(">") for one in below):
                return number
    return end

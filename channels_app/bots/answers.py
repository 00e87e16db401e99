"""What the first level answers: pure. Rules come first, then published articles; it never guesses.

Whatever it says, the words around (that it is a machine, that a person may be asked for) are the
caller's: here is decided only what kind of answer is due, and from which article.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cases.knowledge import Found
from cases.retrieval import folded

MOST_MISSES = 2  # answers owed one after another before a person takes over unasked


class Outcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    ABSTAINED = "abstained"
    PERSON = "person"  # the citizen wants one
    URGENT = "urgent"


class Why(StrEnum):
    """What an abstention or a handing over rests on."""

    NOTHING_FOUND = "nothing_found"
    OWN_CASE = "own_case"  # what only somebody who sees the case can say
    ASKED_FOR = "asked_for"
    MISSED_TWICE = "missed_twice"
    DANGER = "danger"
    GREETING = "greeting"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said to one message, and whether a person takes over."""

    outcome: Outcome
    why: Why | None = None
    found: Found | None = None
    hand_over: bool = False


Answering = Callable[[str], Found | None]

# Folded: small letters without accents. What is urgent counts in any language, whatever the page's.
_URGENT = re.compile(
    r"\b(112|061|091|016|024|emergencias?|emergencia medica|ambulancias?|incendio|fuego en"
    r"|suicid\w*|quitarme la vida|me quiero morir|quiero morir(me)?|hacerme dano"
    r"|me (esta |ha )?(pega\w*|maltrat\w*|amenaza\w*)|violencia (de genero|machista|domestica)"
    r"|agresion sexual|violacion sexual|emergency|ambulance|kill myself|urgence vitale|suicide"
    r"|larrialdi\w*|suizid\w*)\b"
)
_PERSON_WORDS = (
    r"(personas?( humanas?| real(es)?)?|human[oa]s?|agentes?|operador\w*|emplead[oa]s?|funcionari[oa]s?"
    r"|alguien|algu|alguen|norbait|pertsona\w*|persoa|humain|quelqu.?un|human|someone|agent|real person)"
)
_PERSON = (
    re.compile(
        r"\b(hablar|hable|parlar|falar|hitz egin|parler|speak|talk|chatear|atienda|atiendan|atengui"
        r"|pas[ae]me|ponme|pongame|pasar con|conect\w*|quiero|vull|quero|prefiero|necesito|want)\b"
        rf"[^?]{{0,40}}\b{_PERSON_WORDS}\b"
    ),
    re.compile(rf"\W*(una? |con una? |a |an )?{_PERSON_WORDS}(,? por favor| please)?\W*"),
)
_OWN_CASE = re.compile(
    r"\b((mi|mis|el meu|la meva|o meu|a mina|nire|mon|ma|my) (\w+ )?"
    r"(expediente|solicitud|sol licitud|caso|tramite|ayuda|pension|prestacion|multa|recurso|reclamacion"
    r"|expedient|cas|eskaera|dossier|demande|case|application)"
    r"|me (han|habeis|vais a) (denegado|contestado|concedido|pagar|pagado)|cuando (me )?(cobro|pagan|contestan)"
    r"|[a-z]{2,12}-20\d\d-\d{3,})\b"
)
_GREETING = re.compile(
    r"\W*(hola|buen[oa]s( dias| tardes| noches)?|bon dia|bona tarda|kaixo|egun on|bos dias|boas tardes"
    r"|bonjour|hello|hi|good (morning|afternoon)|gracias|moitas grazas|gracies|merci|thanks?)\W*"
)


def reply(text: str, answering: Answering, *, misses: int = 0) -> Reply:
    """What is due to one message; `misses` is how many before it could not be answered, in a row."""
    plain = folded(text)
    if _URGENT.search(plain):
        return Reply(Outcome.URGENT, Why.DANGER, hand_over=True)
    if any(_is_wish(pattern, plain) for pattern in _PERSON):
        return Reply(Outcome.PERSON, Why.ASKED_FOR, hand_over=True)
    if _GREETING.fullmatch(plain):
        return Reply(Outcome.ABSTAINED, Why.GREETING)
    if _OWN_CASE.search(plain.replace("·", " ")):
        return Reply(Outcome.ABSTAINED, Why.OWN_CASE, hand_over=misses + 1 >= MOST_MISSES)
    found = answering(text)
    if found is not None:
        return Reply(Outcome.ANSWERED, found=found)
    if misses + 1 >= MOST_MISSES:
        return Reply(Outcome.ABSTAINED, Why.MISSED_TWICE, hand_over=True)
    return Reply(Outcome.ABSTAINED, Why.NOTHING_FOUND)


def _is_wish(pattern: re.Pattern[str], plain: str) -> bool:
    return bool(pattern.fullmatch(plain) or (pattern is _PERSON[0] and pattern.search(plain)))


def misses_in(outcomes: list[Mapping[str, str]]) -> int:
    """How many of the machine's last replies in a row answered nothing (a greeting is no question)."""
    missed = 0
    for one in reversed(outcomes):
        if one.get("outcome") != Outcome.ABSTAINED:
            break
        missed += one.get("why") != Why.GREETING
    return missed

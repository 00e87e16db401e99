"""What a language model is asked when the first level has found an answer, and what of its words is taken.

Pure. It may say in fewer words what published articles say, and nothing else: no web address, no figure
that does not stand in the articles it rests on, no words of its own. Whatever else it writes is dropped
and the article's own sentences are shown.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cases.knowledge import Leaf
from cases.retrieval import folded, words_of
from crm.integrations.language import Draft, Passage, Said

LONGEST = 1_200  # characters of an answer
LONGEST_LEAF = 6_000  # of an article, as the model gets it
GROUNDED = 0.6  # share of its words that its articles have, when both are in one language
_NAMES: Mapping[str, str] = {
    "es": "Spanish",
    "ca": "Catalan",
    "gl": "Galician",
    "eu": "Basque",
    "fr": "French",
    "en": "English",
}
_LINK = re.compile(r"\w+:/|www\.|@|[\w-]{2,}\.[a-z]{2,}\b|\]\s*\(|</?[a-z!]", re.IGNORECASE)
_FIGURE = re.compile(r"\d(?:[\d.,:/ ]*\d)?")
_DENIALS = frozenset(  # folded; "no" of an article about something else is not seen through
    [
        "no",
        "nunca",
        "jamas",
        "tampoco",
        "ni",
        "sin",
        "nadie",
        "nada",
        "ningun",
        "ninguna",
        "mai",
        "cap",
        "sense",
        "non",
        "nin",
        "sen",
        "ez",
        "inoiz",
        "gabe",
        "pas",
        "jamais",
        "aucun",
        "aucune",
        "sans",
        "not",
        "never",
        "none",
        "cannot",
        "without",
        "nor",
    ]
)
_MARKS = re.compile(r"[*_`#]+")


@dataclass(frozen=True, slots=True)
class Phrased:
    """An answer in a model's words, and the articles that it rests on."""

    text: str
    leaves: tuple[Leaf, ...]
    model: str


def asked(question: str, language: str) -> list[Said]:
    """What the model is told and asked, beside the articles. The question is masked on its way."""
    name = _NAMES.get(language.split("-")[0], "Spanish")
    rules = (
        f"Answer in {name}, politely, in at most four short sentences of plain words, without lists."
        " Say only what the passages say. Repeat amounts, dates and terms exactly as they stand there."
    )
    return [Said("rules", rules), Said("citizen", question)]


def passages(leaves: Sequence[Leaf]) -> list[Passage]:
    """The articles, numbered from 1."""
    return [
        Passage(number, leaf.title, leaf.text[:LONGEST_LEAF])
        for number, leaf in enumerate(leaves, start=1)
    ]


def taken(draft: Draft, leaves: Sequence[Leaf], language: str) -> Phrased | None:
    """The draft as it may be shown; None when it is anything but what its articles say."""
    text = " ".join(_MARKS.sub("", draft.text).split())
    rests_on = tuple(leaves[number - 1] for number in draft.passages)
    plain = unicodedata.normalize("NFKC", text)
    if not text or len(text) > LONGEST or not rests_on or _LINK.search(plain):
        return None
    ground = "\n".join(f"{leaf.title}\n{leaf.text[:LONGEST_LEAF]}" for leaf in rests_on)
    if not _figures(plain) <= _figures(ground):
        return None
    spoken = language.split("-")[0]
    if all(leaf.language.split("-")[0] == spoken for leaf in rests_on):
        said, known = words_of(text, spoken), set(words_of(ground, spoken))
        if sum(word in known for word in said) < GROUNDED * len(said):
            return None
        if not _denials(text) <= _denials(ground):
            return None
    return Phrased(text, rests_on, draft.model)


def _denials(text: str) -> set[str]:
    """The words in it that turn a sentence round."""
    return set(re.findall(r"\w+", folded(text))) & _DENIALS


def _figures(text: str) -> set[str]:
    """Every number in it, by its digits."""
    whole = {re.sub(r"\D", "", figure) for figure in _FIGURE.findall(text)}
    return whole | set(re.findall(r"\d+", text))

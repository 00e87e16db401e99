"""The port of language models, in the house's own words; vendors live behind it in ai_providers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Speaker = Literal["rules", "citizen", "machine"]


@dataclass(frozen=True, slots=True)
class Said:
    """One turn that a model reads: our rules, what the citizen wrote, what the machine answered."""

    by: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a published text that a draft may rest on. Models are told its number, no address."""

    number: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What a model wrote, and on which passages it says to rest. A draft: somebody checks it."""

    text: str
    passages: tuple[int, ...]
    model: str  # which one wrote it, for the record


class ModelUnavailable(Exception):  # noqa: N818 - reads as what happened
    """No usable draft came in time: go on without one.

    Codes: those of crm.kit.http.CallFailed, and no_answer (it says so itself, or rests on nothing given).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class LanguageModel(Protocol):
    """Writes drafts. It decides nothing, sends nothing and sees no address or identity number."""

    @property
    def identity(self) -> str:
        """What tells it from any other, without its key."""

    def draft(self, turns: Sequence[Said], passages: Sequence[Passage], *, seconds: float) -> Draft:
        """A draft within so many seconds; raises ModelUnavailable otherwise."""

    def check_config(self) -> list[str]:
        """What is wrong with its settings, in words; nothing when it can be asked."""

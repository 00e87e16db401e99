"""How work on a case may end, and what becomes of its file then. Pure.

`results` [{"code", "name", "names", "nomination", "term"}]; `retention` {"nomination", "term"} is what
holds for a result that says nothing of it. `nomination` is "destroy" or "keep"; `term`, such as 5y, runs
from the day on which work ended: until then a file is kept in any case.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.parts.named import Problem, check_keys, check_list, objects, spoken
from cases.terms import Term, read_term
from crm.kit.errors import Text

DESTROY, KEEP = "destroy", "keep"
NOMINATIONS: Mapping[str, Text] = {
    DESTROY: gettext_lazy("Destroy it"),
    KEEP: gettext_lazy("Keep it for ever"),
}
MOST_RESULTS, MOST_YEARS = 30, 100
_KEYS = {"code", "name", "names", "nomination", "term"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which work ends."""

    code: str
    said: str
    names: Mapping[str, str]
    nomination: str
    term: Term

    @property
    def name(self) -> str:
        """What people call it."""
        return spoken(self.said, self.names)

    def keep_until(self, ended: date) -> date:
        """The last day on which the file is kept in any case."""
        count = self.term.count * (12 if self.term.unit == "y" else 1)
        year, month0 = divmod(ended.year * 12 + ended.month - 1 + count, 12)
        return date(year, month0 + 1, min(ended.day, monthrange(year, month0 + 1)[1]))


def read(bundle: Mapping[str, Any]) -> tuple[Outcome, ...]:
    """The results of a checked bundle, in its order; none: a move that ends work asks for none."""
    usual = bundle.get("retention") or {}
    found = []
    for one in bundle.get("results") or ():
        said = {**usual, **one}
        term = read_term(said["term"])
        assert term is not None
        found.append(
            Outcome(one["code"], one["name"], one.get("names", {}), said["nomination"], term)
        )
    return tuple(found)


def check_retention(bundle: Mapping[str, Any]) -> Iterable[Problem]:
    """What is wrong with what holds for every result."""
    usual = bundle.get("retention", {})
    if not isinstance(usual, Mapping):
        yield Problem("retention", _("It is not an object."))
        return
    yield from check_keys("retention", usual, {"nomination", "term"})
    yield from _check_fate("retention", usual, {"nomination", "term"} & set(usual))


def check(bundle: Mapping[str, Any]) -> Iterable[Problem]:
    """What is wrong with the results."""
    results = bundle.get("results", [])
    usual = bundle.get("retention")
    usual = usual if isinstance(usual, Mapping) else {}
    yield from check_list("results", results, MOST_RESULTS)
    for place, result in objects(results):
        where = f"results[{place}]"
        yield from check_keys(where, result, _KEYS)
        asked = {name for name in ("nomination", "term") if name in result or name not in usual}
        yield from _check_fate(where, result, asked)


def _check_fate(where: str, said: Mapping[str, Any], asked: set[str]) -> Iterator[Problem]:
    if "nomination" in asked and said.get("nomination") not in tuple(NOMINATIONS):
        text = _("Say what becomes of the file: %(names)s.")
        yield Problem(f"{where}.nomination", text % {"names": ", ".join(NOMINATIONS)})
    if "term" in asked and not _is_retention(said.get("term")):
        text = _("Write how long the file is kept in months or years, such as 6m or 5y.")
        yield Problem(f"{where}.term", text)


def _is_retention(term: Any) -> bool:
    try:
        read = read_term(term) if isinstance(term, str) else None
    except ValueError:
        return False
    months = {"m": 1, "y": 12}
    return (
        read is not None
        and read.unit in months
        and read.count * months[read.unit] <= 12 * MOST_YEARS
    )

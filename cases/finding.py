"""What plain words find: what has as many of them as anything has, and apart from it what is only related."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import Case, F, Q, Value, When

from cases.retrieval import words_of

MOST_WORDS = 20
MOST_RELATED = 6
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Finds(Generic[T]):
    """Both parts, likeliest first."""

    found: list[T]
    related: list[T]

    def shown(self, show: Callable[[list[T]], list[U]]) -> "Finds[U]":
        """Both as `show` makes of them."""
        return Finds(show(self.found), show(self.related))


@dataclass(frozen=True)
class Wanted:
    """The words of a search that say something, for rows of a model with a column `search`."""

    words: tuple[str, ...]

    @property
    def some(self) -> SearchQuery:
        """Any of the words."""
        return SearchQuery(" or ".join(self.words), config="es", search_type="websearch")

    @property
    def rank(self) -> Any:
        """How well a row fits: all words together count most."""
        every = SearchQuery(" ".join(self.words), config="es", search_type="plain")
        return SearchRank(F("search"), every) * 4 + SearchRank(F("search"), self.some)

    @property
    def has(self) -> Any:
        """How many of the words a row has."""
        total: Any = Value(0)
        for word in self.words:
            one = Q(search=SearchQuery(word, config="es", search_type="plain"))
            total += Case(When(one, then=1), default=0)
        return total

    def parted(self, rows: Iterable[tuple[T, int]]) -> Finds[T]:
        """The rows, each with how many words it has: found are those with most, if that is half of all."""
        counted = list(rows)
        most = max((has for _row, has in counted), default=0)
        enough = most if 2 * most >= len(self.words) else len(self.words) + 1
        return Finds(
            [row for row, has in counted if has >= enough],
            [row for row, has in counted if has < enough][:MOST_RELATED],
        )


def wanted(text: str, language: str) -> Wanted:
    """What a text asks for; nothing but words that every text has are no words."""
    typed = dict.fromkeys(re.findall(r"\w+", text.casefold())[:MOST_WORDS])
    said = [word for word in typed if words_of(word, language.split("-")[0])]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word FROM unnest(%s::text[]) WITH ORDINALITY AS typed (word, place)"
            " WHERE numnode(plainto_tsquery('es', word)) > 0 ORDER BY place",
            [said],
        )
        return Wanted(tuple(word for (word,) in cursor.fetchall()))

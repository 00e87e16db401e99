"""How well questions are answered from a set of articles, and where the retrieval's weights come from.

Pure, like `cases.retrieval`: the command `evaluate_answers` reads the files and prints.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from cases.retrieval import Answer, Article, Likeness, Scorer, Shelf

AIM = 0.0225  # share of wrong answers on the half that is fitted on: 4 % on any single set is the limit
DRAWS = 10  # how many times a third is left out


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the articles of which any answers it; none when it must not be answered."""

    key: str
    text: str
    expected: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many questions ended how."""

    answered_right: int
    answered_wrong: int
    abstained_rightly: int
    abstained_wrongly: int
    answerable: int

    @property
    def asked(self) -> int:
        """All of them."""
        return (
            self.answered_right
            + self.answered_wrong
            + self.abstained_rightly
            + self.abstained_wrongly
        )

    @property
    def right_of_answerable(self) -> float:
        """Share of the questions that have an answer in the set and got it."""
        return self.answered_right / self.answerable if self.answerable else 0.0

    @property
    def wrong_of_all(self) -> float:
        """Share of all questions that got a wrong answer, or one where there is none."""
        return self.answered_wrong / self.asked if self.asked else 0.0


class Shelves:
    """A scratch knowledge base: one shelf for each language; the surest answer of any counts."""

    def __init__(self, articles: Iterable[Article]) -> None:
        of_language: dict[str, list[Article]] = defaultdict(list)
        for article in articles:
            of_language[article.language].append(article)
        self._shelves = [Shelf(some, language) for language, some in of_language.items()]

    def answer(self, question: str) -> Answer | None:
        """The surest answer; None when no shelf has one."""
        found = [answer for shelf in self._shelves if (answer := shelf.answer(question))]
        return max(found, key=lambda answer: answer.sureness, default=None)


def evaluate(articles: Iterable[Article], questions: Iterable[Question]) -> Tally:
    """How the questions end when they are answered from these articles alone."""
    shelves = Shelves(articles)
    return _tally(
        (answer.article.key if (answer := shelves.answer(question.text)) else None, question)
        for question in questions
    )


def _tally(ends: Iterable[tuple[str | None, Question]]) -> Tally:
    right = wrong = rightly = wrongly = answerable = 0
    for key, question in ends:
        answerable += bool(question.expected)
        if key is None:
            rightly += not question.expected
            wrongly += bool(question.expected)
        else:
            right += key in question.expected
            wrong += key not in question.expected
    return Tally(right, wrong, rightly, wrongly, answerable)


# --- Finding weights and threshold --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """A question against what is nearest to it on a shelf with a third left out."""

    question: Question  # as that shelf can answer it
    key: str | None
    likeness: Likeness | None

    @property
    def right(self) -> bool:
        """Whether answering with it would be right."""
        return self.key in self.question.expected


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights and threshold as found on one half, and how each draw ends on the other."""

    scorer: Scorer
    threshold: float
    found_on: tuple[Tally, ...]
    reported: tuple[Tally, ...]


def fit(articles: Sequence[Article], questions: Sequence[Question], half: int = 0) -> Fitted:
    """Weights and threshold from every other question (`half` says which), reported on the rest.

    Half of the draws know the articles' titles, half do not: a set may have none.
    """
    draws = [list(_compared(articles, questions, draw)) for draw in range(DRAWS)]
    mine = [rows[half::2] for rows in draws]
    others = [rows[1 - half :: 2] for rows in draws]
    scorer = _fitted([row for rows in mine for row in rows if row.likeness])
    threshold = _threshold(scorer, [row for rows in mine for row in rows])
    return Fitted(
        scorer,
        threshold,
        tuple(_ended(scorer, threshold, rows) for rows in mine),
        tuple(_ended(scorer, threshold, rows) for rows in others),
    )


def left_out(articles: Sequence[Article], draw: int) -> frozenset[str]:
    """The keys of a third of the articles, another for each draw."""
    dice = random.Random(f"left out {draw}")  # noqa: S311 - repeatable by design
    return frozenset(article.key for article in dice.sample(list(articles), len(articles) // 3))


def _compared(
    articles: Sequence[Article], questions: Sequence[Question], draw: int
) -> Iterator[Compared]:
    out = left_out(articles, draw)
    kept = [article for article in articles if article.key not in out]
    if draw % 2:
        kept = [Article(one.key, "", one.body, one.language) for one in kept]
    shelf = Shelf(kept)
    for question in questions:
        asked = Question(question.key, question.text, question.expected - out)
        nearest = shelf.nearest(question.text)
        if nearest is None:
            yield Compared(asked, None, None)
        else:
            yield Compared(asked, nearest[0].key, nearest[2])


_NAMES = tuple(field.name for field in fields(Likeness))
_STEPS, _RATE, _KEEP_SMALL = 600, 0.8, 1e-3


def _fitted(rows: Sequence[Compared]) -> Scorer:
    """A logistic regression by plain gradient descent on standardised figures."""
    table = [[getattr(row.likeness, name) for name in _NAMES] for row in rows]
    ends = [float(row.right) for row in rows]
    count = len(rows)
    means = [sum(column) / count for column in zip(*table, strict=True)]
    spreads = [
        math.sqrt(sum((value - mean) ** 2 for value in column) / count) or 1.0
        for column, mean in zip(zip(*table, strict=True), means, strict=True)
    ]
    scaled = [
        [
            1.0,
            *(
                (value - mean) / spread
                for value, mean, spread in zip(row, means, spreads, strict=True)
            ),
        ]
        for row in table
    ]
    weights = [0.0] * (len(_NAMES) + 1)
    for _step in range(_STEPS):
        slopes = [0.0] * len(weights)
        for row, end in zip(scaled, ends, strict=True):
            miss = 1 / (1 + math.exp(-sum(w * v for w, v in zip(weights, row, strict=True)))) - end
            for place, value in enumerate(row):
                slopes[place] += miss * value
        weights = [
            weight - _RATE * (slope / count + _KEEP_SMALL * weight)
            for weight, slope in zip(weights, slopes, strict=True)
        ]
    plain = [weight / spread for weight, spread in zip(weights[1:], spreads, strict=True)]
    base = weights[0] - sum(weight * mean for weight, mean in zip(plain, means, strict=True))
    return Scorer(base, dict(zip(_NAMES, plain, strict=True)))


def _threshold(scorer: Scorer, rows: Sequence[Compared]) -> float:
    """The lowest sureness from which the share of wrong answers stays within the aim."""
    scored = sorted(
        ((scorer(row.likeness), row.right) for row in rows if row.likeness), reverse=True
    )
    wrong, lowest = 0, 1.0
    for sureness, right in scored:
        wrong += not right
        if wrong / len(rows) > AIM:
            break
        lowest = sureness
    return lowest


def _ended(scorer: Scorer, threshold: float, rows: Iterable[Compared]) -> Tally:
    return _tally(
        (row.key if row.likeness and scorer(row.likeness) >= threshold else None, row.question)
        for row in rows
    )

"""To whom a case is given, pure: against another reading of the rules, and in a few told situations."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random

import pytest

from cases.dealing import Ask, Passed, Person, choose, in_words, speaks
from cases.models import Method

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANA = Person(1, "Ana", load=5, capacity=40, last_given=NOON)
BLAS = Person(2, "Blas", load=3, capacity=40, last_given=NOON - timedelta(hours=1))
CELIA = Person(3, "Celia", load=4, capacity=40, share=50)


def who(ask: Ask, *people: Person) -> str:
    choice = choose(ask, people)
    return choice.person.name if choice.person else ""


def test_the_least_busy_is_measured_by_working_time() -> None:
    # Celia works half a day: her four are eight of a full one
    assert who(Ask(Method.LEAST_BUSY), ANA, BLAS, CELIA) == "Blas"
    assert who(Ask(Method.LEAST_BUSY), ANA, CELIA) == "Ana"
    assert CELIA.burden == Fraction(8)


def test_the_turn_is_of_who_was_given_something_longest_ago() -> None:
    assert who(Ask(Method.ROUND_ROBIN), ANA, BLAS, CELIA) == "Celia"
    assert who(Ask(Method.ROUND_ROBIN), ANA, BLAS) == "Blas"


def test_nobody_is_given_more_than_they_can_take() -> None:
    full = replace(ANA, load=38)
    assert who(Ask(Method.LEAST_BUSY, weight=2), full) == "Ana"
    refused = choose(Ask(Method.LEAST_BUSY, weight=3), [full])
    assert refused.person is None
    assert refused.passed == ((full, Passed.FULL),)
    assert who(Ask(Method.LEAST_BUSY), replace(ANA, capacity=0, load=0)) == ""


def test_the_first_reason_is_the_one_that_is_told() -> None:
    away = replace(ANA, away=True, sees_it=False, load=99)
    assert choose(Ask(Method.LEAST_BUSY), [away]).passed == ((away, Passed.AWAY),)
    back = replace(ANA, returned_it=True)
    assert choose(Ask(Method.LEAST_BUSY), [back]).passed == ((back, Passed.RETURNED),)
    skilled = Ask(Method.LEAST_BUSY, skills=frozenset({"herencias"}))
    assert choose(skilled, [ANA]).passed == ((ANA, Passed.SKILLS),)
    assert choose(Ask(Method.LEAST_BUSY), [replace(ANA, sees_it=False)]).passed[0][1] == "hidden"


def test_who_speaks_the_language_goes_first_and_nobody_is_left_out_where_none_does() -> None:
    catalan = replace(ANA, languages=frozenset({"ca"}))
    ask = Ask(Method.LEAST_BUSY, language="ca-valencia")
    choice = choose(ask, [catalan, BLAS])
    assert choice.person == catalan
    assert choice.why["language"] == "ca-valencia"
    assert who(ask, ANA, BLAS) == "Blas"
    assert "language" not in choose(ask, [ANA, BLAS]).why
    assert who(ask, replace(catalan, away=True), BLAS) == "Blas"
    assert not speaks(replace(ANA, languages=frozenset({"ca-valencia"})), "ca")


def oracle(ask: Ask, people: list[Person]) -> str:
    """By elimination, one rule after another, on a list of names."""
    left = [p for p in people if not p.away and p.sees_it and not p.returned_it]
    left = [p for p in left if all(skill in p.skills for skill in ask.skills)]
    left = [p for p in left if p.capacity - p.load >= ask.weight]
    if ask.language:
        near = {ask.language, ask.language.split("-")[0]}
        left = [p for p in left if near & p.languages] or left
    never = datetime(1, 1, 1, tzinfo=UTC)
    given = {p.key: p.last_given or never for p in left}

    def least(values: dict[int, object]) -> list[Person]:
        low = min(values[p.key] for p in left)  # type: ignore[type-var]
        return [p for p in left if values[p.key] == low]

    burdens: dict[int, object] = {p.key: p.load / p.share for p in left}
    turns: dict[int, object] = dict(given)
    order = [turns, burdens] if ask.method == Method.ROUND_ROBIN else [burdens, turns]
    for values in order:
        if left:
            left = least(values)
    return min(left, key=lambda p: p.key).name if left else ""


@pytest.mark.parametrize("seed", range(20))
def test_choice_equals_elimination_on_random_teams(seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - repeatable
    for _round in range(200):
        people = [
            Person(
                key,
                f"P{key}",
                load=dice.randrange(12),
                capacity=dice.randrange(14),
                share=dice.choice([25, 50, 100]),
                skills=frozenset(dice.sample(["a", "b"], dice.randrange(3))),
                languages=frozenset(dice.sample(["ca", "eu"], dice.randrange(3))),
                last_given=NOON - timedelta(hours=dice.randrange(4))
                if dice.random() < 0.7
                else None,
                away=dice.random() < 0.2,
                returned_it=dice.random() < 0.1,
                sees_it=dice.random() < 0.9,
            )
            for key in range(dice.randrange(7))
        ]
        ask = Ask(
            dice.choice([Method.ROUND_ROBIN, Method.LEAST_BUSY]),
            weight=dice.randrange(1, 4),
            skills=frozenset(dice.sample(["a", "b"], dice.choice([0, 0, 1, 2]))),
            language=dice.choice(["", "ca", "eu", "ca-valencia"]),
        )
        assert who(ask, *people) == oracle(ask, people)
        shuffled = dice.sample(people, len(people))
        assert choose(ask, shuffled) == choose(ask, people)
        assert len(choose(ask, people).passed) <= len(people)


def test_a_story_says_why() -> None:
    three = choose(Ask(Method.LEAST_BUSY, skills=frozenset()), [ANA, BLAS, CELIA]).why
    assert in_words(three) == "The least busy of 3 people: 3 of 40 points before."
    turn = choose(Ask(Method.ROUND_ROBIN), [ANA, BLAS]).why
    assert in_words(turn) == "In turn among 2 people; 3 of 40 points before."
    alone = choose(Ask(Method.ROUND_ROBIN), [ANA]).why
    assert in_words(alone) == "Nobody else could have it; 5 of 40 points before."
    away = {"how": "substitute", "absent": "Ana", "until": "2026-03-10"}
    assert in_words(away) == "Ana is away until 10 de marzo de 2026, and this is who stands in."
    assert in_words({"how": "something of tomorrow"}) == ""

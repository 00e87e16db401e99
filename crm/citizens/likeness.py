"""How alike two names are, and how a word may be misspelt. Pure; words come folded."""

from collections.abc import Iterable, Sequence
from string import ascii_lowercase


def slips(one: str, other: str, most: int = 2) -> int:
    """How many slips of the hand turn one word into the other; `most + 1` stands for any more.

    A slip is a letter lost, added or changed, or two neighbours in the wrong order.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, mine in enumerate(one, 1):
        two_before, before, row = before, row, [i]
        for j, theirs in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (mine != theirs))
            if i > 1 and j > 1 and mine == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, two_before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def misspellings(word: str) -> set[str]:
    """Every word that is exactly one slip away, of Latin letters."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    lost = {left + right[1:] for left, right in cuts if right}
    turned = {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    changed = {
        left + letter + right[1:] for left, right in cuts if right for letter in ascii_lowercase
    }
    added = {left + letter + right for left, right in cuts for letter in ascii_lowercase}
    return (lost | turned | changed | added) - {word, ""}


def name_slips(one: Iterable[str], other: Iterable[str], most: int = 2) -> int:
    """Slips between two names whatever the order of their words; `most + 1` stands for any more.

    A second surname that only one of them has counts as one slip.
    """
    left, right = sorted(one), sorted(other)
    common = _common(left, right)
    for word in common:
        left.remove(word)
        right.remove(word)
    if len(left) < len(right):
        left, right = right, left
    if len(left) - len(right) > 1 or (len(left) > len(right) and len(common) + len(right) < 2):
        return most + 1
    total = len(left) - len(right)
    for word in right:
        nearest = min(left, key=lambda candidate: slips(word, candidate, most))
        total += slips(word, nearest, most)
        left.remove(nearest)
    return min(total, most + 1)


def _common(left: Sequence[str], right: Sequence[str]) -> list[str]:
    rest = list(right)
    common = []
    for word in left:
        if word in rest:
            rest.remove(word)
            common.append(word)
    return common

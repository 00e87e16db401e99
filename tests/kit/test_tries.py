"""So many tries, then a wait; each door and each person counted apart."""

import pytest
from django.core.cache import cache

from crm.kit.errors import TooMany
from crm.kit.tries import count_try


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


def attempt(what: str = "door", who: str = "ana") -> None:
    count_try(what, who, most=3, seconds=60, message="Espere.")


def test_after_so_many_one_waits() -> None:
    for _try in range(3):
        attempt()
    with pytest.raises(TooMany) as refused:
        attempt()
    assert (str(refused.value), refused.value.retry_after) == ("Espere.", 60)


def test_others_and_other_doors_are_counted_apart() -> None:
    for _try in range(3):
        attempt()
    attempt(who="eva")
    attempt(what="window")
    with pytest.raises(TooMany):
        attempt()  # theirs have not freed one's own


def test_when_the_time_is_over_one_may_try_again() -> None:
    for _try in range(3):
        attempt()
    with pytest.raises(TooMany):
        attempt()
    cache.clear()  # as the time-out does
    for _try in range(3):
        attempt()
    with pytest.raises(TooMany):
        attempt()

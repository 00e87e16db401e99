"""Expressions over cases: equal to a reading case by case, whoever asks; what a filter can say stays one.

`QUERY_COMBINATIONS=10000 python3 boot.py test tests/cases/test_query.py` compares that many.
"""

import os
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.lists import count, find, matching
from cases.query import understood
from tests.cases.query_world import Said, Seer, expressions, make_heap
from tests.conftest import World

pytestmark = pytest.mark.django_db

COMBINATIONS = int(os.environ.get("QUERY_COMBINATIONS", "300"))
HEAPS = max(4, COMBINATIONS // 250)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=ZoneInfo("Europe/Madrid"))  # a Friday


@pytest.fixture(autouse=True)
def at_a_fixed_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What today is must not change between a query and its reading."""
    real = timezone.localtime
    monkeypatch.setattr(
        timezone, "localtime", lambda value=None, zone=None: real(value or NOW, zone)
    )


@pytest.mark.parametrize("seed", range(HEAPS))
def test_it_finds_what_a_reading_case_by_case_finds(world: World, seed: int) -> None:
    heap = make_heap(world, seed, NOW)

    @settings(
        max_examples=COMBINATIONS // HEAPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(seer=st.sampled_from(heap.seers), said=expressions(heap))
    def compare(seer: Seer, said: Said) -> None:
        expression = understood(seer.actor, said.text)
        if expression.problems:  # another organisation's codes are unknown; names are not for all
            foreign = seer.actor.organisation_id != world.here.pk
            assert foreign or (said.names and not seer.finds_citizens), expression.problems
            return
        wanted = {
            case.reference for case in heap.cases if seer.sees(case) and said.means(seer, case)
        }
        asked = expression.alone()
        with transaction.atomic():
            found = set(matching(seer.actor, asked).values_list("reference", flat=True))
            assert found == wanted, said.text
            listed = [case.reference for case in find(seer.actor, asked, size=100).rows]
            assert sorted(listed) == sorted(wanted), said.text
            assert count(seer.actor, asked) in (len(wanted), None)

    compare()

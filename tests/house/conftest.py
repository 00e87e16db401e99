"""The estate, built once for each module."""

import logging
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django import DjangoDbBlocker

from crm.kit.api import limits
from tests.house.estate import Estate
from tests.house.estate import estate as build


@pytest.fixture(scope="module")
def estate(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Estate]:
    """Two organisations with one of everything; what a test changes is undone after it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(limits, "STRANGERS_PER_MINUTE", 1_000_000)
    with django_db_blocker.unblock(), build(tmp_path_factory.mktemp("estate")) as found:
        cache.clear()
        logging.disable(logging.WARNING)  # thousands of refusals, each of them meant
        yield found
    logging.disable(logging.NOTSET)
    patch.undo()

"""The estate of tests/house, for attacks on it."""

from tests.house.conftest import estate

__all__ = ["estate"]

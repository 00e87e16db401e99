"""Statements that the database plans once and keeps, where rows are reached by their keys.

Half of what PostgreSQL spends on a page is planning the same short statements anew (measured on the
case page: 14 ms of its time, 3 ms with kept plans). A kept plan knows no values, so that it suits
only rows found by a key: lists, searches and counts, whose best way depends on how many rows fit,
are planned for their values every time, as Django does by default.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.backends.postgresql.base import Cursor, ServerBindingCursor

_BY_KEY: ContextVar[bool] = ContextVar("by_key", default=False)


@contextmanager
def by_key(on: bool = True) -> Iterator[None]:
    """Within it (or in what it decorates) statements are prepared; `on=False` is for a search inside.

    A statement may carry at most 65,535 values there (PostgreSQL's protocol), so long lists of keys
    have no place in it.
    """
    token = _BY_KEY.set(on)
    try:
        yield
    finally:
        _BY_KEY.reset(token)


def cursor(connection: Any, **options: Any) -> Any:
    """The cursor that the settings name: one that binds and prepares in the server, or the usual one."""
    kind: Any = ServerBindingCursor if _BY_KEY.get() else Cursor
    return kind(connection, **options)

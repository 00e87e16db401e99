"""Statements that the database keeps: only where rows are reached by their keys."""

import pytest
from django.db import connection

from crm.kit.prepared import by_key
from crm.organisations.models import Unit
from tests.conftest import World


def kept() -> list[str]:
    """The statements that this connection has prepared on units."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE %s",
                       ['%FROM "organisations_unit"%'])  # fmt: skip
        return [row[0] for row in cursor.fetchall()]


def ask_often(unit: Unit) -> None:
    for _ in range(5):
        assert Unit.objects.unscoped("a test").get(uuid=unit.uuid) == unit


def test_by_key_a_statement_is_planned_once_and_elsewhere_every_time(world: World) -> None:
    ask_often(world.unit)
    assert kept() == []
    with by_key():
        ask_often(world.unit)
    (statement,) = kept()
    assert str(world.unit.uuid) not in statement, "the value is bound, not written into it"
    ask_often(world.other_unit)
    assert kept() == [statement]


def test_a_search_inside_is_planned_for_its_values(world: World) -> None:
    @by_key(on=False)
    def search() -> None:
        ask_often(world.unit)

    with by_key():
        search()
        assert kept() == []
        ask_often(world.unit)
        assert len(kept()) == 1


def test_after_a_fault_statements_are_planned_anew_again(world: World) -> None:
    with pytest.raises(ZeroDivisionError), by_key():
        raise ZeroDivisionError
    ask_often(world.unit)
    assert kept() == []

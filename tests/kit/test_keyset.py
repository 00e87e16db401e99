"""Keyset pages: every row once, whatever the page's size; a cursor from elsewhere is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from crm.kit.errors import Invalid
from crm.kit.keyset import Order, cursor_at, following, read_page
from crm.kit.models import StreamEvent

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def rows(db: None) -> None:
    # three a moment, so that the last column decides
    StreamEvent.objects.bulk_create(
        StreamEvent(stream="t", seq=number, patch={}, at=START + timedelta(hours=number // 3))
        for number in range(20)
    )


@pytest.mark.parametrize("size", [1, 7, 19, 20, 21])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_hold_every_row_once_in_order(rows: None, size: int, descending: bool) -> None:
    order = Order(("at", "id"), descending)
    found, cursor, pages = [], "", 0
    while True:
        page = read_page(StreamEvent.objects.all(), order, cursor, size)
        found += [row.seq for row in page.rows]
        cursor, pages = page.after, pages + 1
        if not cursor:
            break
    assert found == sorted(range(20), reverse=descending)
    assert pages == -(-20 // size)


def test_rows_that_come_in_meanwhile_move_nothing(rows: None) -> None:
    order = Order(("at", "id"), descending=True)
    first = read_page(StreamEvent.objects.all(), order, "", 10)
    StreamEvent.objects.create(stream="t", seq=99, patch={}, at=START + timedelta(days=1))
    second = read_page(StreamEvent.objects.all(), order, first.after, 10)
    assert [row.seq for row in first.rows + second.rows] == list(range(19, -1, -1))


def test_the_place_is_one_comparison_of_rows(rows: None) -> None:
    order = Order(("at", "id"))
    row = StreamEvent.objects.order_by("id")[4]
    query = str(following(StreamEvent.objects.all(), order, cursor_at(row, order)).query)
    assert '("kit_streamevent"."at", "kit_streamevent"."id") > (' in query


@pytest.mark.parametrize(
    "cursor",
    [
        "rubbish",
        "W10",  # []
        "WyJ4IiwiMSJd",  # ["x","1"]
        "WzEsMl0",  # [1,2]
        "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIjk5OTk5OTk5OTk5OTk5OTk5OTk5Il0",  # a number too large
        "é" * 40,
        "\0",
    ],
)
def test_a_cursor_from_elsewhere_is_refused(rows: None, cursor: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_page(StreamEvent.objects.all(), Order(("at", "id")), cursor)
    assert raised.value.code == "cursor_invalid"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_cursor_with_what_no_database_keeps_is_refused(rows: None, text: str) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([text, "1"]).encode()).decode()
    with pytest.raises(Invalid) as raised:
        read_page(StreamEvent.objects.all(), Order(("stream", "id")), cursor)
    assert raised.value.code == "cursor_invalid"

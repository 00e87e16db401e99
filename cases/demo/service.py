"""The demo's service targets: what each kind of case promises, and how it stands with the cases of late."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cases import targets
from cases.demo.stories import Story
from cases.models import Event, ServiceClock, ServicePause, ServiceTarget
from cases.services.targets import apply_event
from cases.target_book import Book, nearest
from cases.terms import read_term
from crm.kit.demo import Demo
from crm.organisations.services import calendar_for

_OF_LATE = timedelta(days=40)
_TOLD = timedelta(days=1)  # what is missed since then the worker finds by itself
_HOURS = {"wd": 5, "d": 3, "m": 95, "y": 1_150}  # of attention in one


def promised(term: str) -> list[dict[str, Any]]:
    """Answers within days, and a resolution before the law's last day."""
    found = read_term(term)
    assert found is not None
    hours = found.count * _HOURS[found.unit] * 4 // 5
    pressing = {"priority": ["high", "urgent"]}
    return [
        {
            "measure": "first_answer",
            "within": "24h",
            "warn": "75%",
            "for": pressing,
            "at_breach": {"tell": ["assignee"]},
        },
        {"measure": "next_answer", "within": "16h", "warn": "4h"},
        {"measure": "resolution", "within": f"{hours}h", "warn": "85%"},
    ]


def promise(demo: Demo, stories: Sequence[Story]) -> None:
    """The cases that are open, or ended lately, have the targets that their events have moved."""
    books = [_book(story) for story in stories if _of_late(demo, story)]
    kept = [one for book in books for one in book.kept]
    for one in kept:
        due, warn = one.row.due_at, one.row.warn_at
        if one.runs and due and due < demo.now - _TOLD:
            one.row.breached_at = one.row.warned_at = due
        elif one.runs and warn and warn < demo.now - _TOLD:
            one.row.warned_at = warn
    ServiceTarget.objects.bulk_create([one.row for one in kept])
    for one in kept:
        for pause in one.pauses:
            pause.target = one.row
    ServicePause.objects.bulk_create([pause for one in kept for pause in one.pauses])
    ServiceClock.objects.bulk_create(
        ServiceClock(
            case=book.case,
            organisation_id=book.case.organisation_id,
            unit_id=book.case.unit_id,
            **nearest(one.row for one in book.kept),
        )
        for book in books
        if book.kept
    )
    demo.made["service targets"] += len(kept)


def _of_late(demo: Demo, story: Story) -> bool:
    ended = story.case.closed_at
    return ended is None or ended > demo.now - _OF_LATE


def _book(story: Story) -> Book:
    case = story.case
    book = Book(case, targets.of_bundle(case.type_version.bundle), calendar_for(case.unit))
    # as the case was at its opening: what ended it comes with the events
    category, case.category = case.category, 0
    told = sorted((row for row in story.rows if isinstance(row, Event)), key=lambda row: row.seq)
    for event in told:
        if event.kind in ("opened", "moved", "messaged"):
            case.category = int(event.data.get("category", case.category))
            apply_event(book, event)
    case.category = category
    return book

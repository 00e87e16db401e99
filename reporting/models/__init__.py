"""Tables of the reporting room, split by concern."""

from reporting.models.exports import Export
from reporting.models.figures import CaseFact, District, FactState, Subtree, Tally
from reporting.models.histories import (
    HistoryBatch,
    IssuedHistory,
    IssuedHistoryQuerySet,
    Variant,
    beside_protected,
    cases_of_protected,
)
from reporting.models.work import Status, Work

__all__ = [
    "CaseFact",
    "District",
    "Export",
    "FactState",
    "HistoryBatch",
    "IssuedHistory",
    "IssuedHistoryQuerySet",
    "Status",
    "Subtree",
    "Tally",
    "Variant",
    "Work",
    "beside_protected",
    "cases_of_protected",
]

"""Tables of the cases room, split by concern."""

from cases.models.application import AccessCode, Application, DraftPaper
from cases.models.case import (
    Case,
    Confidentiality,
    Document,
    Event,
    EventKind,
    Link,
    Message,
    Note,
    Participant,
    ReferenceCounter,
)
from cases.models.catalogue import CaseType, CaseTypeVersion, StateCategory
from cases.models.clock import ClockInterval, ClockState
from cases.models.knowledge import Article, ArticleVersion
from cases.models.procedures import Procedure, ProcedureText
from cases.models.views import SavedView, ViewPlace
from cases.models.work import BulkAction, BulkRow, Import, ImportProblem

__all__ = [
    "AccessCode",
    "Application",
    "Article",
    "ArticleVersion",
    "BulkAction",
    "BulkRow",
    "Case",
    "CaseType",
    "CaseTypeVersion",
    "ClockInterval",
    "ClockState",
    "Confidentiality",
    "Document",
    "DraftPaper",
    "Event",
    "EventKind",
    "Import",
    "ImportProblem",
    "Link",
    "Message",
    "Note",
    "Participant",
    "Procedure",
    "ProcedureText",
    "ReferenceCounter",
    "SavedView",
    "StateCategory",
    "ViewPlace",
]

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
from cases.models.merging import CaseMerge, CaseMergeLine
from cases.models.procedures import Procedure, ProcedureText
from cases.models.work import BulkAction, Import, ImportProblem

__all__ = [
    "AccessCode",
    "Application",
    "Article",
    "ArticleVersion",
    "BulkAction",
    "Case",
    "CaseMerge",
    "CaseMergeLine",
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
    "StateCategory",
]

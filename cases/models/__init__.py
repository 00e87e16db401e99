"""Tables of the cases room, split by concern."""

from cases.models.answers import AnswerFile, AnswerVersion, Audience, CannedAnswer, MessageFile
from cases.models.application import AccessCode, Application, DraftPaper
from cases.models.assignment import Distribution, Handover, Method, WorkProfile
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
from cases.models.drafting import Draft
from cases.models.following import Follower, ViewWatch
from cases.models.frozen import FrozenAnswer
from cases.models.knowledge import Article, ArticleVersion
from cases.models.macros import Macro, MacroKey, MacroRun
from cases.models.merging import CaseMerge, CaseMergeLine
from cases.models.procedures import Procedure, ProcedureText
from cases.models.representation import Representation, RepresentativeAccess
from cases.models.service import (
    InformationLetter,
    Measure,
    PapersRequest,
    ServiceClock,
    ServicePause,
    ServiceTarget,
)
from cases.models.studio import CaseResult, VersionMigration, VersionMigrationRefusal
from cases.models.task import SETTLED, UNSETTLED, Paper, Task, TaskOrder, TaskState
from cases.models.transfers import (
    TRANSFERRED,
    CaseTransfer,
    Consultation,
    ConsultationWord,
    Custody,
)
from cases.models.views import SavedView, ViewPlace
from cases.models.work import BulkAction, BulkRow, Import, ImportProblem

__all__ = [
    "SETTLED",
    "TRANSFERRED",
    "UNSETTLED",
    "AccessCode",
    "AnswerFile",
    "AnswerVersion",
    "Application",
    "Article",
    "ArticleVersion",
    "Audience",
    "BulkAction",
    "BulkRow",
    "CannedAnswer",
    "Case",
    "CaseMerge",
    "CaseMergeLine",
    "CaseResult",
    "CaseTransfer",
    "CaseType",
    "CaseTypeVersion",
    "ClockInterval",
    "ClockState",
    "Confidentiality",
    "Consultation",
    "ConsultationWord",
    "Custody",
    "Distribution",
    "Document",
    "Draft",
    "DraftPaper",
    "Event",
    "EventKind",
    "Follower",
    "FrozenAnswer",
    "Handover",
    "Import",
    "ImportProblem",
    "InformationLetter",
    "Link",
    "Macro",
    "MacroKey",
    "MacroRun",
    "Measure",
    "Message",
    "MessageFile",
    "Method",
    "Note",
    "Paper",
    "PapersRequest",
    "Participant",
    "Procedure",
    "ProcedureText",
    "ReferenceCounter",
    "Representation",
    "RepresentativeAccess",
    "SavedView",
    "ServiceClock",
    "ServicePause",
    "ServiceTarget",
    "StateCategory",
    "Task",
    "TaskOrder",
    "TaskState",
    "VersionMigration",
    "VersionMigrationRefusal",
    "ViewPlace",
    "ViewWatch",
    "WorkProfile",
]

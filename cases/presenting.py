"""How a case is shown: its state in the organisation's words, its clock; what a case type says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.clocks import Clock, clock
from cases.models import Case, Message, StateCategory
from cases.permissions import CHANGE_CASE
from cases.target_view import nearest_target
from cases.texts import one_line
from cases.workflow import OUTCOME, REASON, RESULT, Workflow, of_version
from crm.citizens.models import Citizen, CitizenRecord
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.organisations.services import calendar_for

CHANNEL_ICONS = {
    "phone": "phone",
    "web_chat": "message-circle",
    "whatsapp": "brand-whatsapp",
    "social": "messages",
    "email": "mail",
    "sms": "device-mobile",
    "video": "video",
    "in_person": "walk",
    "post": "mailbox",
    "web_form": "file-text",
}

COLUMNS: Mapping[str, Text] = {
    "state": gettext_lazy("State"),
    "due": gettext_lazy("Due date"),
    "target": gettext_lazy("Service target"),
    "assignee": gettext_lazy("Assignee"),
    "unit": gettext_lazy("Unit"),
    "type": gettext_lazy("Case type"),
    "channel": gettext_lazy("Channel"),
    "priority": gettext_lazy("Priority"),
    "opened": gettext_lazy("Opened"),
    "moved": gettext_lazy("Last change"),
}
"""What a row of a list may show, in this order."""


@dataclass(frozen=True)
class Row:
    """A case in a list."""

    case: Case
    state: str
    category: str  # for the tag chip_state
    citizen: str  # as they may be named here: of a protected record only the initials
    clock: Clock | None
    target: Clock | None  # the nearest service target
    channel_icon: str
    takeable: bool  # nobody has it, and the actor may take it

    @property
    def pick_label(self) -> str:
        """What its checkbox is called."""
        return _("Select the case %(reference)s") % {"reference": self.case.reference}

    @property
    def take_label(self) -> str:
        """What the button that takes it is called."""
        return _("Take the case %(reference)s") % {"reference": self.case.reference}


def columns_shown(chosen: Iterable[str]) -> dict[str, bool]:
    """For every column whether it is among those chosen: what the template of rows asks."""
    wanted = set(chosen)
    return {key: key in wanted for key in COLUMNS}


def named(citizen: Citizen | None) -> str:
    """The citizen's name as a list may show it; their record here was read with the case (`here`)."""
    if citizen is None:
        return ""
    records: list[CitizenRecord] = getattr(citizen, "here", [])
    return records[0].shown_name if records else citizen.full_name


def author_of(message: Message, citizen: Citizen | None, name: str) -> str:
    """Who wrote a message; the case's citizen by the name by which they may be named here."""
    if citizen is None or message.direction != Message.Direction.IN:
        return message.author_name
    own = message.author_name == one_line(citizen.full_name)[:200]
    return name if own else message.author_name


def rows_of(actor: Actor, cases: Iterable[Case]) -> list[Row]:
    """The cases as rows for the actor; they were read by `lists.with_row`."""
    now = timezone.now()
    return [row_of(actor, case, now) for case in cases]


def row_of(actor: Actor, case: Case, now: datetime | None = None) -> Row:
    """One case as a row."""
    may_take = actor.user_id is not None and actor.reach(CHANGE_CASE).covers(case.unit_id)
    return Row(
        case=case,
        state=of_version(case.type_version.bundle).name_of(case.state),
        category=StateCategory(case.category).name.lower(),
        citizen=named(case.citizen),
        clock=clock(case, calendar_for(case.unit), now) if case.due_at else None,
        target=nearest_target(case, now),
        channel_icon=CHANNEL_ICONS.get(case.channel, "folder"),
        takeable=may_take and case.assignee_id is None and not case.ended,
    )


def asks_in_words(workflow: Workflow, asks: Iterable[str]) -> str:
    """What a move asks for, as its form calls it."""
    words = {REASON: _("Reason"), OUTCOME: _("Outcome"), RESULT: _("Way of ending")}
    return ", ".join(words.get(name) or workflow.fields.label_of(name) for name in asks)

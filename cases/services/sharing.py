"""What canned answers and macros have in common: a name, who has them, where they fit, checked alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from django.utils.translation import gettext as _

from cases.answers import workflows
from cases.models import Audience, CaseType
from cases.texts import one_line
from cases.workflow import CATEGORIES
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Text
from crm.organisations.models import Unit


@dataclass
class Wrong:
    """What is wrong with what was given, by field."""

    errors: dict[str, list[Text]] = field(default_factory=dict)

    def add(self, name: str, text: Text) -> None:
        """One more thing."""
        self.errors.setdefault(name, []).append(text)

    def raise_any(self) -> None:
        """Invalid with all of it, if there is any."""
        if self.errors:
            raise Invalid(errors=self.errors)


class Placed(Protocol):
    """Something with a name that somebody has and that fits somewhere."""

    @property
    def name(self) -> str: ...
    @property
    def audience(self) -> str: ...
    @property
    def unit(self) -> UUID | None: ...
    @property
    def case_types(self) -> Sequence[str]: ...
    @property
    def states(self) -> Sequence[str]: ...


def check_placed(actor: Actor, given: Placed, longest: int, wrong: Wrong) -> Unit | None:
    """The unit that has it, if one has; what is wrong with its name and place is said."""
    if not 1 <= len(one_line(given.name)) <= longest:
        wrong.add("name", _("Write a name of at most %(count)s signs.") % {"count": longest})
    if given.audience not in Audience.values:
        wrong.add("audience", _("Choose one of the offered values."))
    own = CaseType.objects.for_actor(actor).filter(code__in=given.case_types)
    for code in sorted(set(given.case_types) - set(own.values_list("code", flat=True))):
        wrong.add("case_types", _("There is no case type “%(code)s”.") % {"code": code})
    states = set(CATEGORIES)
    for workflow in workflows(actor, given.case_types).values():
        states |= set(workflow.states)
    for code in sorted(set(given.states) - states):
        wrong.add("states", _("There is no state “%(code)s”.") % {"code": code})
    return _unit(actor, given, wrong)


def _unit(actor: Actor, given: Placed, wrong: Wrong) -> Unit | None:
    if given.audience != Audience.UNIT:
        return None
    found = None
    if given.unit is not None:
        mine = Unit.objects.for_actor(actor).filter(closed_on=None, uuid=given.unit)
        found = mine.first()
    if found is None:
        wrong.add("unit", _("There is no such unit, or it is closed."))
    return found

"""The form of one's choices: a line for each kind of news, quiet hours, what is done by itself."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.notices.kinds import Kind, kinds, switches
from crm.notices.models import Habits, Mail


class HabitsForm(forms.Form):
    """When no e-mail comes, and when the daily one does."""

    quiet_from = forms.TimeField(label=_("No e-mail from"), required=False)
    quiet_to = forms.TimeField(label=_("until"), required=False)
    daily_at = forms.TimeField(label=_("The daily e-mail comes at"))

    def __init__(self, data: Mapping[str, Any] | None = None, *, habits: Habits) -> None:
        names = ("quiet_from", "quiet_to", "daily_at")
        super().__init__(data, initial={name: getattr(habits, name) for name in names})
        for field in self.fields.values():
            field.widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


def ways_of(said: Mapping[str, str]) -> dict[str, tuple[bool, str]]:
    """What the lines of the form say: `console-KIND` ticked or not, `mail-KIND` one of Mail."""
    return {
        name: (f"console-{name}" in said, said[f"mail-{name}"])
        for name in kinds
        if f"mail-{name}" in said
    }


def switched_of(said: Mapping[str, str]) -> dict[str, bool]:
    """What is to be done by itself; only asked of a form that shows it."""
    return {name: f"switch-{name}" in said for name in switches} if "switches" in said else {}


def lines(chosen: Mapping[str, tuple[bool, str]]) -> list[tuple[str, Kind, bool, str]]:
    """A line for each kind, as it is now."""
    found = []
    for name, kind in kinds.items():
        console, mail = chosen.get(name, (kind.console, kind.mail))
        found.append((name, kind, console, mail))
    return found


WAYS = Mail.choices

"""What is decided when records are merged and parted."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from crm.citizens.models import CitizenRecord, Need
from crm.citizens.services.merging import CHOSEN, NAMES, Doubt, Pair
from crm.kit.forms import ServiceForm

STAYS, MERGED = "survivor", "merged"
_LABELS: dict[str, Any] = {
    "name": _("Name"),
    "surname1": _("First surname"),
    "surname2": _("Second surname"),
    "birth_date": _("Date of birth"),
    "language": _("Language"),
    "preferred_channel": _("Preferred channel"),
    "accessibility_needs": _("Accessibility needs"),
}


class MergeForm(ServiceForm):
    """Which value stays where the two records differ, and why they are one person's."""

    reason = forms.CharField(
        label=_("How do you know that it is the same person?"),
        max_length=240,
        help_text=_("It stays in the history of both records."),
    )

    def __init__(self, pair: Pair, doubts: Sequence[Doubt], data: Any) -> None:
        super().__init__(data)
        for name in CHOSEN:
            mine, theirs = (_said(record, name) for record in (pair.survivor, pair.merged))
            if mine != theirs:
                self.fields[f"take_{name}"] = forms.ChoiceField(
                    label=_LABELS[name],
                    choices=[(STAYS, mine), (MERGED, theirs)],
                    initial=MERGED if not _value(pair.survivor, name) else STAYS,
                    widget=forms.RadioSelect,
                )
        if doubts and not any(doubt.final for doubt in doubts):
            self.fields["despite"] = forms.BooleanField(
                label=_("I have looked at what speaks against it: it is the same person"),
                required=True,
            )
        self.order_fields([*(f"take_{name}" for name in CHOSEN), "reason", "despite"])

    @property
    def choices(self) -> list[forms.BoundField]:
        """The fields in which the two differ."""
        return [self[name] for name in self.fields if name.startswith("take_")]

    @property
    def taken(self) -> list[str]:
        """What the survivor takes from the other."""
        return [name for name in CHOSEN if self.cleaned_data.get(f"take_{name}") == MERGED]


class UndoForm(ServiceForm):
    """Why a merge is taken back."""

    reason = forms.CharField(label=_("Why are they not the same person?"), max_length=240)
    different = forms.BooleanField(
        label=_("They are different people: never propose them again"),
        required=False,
        initial=True,
    )


def _value(record: CitizenRecord, name: str) -> Any:
    return getattr(record.citizen if name in NAMES else record, name)


def _said(record: CitizenRecord, name: str) -> str:
    """A value as people read it."""
    value = _value(record, name)
    if not value:
        return "—"
    if name == "birth_date":
        return date_format(value)
    if name == "language":
        return str(get_language_info(value.split("-")[0])["name_local"]).capitalize()
    if name == "preferred_channel":
        return str(record.get_preferred_channel_display())
    if name == "accessibility_needs":
        return ", ".join(str(Need(need).label) for need in sorted(value))
    return str(value)

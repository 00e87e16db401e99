"""The form of a service target: what is promised beyond the law, for which cases, and what happens else."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import Item, field_of
from cases.models import Case
from cases.studio_forms.base import ItemForm, mapping, put, texts_in, with_unknown
from cases.targets import (
    ASSIGNEE,
    MEASURES,
    SUPERVISORS,
    UNIT,
    USUAL_PAUSES,
    WAITING,
    check_rule,
)
from crm.citizens.models import Channel

_BOXES = forms.CheckboxSelectMultiple
_TOLD = (
    (ASSIGNEE, gettext_lazy("Whoever has the case")),
    (SUPERVISORS, gettext_lazy("Those who distribute the unit's work")),
)
SLUG = "compromisos"


class ServiceTargetForm(ItemForm):
    """A service target; it has no name but what it measures."""

    spoken = ()
    measure = forms.ChoiceField(
        label=gettext_lazy("What is promised"),
        choices=list(MEASURES.items()),
        widget=forms.RadioSelect,
        initial="resolution",
    )
    within = forms.CharField(
        label=gettext_lazy("Within"),
        max_length=20,
        help_text=gettext_lazy("Time of attention: 4h, 90min or 1h30min."),
    )
    warn = forms.CharField(
        label=gettext_lazy("Warning"),
        max_length=20,
        required=False,
        help_text=gettext_lazy(
            "When so much of the time has gone, 75%, or so long before its end, 4h. Empty: none."
        ),
    )
    pauses = forms.MultipleChoiceField(
        label=gettext_lazy("It stands still while"),
        choices=[(code, category.label) for code, category in WAITING.items()],
        widget=_BOXES,
        required=False,
    )
    priority = forms.MultipleChoiceField(
        label=gettext_lazy("Only for these priorities"),
        choices=[(one.name.lower(), one.label) for one in Case.Priority],
        widget=_BOXES,
        required=False,
    )
    channel = forms.MultipleChoiceField(
        label=gettext_lazy("Only for these channels"),
        choices=Channel.choices,
        widget=_BOXES,
        required=False,
    )
    need = forms.MultipleChoiceField(
        label=gettext_lazy("Only for people with these needs"),
        choices=[
            ("language", gettext_lazy("Another language than Spanish")),
            ("accessibility", gettext_lazy("Accessibility")),
        ],
        widget=_BOXES,
        required=False,
    )
    warning_tell = forms.MultipleChoiceField(
        label=gettext_lazy("Who is told at the warning"), widget=_BOXES, required=False
    )
    warning_raise = forms.BooleanField(
        label=gettext_lazy("At the warning the priority is raised"), required=False
    )
    breach_tell = forms.MultipleChoiceField(
        label=gettext_lazy("Who is told when it is missed"), widget=_BOXES, required=False
    )
    breach_raise = forms.BooleanField(
        label=gettext_lazy("When it is missed the priority is raised"), required=False
    )

    def prepare(self) -> None:
        """Whom to tell; it is called by what it measures."""
        del self.fields["name"]
        told: list[tuple[str, Any]] = [
            *_TOLD,
            *((UNIT + code, _("The unit %(name)s") % {"name": name}) for code, name in self.units),
        ]
        for step in ("warning", "breach"):
            chosen = texts_in(mapping(self.before.get(f"at_{step}")).get("tell"))
            self.fields[f"{step}_tell"].choices = with_unknown(told, chosen)  # type: ignore[attr-defined]

    def aside(self) -> Sequence[str]:
        """For which cases it counts, and what happens: few need them."""
        return (
            *("pauses", "priority", "channel", "need"),
            *("warning_tell", "warning_raise", "breach_tell", "breach_raise"),
        )

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """All that it says."""
        wanted, measure = mapping(item.get("for")), str(item.get("measure", "resolution"))
        held = super().of(item) | {
            "measure": measure,
            "within": item.get("within", ""),
            "warn": item.get("warn") or "",
            "pauses": texts_in(item.get("pauses", list(USUAL_PAUSES.get(measure, ())))),
            **{name: texts_in(wanted.get(name)) for name in ("priority", "channel", "need")},
        }
        for step in ("warning", "breach"):
            said = mapping(item.get(f"at_{step}"))
            held[f"{step}_tell"] = texts_in(said.get("tell"))
            held[f"{step}_raise"] = bool(said.get("raise_priority"))
        return held

    def clean(self) -> dict[str, Any]:
        """What the check of the whole would say is said here, at its field."""
        said = super().clean()
        if not self.errors:
            for problem in check_rule("", self.item()):
                field = field_of(problem.where.lstrip("."), SLUG)
                self.add_error(field if field in self.fields else None, str(problem.message))
        return said

    def item(self) -> Item:
        """The target as the form says it."""
        said, item = self.cleaned_data, dict(self.before)
        item |= {"measure": said["measure"], "within": said["within"]}
        put(item, "warn", said["warn"])
        usual = sorted(USUAL_PAUSES[said["measure"]])
        if "pauses" in item or sorted(said["pauses"]) != usual:
            item["pauses"] = said["pauses"]
        wanted = dict(mapping(item.get("for")))
        for name in ("priority", "channel", "need"):
            put(wanted, name, said[name])
        put(item, "for", wanted)
        for step in ("warning", "breach"):
            then = dict(mapping(item.get(f"at_{step}")))
            put(then, "tell", said[f"{step}_tell"])
            put(then, "raise_priority", said[f"{step}_raise"] or None)
            put(item, f"at_{step}", then)
        return item

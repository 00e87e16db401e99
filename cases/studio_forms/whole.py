"""Forms for what a case type has one of: its name, its first state, its terms."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import Bundle, codes_and_names, seen_of
from cases.models import CaseType
from cases.parts.results import NOMINATIONS
from cases.studio_forms.base import (
    MOST_COUNT,
    YEARS_AND_MONTHS,
    TermFields,
    mapping,
    put,
    with_unknown,
)
from cases.workflow import LEVELS
from crm.kit.forms import Correction


class NewTypeForm(forms.Form):
    """A new case type, and what it begins from."""

    SIMPLE, EMPTY, COPY = "simple", "empty", "copy"
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=160,
        help_text=gettext_lazy("As employees and citizens read it: “Housing rent grant”."),
    )
    nature = forms.ChoiceField(
        label=gettext_lazy("What the citizen comes with"), choices=CaseType.Nature.choices
    )
    start = forms.ChoiceField(
        label=gettext_lazy("Begin from"),
        widget=forms.RadioSelect,
        initial=SIMPLE,
        choices=[
            (SIMPLE, gettext_lazy("The usual states and moves, to be adapted")),
            (EMPTY, gettext_lazy("Nothing: I will write every state and move")),
            (COPY, gettext_lazy("A copy of another case type")),
        ],
    )
    copy_of = forms.ChoiceField(label=gettext_lazy("Case type to copy"), required=False)

    def __init__(self, *args: Any, types: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if types:
            self.fields["copy_of"].choices = [("", "—"), *types]  # type: ignore[attr-defined]
        else:
            del self.fields["copy_of"]
            self.fields["start"].choices = self.fields["start"].choices[:2]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Of what a copy is wanted."""
        said: dict[str, Any] = super().clean() or {}
        if said.get("start") == self.COPY and not said.get("copy_of"):
            self.add_error("copy_of", _("Choose one of the offered values."))
        return said


class GeneralForm(Correction):
    """What a case type is called, and whether cases are opened by it. It holds at once."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    nature = forms.ChoiceField(
        label=gettext_lazy("What the citizen comes with"), choices=CaseType.Nature.choices
    )
    is_active = forms.BooleanField(
        label=gettext_lazy("New cases of this type may be opened"), required=False
    )


class InitialForm(Correction):
    """In which state a case begins."""

    first_state = forms.ChoiceField(label=gettext_lazy("A case begins in"))

    def __init__(self, data: Any = None, *, bundle: Bundle) -> None:
        first = bundle.get("initial")
        super().__init__(data, initial={"first_state": first, "seen": seen_of(first)})
        states = [("", "—"), *codes_and_names("estados", bundle)]
        self.fields["first_state"].choices = with_unknown(states, [str(first or "")])  # type: ignore[attr-defined]


class ClockForm(Correction, TermFields):
    """The legal term."""

    field_order = ("count", "counted_in")

    def __init__(self, data: Any = None, *, bundle: Bundle) -> None:
        term = bundle.get("term")
        super().__init__(data, initial={**self.term_fields(term), "seen": seen_of(term)})


class KeepingForm(Correction, TermFields):
    """Who may see new cases, and what usually becomes of their files."""

    confidentiality = forms.ChoiceField(
        label=gettext_lazy("Confidentiality of new cases"),
        choices=[(code, level.label) for code, level in LEVELS.items()],
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Of one case it can be changed later, by whoever may."),
    )
    nomination = forms.ChoiceField(
        label=gettext_lazy("What usually becomes of the file"),
        choices=[("", gettext_lazy("Each result says it by itself")), *NOMINATIONS.items()],
        required=False,
        widget=forms.RadioSelect,
    )
    count = forms.IntegerField(
        label=gettext_lazy("How long it is usually kept in any case"),
        min_value=1,
        max_value=MOST_COUNT,
        required=False,
        help_text=gettext_lazy("From the day on which work ended. Empty: each result says it."),
    )
    field_order = ("confidentiality", "nomination", "count", "counted_in")
    PARTS = ("confidentiality", "retention")

    def __init__(self, data: Any = None, *, bundle: Bundle) -> None:
        usual = mapping(bundle.get("retention"))
        term = self.term_fields(usual["term"]) if usual.get("term") else {"counted_in": "y"}
        held = {
            "confidentiality": bundle.get("confidentiality") or "internal",
            "nomination": usual.get("nomination", ""),
            **term,
            "seen": seen_of([bundle.get(part) for part in self.PARTS]),
        }
        super().__init__(data, initial=held)
        self.before = dict(bundle)
        self.fields["counted_in"].choices = YEARS_AND_MONTHS  # type: ignore[attr-defined]

    def parts(self) -> dict[str, Any]:
        """Both parts as the form says them."""
        said = self.cleaned_data
        level: str | None = said["confidentiality"]
        if level == "internal" and not self.before.get("confidentiality"):
            level = None  # nobody said anything else
        usual = dict(mapping(self.before.get("retention")))
        put(usual, "nomination", said["nomination"])
        put(usual, "term", self.term() or "")
        return {"confidentiality": level, "retention": usual or None}

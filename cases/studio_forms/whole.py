"""Forms for what a case type has one of: its name, its first state, its terms."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import Bundle, codes_and_names, seen_of
from cases.models import CaseType
from cases.studio_forms.base import TermFields, with_unknown
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

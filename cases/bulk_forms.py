"""The form of one act on many cases."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import macros, selectors
from cases.forms import unit_choices
from cases.models import Case
from cases.services.bulk import Bulk
from cases.services.bulk_acts import ASSIGN, MOVE, UNIT
from cases.services.bulk_macro import ALL_ACTS as ACTS
from cases.services.bulk_macro import MACRO, SAID
from cases.workflow import of_version
from crm.kit.actor import Actor

MOST_MOVES_LOOKED_AT = 500


class BulkForm(forms.Form):
    """What is to be done with the chosen cases; the fields are those that the act takes."""

    scope = forms.ChoiceField(
        label=gettext_lazy("Which cases"),
        choices=[
            ("ticked", gettext_lazy("Those selected")),
            ("filter", gettext_lazy("All those of the list")),
        ],
        widget=forms.RadioSelect,
        initial="ticked",
    )
    action = forms.ChoiceField(
        choices=[(code, code) for code in ACTS], widget=forms.HiddenInput, required=False
    )
    person = forms.TypedChoiceField(
        label=gettext_lazy("Assign to"), coerce=UUID, empty_value=None, required=False
    )
    move = forms.ChoiceField(label=gettext_lazy("Move"), required=False)
    unit = forms.TypedChoiceField(
        label=gettext_lazy("New unit"), coerce=UUID, empty_value=None, required=False
    )
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        coerce=int,
        empty_value=None,
        choices=[("", "—"), *Case.Priority.choices],
        required=False,
    )
    body = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        required=False,
    )
    macro = forms.TypedChoiceField(
        label=gettext_lazy("Macro"),
        coerce=UUID,
        empty_value=None,
        required=False,
        help_text=gettext_lazy(
            "On each case all of it is done or nothing. Once it has written, sent or asked for"
            " something it cannot be undone."
        ),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=1_000, required=False)
    outcome = forms.CharField(label=gettext_lazy("Outcome"), max_length=240, required=False)
    filter = forms.CharField(required=False, widget=forms.HiddenInput, max_length=20_000)

    def __init__(self, *args: Any, actor: Actor, cases: QuerySet[Case], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.act = ACTS.get(self.data.get("action", ""))
        taken = (*self.act.wants, *self.act.may) if self.act else ()
        for name in ("person", "move", "unit", "priority", "body", "macro", *SAID):
            if name not in taken:
                del self.fields[name]
        action = self.data.get("action")
        if action == ASSIGN:
            people = selectors.people_of(actor)
            choices = [("", "—"), *((user.uuid, user.full_name) for user in people)]
            self.fields["person"].choices = choices  # type: ignore[attr-defined]
        elif action == MOVE:
            self.fields["move"].choices = [("", "—"), *_moves(cases)]  # type: ignore[attr-defined]
        elif action == MACRO:
            known = macros.macros(actor).order_by("name", "pk").values_list("uuid", "name")
            self.fields["macro"].choices = [("", "—"), *known]  # type: ignore[attr-defined]
            for name in SAID:
                self.fields[name].help_text = _("For the steps that ask for it.")
        elif action == UNIT:
            units = unit_choices(selectors.all_units(actor))
            self.fields["unit"].choices = [("", "—"), *units]  # type: ignore[attr-defined]

    def bulk(self) -> Bulk:
        """What the form asks for."""
        said = self.cleaned_data
        return Bulk(
            action=said["action"],
            person=said.get("person"),
            unit=said.get("unit"),
            priority=said.get("priority"),
            macro=said.get("macro"),
            **{name: said.get(name, "") for name in ("move", "reason", "outcome", "body")},
        )

    def clean(self) -> dict[str, Any]:
        """An act needs its object."""
        said = super().clean() or {}
        if "ready" in self.data and self.act is not None:
            for name in self.act.wants:
                if said.get(name) in (None, "") and name not in self.errors:
                    self.add_error(name, _("This field is required."))
        return said


def _moves(cases: QuerySet[Case]) -> list[tuple[str, str]]:
    """The moves that lead on from some of the cases."""
    found: dict[str, str] = {}
    seen = cases.prefetch_related("type_version").only("state", "type_version")
    for case in seen[:MOST_MOVES_LOOKED_AT]:
        for move in of_version(case.type_version.bundle).moves_from(case.state):
            found.setdefault(move.code, move.name)
    return sorted(found.items(), key=lambda item: item[1])

"""Forms for states and moves."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import Item, codes_and_names
from cases.models import StateCategory
from cases.permissions import CLOSE_CASE
from cases.studio_forms.base import ItemForm, first_large, texts_in, with_unknown
from cases.workflow import CATEGORIES, MOVE_PERMISSIONS, OUTCOME, REASON
from crm.kit.errors import Text
from crm.kit.policy import catalogue

CATEGORY_WORDS: Mapping[str, Text] = {
    "new": gettext_lazy("New: nobody has begun yet"),
    "open": gettext_lazy("In progress: somebody works on it"),
    "waiting_citizen": gettext_lazy("Waiting for citizen: the next step is theirs"),
    "waiting_third_party": gettext_lazy(
        "Waiting for third party: the next step is of somebody else"
    ),
    "resolved": gettext_lazy("Resolved: work has ended, the citizen may still answer"),
    "closed": gettext_lazy("Closed: nothing more is expected"),
}


class StateForm(ItemForm):
    """A state of the workflow."""

    category = forms.ChoiceField(
        label=gettext_lazy("What it means"),
        choices=list(CATEGORY_WORDS.items()),
        widget=forms.RadioSelect,
        initial="open",
        help_text=gettext_lazy("Lists, figures and deadlines go by this, whatever its name."),
    )

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Its name and what it means."""
        return super().of(item) | {"category": item.get("category", "open")}

    def say(self, item: Item) -> None:
        """What it means."""
        item["category"] = self.cleaned_data["category"]


class StepForm(ItemForm):
    """A way from some states to another."""

    sources = forms.MultipleChoiceField(
        label=gettext_lazy("From"),
        widget=forms.CheckboxSelectMultiple,
        required=True,
        help_text=gettext_lazy("The states in which it is offered."),
    )
    goes_to = forms.ChoiceField(label=gettext_lazy("To"))
    permission = forms.ChoiceField(
        label=gettext_lazy("Who may make it"),
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Whoever has this right in the case's unit."),
    )
    requires = forms.MultipleChoiceField(
        label=gettext_lazy("What must be said"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("Questions of the form are asked only while they have no answer."),
    )

    def prepare(self) -> None:
        """States, rights and questions to choose from."""
        states = codes_and_names("estados", self.bundle)
        self._choose("sources", states, texts_in(self.before.get("from")))
        self._choose("goes_to", [("", "—"), *states], [str(self.before.get("to") or "")])
        rights: list[tuple[str, Any]] = [
            (name, first_large(str(catalogue[name].sentence))) for name in MOVE_PERMISSIONS
        ]
        self._choose("permission", rights, [str(self.before.get("permission") or "")])
        asked = [
            (REASON, _("A reason")),
            (OUTCOME, _("How it ended, for the citizen")),
            *codes_and_names("campos", self.bundle),
        ]
        self._choose("requires", asked, texts_in(self.before.get("requires")))

    def _choose(self, name: str, choices: list[tuple[str, Any]], chosen: Sequence[str]) -> None:
        self.fields[name].choices = with_unknown(choices, chosen)  # type: ignore[attr-defined]

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Where it leads from and to, who may make it and what it asks."""
        return super().of(item) | {
            "sources": texts_in(item.get("from")),
            "goes_to": item.get("to", ""),
            "permission": item.get("permission", MOVE_PERMISSIONS[0]),
            "requires": texts_in(item.get("requires")),
        }

    def clean(self) -> dict[str, Any]:
        """What ends work, or takes it up again, needs the right to do so: said before it is kept."""
        said: dict[str, Any] = super().clean() or {}
        ended = {
            state.get("code")
            for state in self.bundle.get("states") or ()
            if isinstance(state, Mapping)
            and CATEGORIES.get(str(state.get("category")), StateCategory.NEW)
            >= StateCategory.RESOLVED
        }
        named = {*said.get("sources", ()), said.get("goes_to")}
        if named & ended and said.get("permission") not in (None, CLOSE_CASE):
            text = _("A move that ends work or takes it up again needs the right “%(name)s”.")
            right = first_large(str(catalogue[CLOSE_CASE].sentence))
            self.add_error("permission", text % {"name": right})
        return said

    def say(self, item: Item) -> None:
        """All of that."""
        said = self.cleaned_data
        item |= {"from": said["sources"], "to": said["goes_to"], "permission": said["permission"]}
        item["requires"] = said["requires"]

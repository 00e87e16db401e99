"""Forms for the further parts of a case type: who takes part, papers, tasks, how cases end."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import Item, codes_and_names
from cases.parts.results import NOMINATIONS
from cases.studio_forms.base import (
    MOST_COUNT,
    YEARS_AND_MONTHS,
    ItemForm,
    TermFields,
    mapping,
    put,
    term_in,
    with_unknown,
)
from cases.terms import Term


class RoleForm(ItemForm):
    """As what people take part."""

    most = forms.IntegerField(
        label=gettext_lazy("How many people at most"),
        min_value=1,
        max_value=1_000,
        required=False,
        help_text=gettext_lazy("Empty: as many as there are."),
    )

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """How many there may be."""
        return super().of(item) | {"most": item.get("most")}

    def say(self, item: Item) -> None:
        """That."""
        put(item, "most", self.cleaned_data["most"])


class ResultForm(ItemForm, TermFields):
    """One way in which a case ends."""

    nomination = forms.ChoiceField(
        label=gettext_lazy("What becomes of the file"),
        choices=list(NOMINATIONS.items()),
        widget=forms.RadioSelect,
        initial="keep",
    )
    count = forms.IntegerField(
        label=gettext_lazy("How long it is kept in any case"), min_value=1, max_value=MOST_COUNT
    )
    field_order = ("name", "nomination", "count", "counted_in")

    def prepare(self) -> None:
        """Files are kept for years or months; where the type says what is usual, that may do."""
        self.fields["counted_in"].choices = YEARS_AND_MONTHS  # type: ignore[attr-defined]
        usual = mapping(self.bundle.get("retention"))
        self.usual = {key for key in ("nomination", "term") if usual.get(key)}
        if "nomination" in self.usual:
            usually = NOMINATIONS.get(str(usual["nomination"]), str(usual["nomination"]))
            text = _("As usual for this case type: %(fate)s") % {"fate": usually}
            choices = [("", text), *NOMINATIONS.items()]
            self.fields["nomination"].choices = choices  # type: ignore[attr-defined]
            self.fields["nomination"].required = False
        if "term" in self.usual:
            term = term_in(usual["term"])
            self.fields["count"].required = False
            words = _("Empty: as usual for this case type, %(term)s.")
            self.fields["count"].help_text = words % {"term": term.words if term else "—"}

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """What becomes of the file."""
        first = {"count": "" if "term" in self.usual else 5, "counted_in": "y"}
        term = self.term_fields(item["term"]) if item.get("term") else first
        fate = "" if "nomination" in self.usual else "keep"
        return super().of(item) | {"nomination": item.get("nomination", fate), **term}

    def say(self, item: Item) -> None:
        """That, and how long it is kept."""
        put(item, "nomination", self.cleaned_data["nomination"])
        count, unit = self.cleaned_data["count"], self.cleaned_data["counted_in"] or "y"
        put(item, "term", str(Term(count, unit)) if count else "")


class PaperForm(ItemForm):
    """A document of the checklist."""

    spoken = ()
    required = forms.BooleanField(
        label=gettext_lazy("The case cannot do without it"), required=False
    )
    origin = forms.ChoiceField(
        label=gettext_lazy("From whom"),
        choices=[
            ("citizen", gettext_lazy("From the citizen")),
            (
                "administration",
                gettext_lazy("From an administration: the citizen need not bring it"),
            ),
        ],
        widget=forms.RadioSelect,
        initial="citizen",
    )
    state = forms.ChoiceField(label=gettext_lazy("Needed before the case comes to"), required=False)

    def prepare(self) -> None:
        """States to choose from."""
        states = codes_and_names("estados", self.bundle)
        self.fields["state"].choices = [("", _("No state in particular")), *states]  # type: ignore[attr-defined]

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """From whom, until when."""
        return super().of(item) | {
            "required": bool(item.get("required", True)),
            "origin": item.get("from", "citizen"),
            "state": item.get("by") or "",
        }

    def say(self, item: Item) -> None:
        """That."""
        said = self.cleaned_data
        item |= {"required": said["required"], "from": said["origin"]}
        put(item, "by", said["state"])


class TaskForm(ItemForm, TermFields):
    """A task that every case of the type gets."""

    spoken = ()
    instructions = forms.CharField(
        label=gettext_lazy("What has to be done"),
        max_length=4_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    starts = forms.ChoiceField(label=gettext_lazy("It is made when"))
    doer = forms.ChoiceField(
        label=gettext_lazy("Who does it"),
        choices=[
            ("assignee", gettext_lazy("Whoever has the case")),
            ("unit", gettext_lazy("Anybody of the case's unit")),
        ],
        initial="assignee",
    )
    after = forms.MultipleChoiceField(
        label=gettext_lazy("Only after"), widget=forms.CheckboxSelectMultiple, required=False
    )
    approval = forms.BooleanField(
        label=gettext_lazy("Another person must approve it"), required=False
    )
    closing = forms.ChoiceField(
        label=gettext_lazy("If it is open when the case is ended"),
        choices=[
            ("", gettext_lazy("Nothing happens")),
            ("warns", gettext_lazy("Whoever ends it is warned")),
            ("blocks", gettext_lazy("The case cannot be ended")),
        ],
        required=False,
    )
    field_order = (
        *("name", "instructions", "starts", "doer", "count", "counted_in"),
        *("after", "approval", "closing"),
    )

    def prepare(self) -> None:
        """States, units and other tasks to choose from; what is named already stays."""
        states = [
            (code, _("the case comes to “%(name)s”") % {"name": name})
            for code, name in codes_and_names("estados", self.bundle)
        ]
        own = self.before.get("code")
        others = [one for one in codes_and_names("tareas", self.bundle) if one[0] != own]
        doers = list(self.fields["doer"].choices)  # type: ignore[attr-defined]
        doers += [(unit, _("The unit %(name)s") % {"name": name}) for unit, name in self.units]
        named = [str(self.before.get("to") or "")]
        self.fields["doer"].choices = with_unknown(doers, named)  # type: ignore[attr-defined]
        self.fields["starts"].choices = [("opened", _("the case is opened")), *states]  # type: ignore[attr-defined]
        self.fields["after"].choices = others  # type: ignore[attr-defined]
        if not others:
            del self.fields["after"]

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """What, when, by whom."""
        return (
            super().of(item)
            | self.term_fields(item.get("term"))
            | {
                "instructions": item.get("instructions", ""),
                "starts": item.get("when", "opened"),
                "doer": item.get("to", "assignee"),
                "after": item.get("after", []),
                "approval": bool(item.get("approval")),
                "closing": item.get("closing") or "",
            }
        )

    def say(self, item: Item) -> None:
        """All of that."""
        said = self.cleaned_data
        put(item, "instructions", said["instructions"].strip())
        item |= {"when": said["starts"], "to": said["doer"], "approval": said["approval"]}
        put(item, "term", self.term())
        put(item, "after", said.get("after", item.get("after")))
        item["closing"] = said["closing"] or None

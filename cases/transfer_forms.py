"""What is filled in about transfers and about questions to other areas."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.forms import unit_choices
from cases.models import CaseTransfer, CaseType, Document
from cases.services import Abroad, Ticked
from cases.services.packets import PARTS
from crm.accounts.models import User
from crm.kit.forms import DateField, ServiceForm
from crm.organisations.selectors import Node

TERMS = (
    ("4h", _("4 hours of attention")),
    ("1wd", _("1 working day")),
    ("2wd", _("2 working days")),
    ("3wd", _("3 working days")),
    ("5wd", _("5 working days")),
    ("10wd", _("10 working days")),
    ("15wd", _("15 working days")),
    ("30wd", _("30 working days")),
)
NONE = ("", "—")


class SentForm(ServiceForm):
    """What goes to another unit: to which, until when, and what of the case may be seen there."""

    unit = forms.TypedChoiceField(label=_("To which unit"), coerce=UUID)
    term = forms.ChoiceField(label=_("Time to answer"), choices=TERMS, initial="3wd")
    parts = forms.MultipleChoiceField(
        label=_("What they may see besides the subject"),
        choices=tuple(PARTS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Internal notes never travel."),
    )
    documents = forms.TypedMultipleChoiceField(
        label=_("Documents that they may see"),
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(
        self, *args: Any, units: Iterable[Node], but: int, documents: Iterable[Document], **kw: Any
    ) -> None:
        super().__init__(*args, **kw)
        open_to = [node for node in units if node.id != but]
        self.fields["unit"].choices = [NONE, *unit_choices(open_to)]  # type: ignore[attr-defined]
        choices = [
            (str(row.uuid), f"{row.name} ({row.get_confidentiality_display().lower()})")
            for row in documents
            if row.withdrawn_at is None
        ]
        if choices:
            self.fields["documents"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["documents"]

    def ticked(self) -> Ticked:
        """What was ticked."""
        given = self.cleaned_data
        return Ticked(
            parts=frozenset(given.get("parts", ())), documents=tuple(given.get("documents", ()))
        )


class OfferForm(SentForm):
    """A transfer within the organisation: whoever is asked sees what they need to decide."""

    comment = forms.CharField(
        label=_("Why"),
        help_text=_("It is kept as an internal note of the case, whatever they answer."),
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    field_order: tuple[str, ...] = ("unit", "term", "comment")

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        if type(self) is OfferForm:
            del self.fields["parts"]
            self.fields.pop("documents", None)

    def abroad(self) -> Abroad | None:
        """Nothing: it stays in the organisation."""
        return None


class AbroadForm(OfferForm):
    """A transfer to another organisation: by what, and what of the case."""

    basis = forms.ChoiceField(
        label=_("By what it may go there"),
        choices=CaseTransfer.Basis.choices,
        widget=forms.RadioSelect,
    )
    basis_text = forms.CharField(
        label=_("Which rule, or who consented and how"),
        help_text=_("Of an agreement, leave it empty: it is found by itself."),
        max_length=500,
        required=False,
    )
    consent_on = DateField(label=_("Day of the consent"), required=False)
    field_order: tuple[str, ...] = ("unit", "term", "comment", "basis", "basis_text", "consent_on")

    def abroad(self) -> Abroad | None:
        """By what it goes, and what of it."""
        given = self.cleaned_data
        return Abroad(
            basis=given["basis"],
            text=given["basis_text"],
            consent_on=given["consent_on"],
            ticked=self.ticked(),
        )


class AcceptForm(ServiceForm):
    """Who has the case from now on."""

    assignee = forms.TypedChoiceField(
        label=_("Who works on it"), coerce=UUID, empty_value=None, required=False
    )

    def __init__(self, *args: Any, people: Iterable[User], **kw: Any) -> None:
        super().__init__(*args, **kw)
        choices = [("", _("Whoever has it, if they can see it there")), *_people(people)]
        self.fields["assignee"].choices = choices  # type: ignore[attr-defined]


class ReceiveForm(ServiceForm):
    """As what a case of another organisation is received, and where."""

    case_type = forms.ChoiceField(label=_("Case type"))
    unit = forms.TypedChoiceField(label=_("Unit"), coerce=UUID)

    def __init__(
        self, *args: Any, types: Iterable[CaseType], units: Iterable[Node], **kw: Any
    ) -> None:
        super().__init__(*args, **kw)
        kinds = [NONE, *((kind.code, kind.name) for kind in types)]
        self.fields["case_type"].choices = kinds  # type: ignore[attr-defined]
        self.fields["unit"].choices = unit_choices(units)  # type: ignore[attr-defined]


class AnswerForm(ServiceForm):
    """Why a transfer goes back."""

    reason = forms.CharField(
        label=_("Reason"), max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
    )


class AskForm(SentForm):
    """A question to another unit."""

    text = forms.CharField(
        label=_("Question"), max_length=4_000, widget=forms.Textarea(attrs={"rows": 5})
    )
    field_order = ("unit", "text", "term")


class WordsForm(ServiceForm):
    """Words on a question; with an answer, a paper."""

    text = forms.CharField(
        label=_("Text"), max_length=4_000, widget=forms.Textarea(attrs={"rows": 4})
    )
    file = forms.FileField(label=_("Document"), required=False)


class TermForm(ServiceForm):
    """Until when from now."""

    term = forms.ChoiceField(label=_("Time to answer, from now"), choices=TERMS, initial="3wd")


def _people(people: Iterable[User]) -> list[tuple[str, str]]:
    return [(str(person.uuid), person.full_name) for person in people]

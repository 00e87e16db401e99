"""What is decided when cases are merged, parted and split."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.models import Document, Message, Note
from crm.kit.forms import ServiceForm

THIS, OTHER = "this", "other"
_EXCERPT = 90


class MergeCasesForm(ServiceForm):
    """With which case, and which of the two stays."""

    places = {"into": "reference"}
    reference = forms.CharField(
        label=_("Number of the other case"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    stays = forms.ChoiceField(
        label=_("Which of the two stays"),
        choices=[
            (OTHER, _("The other one: this case ends as its duplicate")),
            (THIS, _("This one: the other case ends as its duplicate")),
        ],
        initial=OTHER,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Why they are one matter"),
        max_length=240,
        help_text=_("It stays in the history of both cases."),
    )


class UndoCaseMergeForm(ServiceForm):
    """Why a merge of cases is taken back."""

    reason = forms.CharField(label=_("Why they are two matters"), max_length=240)


class SplitForm(ServiceForm):
    """What goes to a case of its own."""

    subject = forms.CharField(label=_("Subject of the new case"), max_length=240)
    reason = forms.CharField(label=_("Why it is another matter"), max_length=240)
    messages = forms.MultipleChoiceField(
        label=_("Messages"), required=False, widget=forms.CheckboxSelectMultiple
    )
    notes = forms.MultipleChoiceField(
        label=_("Internal notes"), required=False, widget=forms.CheckboxSelectMultiple
    )
    documents = forms.MultipleChoiceField(
        label=_("Documents"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self,
        data: Any,
        messages: Iterable[Message],
        notes: Iterable[Note],
        documents: Iterable[Document],
    ) -> None:
        super().__init__(data)
        rows: dict[str, list[tuple[str, str]]] = {
            "messages": [(str(m.uuid), _excerpt(m.author_name, m.body)) for m in messages],
            "notes": [(str(n.uuid), _excerpt(n.author_name, n.body)) for n in notes],
            "documents": [(str(d.uuid), d.name) for d in documents],
        }
        for name, choices in rows.items():
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = choices
            if not choices:
                del self.fields[name]


def _excerpt(author: str, body: str) -> str:
    text = " ".join(body.split())
    text = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
    return f"{author}: {text}" if author else text

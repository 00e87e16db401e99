"""The form of a message that is usually written to the citizen."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import Item, codes_and_names
from cases.parts.messages import DATA, LONGEST_TEXT, VARIABLES, unknown_holes
from cases.studio_forms.base import ItemForm, as_before, put, texts_in, with_unknown


class MessageForm(ItemForm):
    """A usual message, in each language, with what the case fills in."""

    spoken = (("name", "names", 0), ("text", "texts", 8))
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=gettext_lazy(
            "What stands in double brackets is filled in from the case: “Dear ((citizen))”."
        ),
    )
    moves = forms.MultipleChoiceField(
        label=gettext_lazy("Offered first after"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("None: it is always offered."),
    )

    def prepare(self) -> None:
        """The moves to choose from."""
        choices = with_unknown(
            codes_and_names("pasos", self.bundle), texts_in(self.before.get("moves"))
        )
        self.fields["moves"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            del self.fields["moves"]

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """What is written, and when."""
        return super().of(item) | {
            "text": item.get("text", ""),
            "moves": texts_in(item.get("moves")),
        }

    def clean(self) -> dict[str, Any]:
        """Everything in double brackets is known, in every language."""
        said = super().clean()
        for name in ("text", *(f"{language}.text" for language in self.languages)):
            for hole in unknown_holes(said.get(name) or "", self.bundle):
                text = _("Nothing is known by the name “%(name)s”. There are: %(names)s.")
                names = ", ".join(one for one, _label in self.holes())
                self.add_error(name, text % {"name": hole, "names": names})
        return said

    def say(self, item: Item) -> None:
        """That."""
        item["text"] = as_before(self.cleaned_data["text"], item.get("text"))
        if "moves" in self.fields:
            put(item, "moves", self.cleaned_data["moves"])

    def holes(self) -> list[tuple[str, Any]]:
        """What may stand in double brackets, and what it is."""
        fields = codes_and_names("campos", self.bundle)
        return [*VARIABLES.items(), *((f"{DATA}{name}", label) for name, label in fields)]

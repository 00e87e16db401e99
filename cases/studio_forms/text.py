"""The form by which a case type comes in as text."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.type_texts import LONGEST
from crm.kit.forms import ServiceForm


class ImportForm(ServiceForm):
    """A text, written here or in a file; what is in the file counts."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml,.txt"}),
        help_text=gettext_lazy("As the studio exports it. It is read into the box below."),
    )
    text = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "wrap": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """Something to read, and not too much of it."""
        said: dict[str, Any] = super().clean() or {}
        if said.get("file") is not None:
            said["text"] = self._read(said["file"])
        text = said.get("text") or ""
        if len(text) > LONGEST:
            self.add_error("text", _("The text is too long."))
        elif not text.strip() and not self.errors:
            self.add_error("text", _("Choose a file or write the text."))
        said["text"] = text.replace("\r\n", "\n")
        return said

    def _read(self, file: Any) -> str:
        if file.size > 4 * LONGEST:
            self.add_error("file", _("The text is too long."))
            return ""
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            self.add_error("file", _("It is no text in UTF-8."))
            return ""

    def show(self, text: str) -> None:
        """The text stands in the box, also when it came in a file."""
        data = self.data.copy()  # type: ignore[attr-defined] # a QueryDict, as it came
        data["text"] = text
        self.data = data

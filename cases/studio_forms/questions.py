"""Forms for the questions of a case type and the sections they stand in."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import Item, codes_and_names
from cases.studio_forms.base import ItemForm, mapping, put, with_unknown
from cases.studio_forms.conditions import conditions_offered, conditions_read, conditions_written
from cases.studio_forms.kinds import (
    CHOICE,
    CHOICES,
    I18N,
    KINDS,
    LABELS,
    LONGEST_HELP,
    LONGEST_TITLE,
    NUMBERS,
    OF_KIND,
    SECTION,
    SHORT_TEXT,
    TEXT,
    WHEN,
    WORDS,
    answers_of,
    kind_of,
)


class FieldForm(ItemForm):
    """A question of the form."""

    key = "title"
    spoken = (("name", "title", 0), ("help", "description", 2), ("choices", "labels", 4))
    name = forms.CharField(
        label=gettext_lazy("Question"),
        max_length=LONGEST_TITLE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("As it stands over the box: “Monthly rent”."),
    )
    help = forms.CharField(
        label=gettext_lazy("Help for whoever answers"),
        max_length=LONGEST_HELP,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind of answer"), choices=list(KINDS.items()))
    required = forms.BooleanField(label=gettext_lazy("It must be answered"), required=False)
    choices = forms.CharField(
        label=gettext_lazy("Answers to choose from, one a line"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    least = forms.FloatField(
        label=gettext_lazy("At least"),
        required=False,
        help_text=gettext_lazy("Of a number its value, of a text how many characters."),
    )
    most = forms.FloatField(
        label=gettext_lazy("At most"),
        required=False,
    )
    section = forms.ChoiceField(label=gettext_lazy("Section"), required=False)
    when = forms.MultipleChoiceField(
        label=gettext_lazy("Asked only when"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Of one question any of the marked answers is enough; of several questions each must fit."
        ),
    )

    def aside(self) -> Sequence[str]:
        """When it is asked."""
        return ("when",)

    def prepare(self) -> None:
        """Sections, and the answers of other questions, to choose from."""
        section = str(self.before.get(SECTION) or "")
        sections = [("", _("None")), *codes_and_names("secciones", self.bundle)]
        self.fields["section"].choices = with_unknown(sections, [section])  # type: ignore[attr-defined]
        if len(sections) == 1 and not section:
            del self.fields["section"]
        offered = list(conditions_offered(self.bundle, self.before.get("code")))
        written = conditions_written(self.before.get(WHEN))
        if not offered and not written:
            del self.fields["when"]
            return
        known = {value for value, _label in offered}
        kept = [(one, one.partition(":")[2]) for one in written if one not in known]
        self.fields["when"].choices = [*offered, *kept]  # type: ignore[attr-defined]

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """The question as its schema says it."""
        kind = kind_of(item)
        labels = mapping(item.get(LABELS))
        low, high = ("minimum", "maximum") if kind in NUMBERS else ("minLength", "maxLength")
        new = not item
        return super().of(item) | {
            "help": item.get("description", ""),
            "kind": TEXT if new else kind,
            "required": bool(item.get("required")),
            "choices": "\n".join(str(labels.get(str(one), one)) for one in answers_of(item)),
            "least": plain(item.get(low)),
            "most": plain(item.get(high)),
            "section": item.get(SECTION, ""),
            "when": conditions_written(item.get(WHEN)),
        }

    def translations_of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Title, help and answers by language; answers line by line as in the first language."""
        found: dict[str, Any] = {}
        for language, texts in mapping(item.get(I18N)).items():
            said = mapping(texts)
            labels = mapping(said.get("labels"))
            lines = [str(labels.get(str(one), "")) for one in answers_of(item)]
            found[f"{language}.name"] = said.get("title", "")
            found[f"{language}.help"] = said.get("description", "")
            found[f"{language}.choices"] = "\n".join(lines).rstrip("\n")
        return found

    def clean(self) -> dict[str, Any]:
        """Limits that fit each other and the kind; answers where they are needed, none twice."""
        said: dict[str, Any] = super().clean() or {}
        kind, least, most = said.get("kind"), said.get("least"), said.get("most")
        lines = lines_of(said.get("choices", ""))
        if kind in (CHOICE, CHOICES) and not lines:
            self.add_error("choices", _("Write the answers to choose from."))
        if len(set(lines)) != len(lines):
            self.add_error("choices", _("An answer stands there twice."))
        if least is not None and most is not None and least > most:
            self.add_error("most", _("It must be at least %(limit)s.") % {"limit": plain(least)})
        return said

    def say(self, item: Item) -> None:
        """The schema that makes this question."""
        said = self.cleaned_data
        before = dict(item)
        for key in OF_KIND:
            item.pop(key, None)
        put(item, "description", said["help"].strip())
        item["required"] = said["required"]
        item |= self._schema(said["kind"], before)
        if "section" in self.fields:
            put(item, SECTION, said["section"])
        if "when" in self.fields:
            put(item, WHEN, conditions_read(said["when"]))

    def _schema(self, kind: str, before: Mapping[str, Any]) -> Item:
        said = self.cleaned_data
        if kind in (CHOICE, CHOICES):
            return _with_answers(kind, lines_of(said["choices"]), before)
        if kind in NUMBERS:
            schema: Item = {"type": kind}
            put(schema, "minimum", plain(said["least"]))
            put(schema, "maximum", plain(said["most"]))
            return schema
        if kind not in WORDS:
            return {"type": "boolean"} if kind == "boolean" else {"type": "string", "format": kind}
        schema = {"type": "string"}
        if said["least"]:
            schema["minLength"] = int(said["least"])
        if said["most"]:
            schema["maxLength"] = int(said["most"])
        elif kind == TEXT:
            schema["maxLength"] = SHORT_TEXT
        return schema

    def translate(self, item: Item) -> None:
        """Title, help and answers in the languages that are asked."""
        spoken = {name: dict(mapping(said)) for name, said in mapping(item.get(I18N)).items()}
        answers = answers_of(item)
        for language in self.languages:
            texts = spoken.setdefault(language, {})
            put(texts, "title", self.cleaned_data[f"{language}.name"].strip())
            put(texts, "description", self.cleaned_data[f"{language}.help"].strip())
            lines = self.cleaned_data[f"{language}.choices"].splitlines()
            labels = {
                str(one): line.strip()
                for one, line in zip(answers, lines, strict=False)
                if line.strip()
            }
            put(texts, "labels", labels)
        put(item, I18N, {name: said for name, said in spoken.items() if said})


def plain(number: Any) -> Any:
    """A number without decimals where it has none."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _with_answers(kind: str, lines: Sequence[str], before: Mapping[str, Any]) -> Item:
    """A question with these answers; one that was there before keeps the value that cases hold."""
    labels = mapping(before.get(LABELS))
    known = {str(labels.get(str(value), value)): value for value in answers_of(before)}
    values = [known.get(line, line) for line in lines]
    kept = {str(value): line for value, line in zip(values, lines, strict=True) if value != line}
    free = [value for value in values if isinstance(value, str)]
    schema: Item = (
        {"type": "array", "items": {"type": "string", "enum": values}}
        if kind == CHOICES
        else {"type": "string", "enum": values}
    )
    if len(free) != len(values):  # numbers that were imported as text: they stay what they are
        holder = schema["items"] if kind == CHOICES else schema
        del holder["type"]
        if kind == CHOICE:
            schema["type"] = before.get("type", "string")
    put(schema, LABELS, {value: label for value, label in kept.items() if value != label})
    return schema


class SectionForm(ItemForm):
    """A heading of the form."""

    key = "title"
    spoken = (("name", "title", 0), ("help", "description", 2))
    name = forms.CharField(
        label=gettext_lazy("Heading"),
        max_length=LONGEST_TITLE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    help = forms.CharField(
        label=gettext_lazy("Text below the heading"),
        max_length=LONGEST_HELP,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Heading and text."""
        return super().of(item) | {"help": item.get("description", "")}

    def translations_of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Both by language."""
        return {
            f"{language}.{field}": mapping(texts).get(key, "")
            for language, texts in mapping(item.get(I18N)).items()
            for field, key, _rows in self.spoken
        }

    def say(self, item: Item) -> None:
        """The text."""
        put(item, "description", self.cleaned_data["help"].strip())

    def translate(self, item: Item) -> None:
        """Both in the languages that are asked."""
        spoken = {name: dict(mapping(said)) for name, said in mapping(item.get(I18N)).items()}
        for language in self.languages:
            texts = spoken.setdefault(language, {})
            for field, key, _rows in self.spoken:
                put(texts, key, self.cleaned_data[f"{language}.{field}"].strip())
        put(item, I18N, {name: said for name, said in spoken.items() if said})

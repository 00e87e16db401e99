"""What a designer of case types fills in: one form for each kind of thing of a bundle.

A form says what it knows of a thing and leaves the rest of it as it was, so that what was imported as
text is not lost by whoever corrects a name.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import Bundle, Item, codes_and_names, properties_of, seen_of
from cases.models import CaseType, StateCategory
from cases.permissions import CLOSE_CASE
from cases.terms import Term, read_term
from cases.workflow import CATEGORIES, MOVE_PERMISSIONS, OUTCOME, REASON
from crm.kit.errors import Text
from crm.kit.forms import Correction
from crm.kit.policy import catalogue
from crm.kit.templatetags.ui import own_name

LONGEST_NAME = 80
MOST_COUNT = 9_999
UNITS: Mapping[str, Text] = {
    "wd": gettext_lazy("working days"),
    "d": gettext_lazy("calendar days"),
    "m": gettext_lazy("months"),
    "y": gettext_lazy("years"),
}


def put(item: Item, key: str, value: Any) -> None:
    """The thing says this; nothing at all where the value is empty."""
    if value in (None, "", [], {}):
        item.pop(key, None)
    else:
        item[key] = value


def term_in(text: Any) -> Term | None:
    """The term that the draft says, if it can be read."""
    try:
        return read_term(text) if isinstance(text, str) else None
    except ValueError:
        return None


class TermFields(forms.Form):
    """A term as a number and a unit."""

    count = forms.IntegerField(
        label=gettext_lazy("How long"), min_value=1, max_value=MOST_COUNT, required=False
    )
    counted_in = forms.ChoiceField(
        label=gettext_lazy("Counted in"), choices=list(UNITS.items()), required=False
    )

    def term(self) -> str | None:
        """As a bundle says it; None without a number."""
        count = self.cleaned_data["count"]
        return str(Term(count, self.cleaned_data["counted_in"] or "wd")) if count else None

    @staticmethod
    def term_fields(text: Any) -> dict[str, Any]:
        """What the fields hold for a term of a bundle."""
        term = term_in(text)
        if term is None:
            return {"count": "", "counted_in": "wd"}
        return {"count": term.count, "counted_in": term.unit}


# --- Things of a list ---------------------------------------------------------------------------


class ItemForm(Correction):
    """One thing of a list: what it is called, in the organisation's languages, and what it says."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    key = "name"
    """What of the thing holds its name."""
    spoken: ClassVar[Sequence[tuple[str, str, int]]] = (("name", "names", 0),)
    """What is said in other languages: field, where it is kept, lines to write on (0: one)."""

    def __init__(
        self,
        data: Any = None,
        *,
        item: Mapping[str, Any] | None,
        bundle: Bundle,
        languages: Sequence[str],
    ) -> None:
        self.before: Item = dict(item or {})
        self.bundle, self.languages = bundle, list(languages)
        super().__init__(data, initial={})
        self.prepare()
        for language in self.languages:
            for field, _key, rows in self.spoken:
                own = self.fields[field]
                widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
                widget.attrs["lang"] = language
                self.fields[f"{language}.{field}"] = forms.CharField(
                    label=own.label,
                    max_length=getattr(own, "max_length", None),
                    required=False,
                    widget=widget,
                )
        self.initial = self.of(self.before)

    def prepare(self) -> None:
        """The choices that depend on the rest of the bundle."""

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """What the fields hold for the thing as it is."""
        return {
            "seen": seen_of(dict(item)),
            "name": item.get(self.key, ""),
            **self.translations_of(item),
        }

    def translations_of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """The texts by language, under the names of their fields."""
        return {
            f"{language}.{field}": text
            for field, key, _rows in self.spoken
            for language, text in _mapping(item.get(key)).items()
            if isinstance(text, str)
        }

    def item(self) -> Item:
        """The thing as the form says it."""
        item = dict(self.before)
        item[self.key] = " ".join(self.cleaned_data["name"].split())
        self.say(item)
        self.translate(item)
        return item

    def say(self, item: Item) -> None:
        """Write what else the form says."""

    def translate(self, item: Item) -> None:
        """Write the texts in other languages; of languages that are not asked they stay."""
        for field, key, _rows in self.spoken:
            texts = dict(_mapping(item.get(key)))
            for language in self.languages:
                put(texts, language, self.cleaned_data[f"{language}.{field}"].strip())
            put(item, key, texts)

    def own_fields(self) -> list[forms.BoundField]:
        """The fields but the languages' and those that the page shows apart."""
        apart = {
            f"{language}.{field}" for language in self.languages for field, *_rest in self.spoken
        }
        return [
            self[name] for name in self.fields if name not in apart and name not in self.aside()
        ]

    def aside(self) -> Sequence[str]:
        """Fields that are shown folded away, for few need them."""
        return ()

    def aside_fields(self) -> list[forms.BoundField]:
        """Those fields."""
        return [self[name] for name in self.aside() if name in self.fields]

    def by_language(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The texts in other languages, for the template."""
        return [
            (own_name(language), [self[f"{language}.{field}"] for field, *_rest in self.spoken])
            for language in self.languages
        ]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _with_unknown(choices: list[tuple[str, Any]], chosen: Sequence[str]) -> list[tuple[str, Any]]:
    """The choices, and what is chosen already though it is none of them: it stays until taken away."""
    known = {value for value, _label in choices}
    gone = [one for one in dict.fromkeys(chosen) if one and one not in known]
    return [*choices, *((one, _("%(code)s (no longer there)") % {"code": one}) for one in gone)]


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
        self._choose("sources", states, _texts(self.before.get("from")))
        self._choose("goes_to", [("", "—"), *states], [str(self.before.get("to") or "")])
        rights: list[tuple[str, Any]] = [
            (name, _first_large(str(catalogue[name].sentence))) for name in MOVE_PERMISSIONS
        ]
        self._choose("permission", rights, [str(self.before.get("permission") or "")])
        asked = [
            (REASON, _("A reason")),
            (OUTCOME, _("How it ended, for the citizen")),
            *codes_and_names("campos", self.bundle),
        ]
        self._choose("requires", asked, _texts(self.before.get("requires")))

    def _choose(self, name: str, choices: list[tuple[str, Any]], chosen: Sequence[str]) -> None:
        self.fields[name].choices = _with_unknown(choices, chosen)  # type: ignore[attr-defined]

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Where it leads from and to, who may make it and what it asks."""
        return super().of(item) | {
            "sources": _texts(item.get("from")),
            "goes_to": item.get("to", ""),
            "permission": item.get("permission", MOVE_PERMISSIONS[0]),
            "requires": _texts(item.get("requires")),
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
            right = _first_large(str(catalogue[CLOSE_CASE].sentence))
            self.add_error("permission", text % {"name": right})
        return said

    def say(self, item: Item) -> None:
        """All of that."""
        said = self.cleaned_data
        item |= {"from": said["sources"], "to": said["goes_to"], "permission": said["permission"]}
        item["requires"] = said["requires"]


def _first_large(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


# --- Questions ----------------------------------------------------------------------------------

TEXT, LONG, CHOICE, CHOICES = "text", "long", "choice", "choices"
KINDS: Mapping[str, Text] = {
    TEXT: gettext_lazy("A short text"),
    LONG: gettext_lazy("A long text"),
    CHOICE: gettext_lazy("One of several answers"),
    CHOICES: gettext_lazy("Several of several answers"),
    "boolean": gettext_lazy("Yes or no"),
    "date": gettext_lazy("A day"),
    "integer": gettext_lazy("A whole number"),
    "number": gettext_lazy("A number with decimals, such as an amount"),
    "email": gettext_lazy("An email address"),
    "uri": gettext_lazy("A web address"),
}
SHORT_TEXT, LONGEST_TITLE, LONGEST_HELP = 200, 200, 1_000
NUMBERS, WORDS = ("integer", "number"), (TEXT, LONG)
LABELS, I18N, SECTION, WHEN = "x-labels", "x-i18n", "x-section", "x-when"
_OF_KIND = (
    "type",
    "format",
    "enum",
    "items",
    LABELS,
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
)


def kind_of(field: Mapping[str, Any]) -> str:
    """The kind of question that a schema makes."""
    if field.get("type") == "array":
        return CHOICES
    if field.get("enum"):
        return CHOICE
    if field.get("type") == "string":
        if field.get("format") in KINDS:
            return str(field["format"])
        longest = field.get("maxLength")
        return TEXT if isinstance(longest, int) and longest <= SHORT_TEXT else LONG
    return str(field["type"]) if field.get("type") in KINDS else TEXT


def answers_of(field: Mapping[str, Any]) -> list[Any]:
    """The answers to choose from; none when it is free."""
    items = field.get("items") if field.get("type") == "array" else field
    found = _mapping(items).get("enum")
    return list(found) if isinstance(found, list) else []


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
        self.fields["section"].choices = _with_unknown(sections, [section])  # type: ignore[attr-defined]
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
        labels = _mapping(item.get(LABELS))
        low, high = ("minimum", "maximum") if kind in NUMBERS else ("minLength", "maxLength")
        new = not item
        return super().of(item) | {
            "help": item.get("description", ""),
            "kind": TEXT if new else kind,
            "required": bool(item.get("required")),
            "choices": "\n".join(str(labels.get(str(one), one)) for one in answers_of(item)),
            "least": _plain(item.get(low)),
            "most": _plain(item.get(high)),
            "section": item.get(SECTION, ""),
            "when": conditions_written(item.get(WHEN)),
        }

    def translations_of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Title, help and answers by language; answers line by line as in the first language."""
        found: dict[str, Any] = {}
        for language, texts in _mapping(item.get(I18N)).items():
            said = _mapping(texts)
            labels = _mapping(said.get("labels"))
            lines = [str(labels.get(str(one), "")) for one in answers_of(item)]
            found[f"{language}.name"] = said.get("title", "")
            found[f"{language}.help"] = said.get("description", "")
            found[f"{language}.choices"] = "\n".join(lines).rstrip("\n")
        return found

    def clean(self) -> dict[str, Any]:
        """Limits that fit each other and the kind; answers where they are needed, none twice."""
        said: dict[str, Any] = super().clean() or {}
        kind, least, most = said.get("kind"), said.get("least"), said.get("most")
        lines = _lines(said.get("choices", ""))
        if kind in (CHOICE, CHOICES) and not lines:
            self.add_error("choices", _("Write the answers to choose from."))
        if len(set(lines)) != len(lines):
            self.add_error("choices", _("An answer stands there twice."))
        if least is not None and most is not None and least > most:
            self.add_error("most", _("It must be at least %(limit)s.") % {"limit": _plain(least)})
        return said

    def say(self, item: Item) -> None:
        """The schema that makes this question."""
        said = self.cleaned_data
        before = dict(item)
        for key in _OF_KIND:
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
            return _with_answers(kind, _lines(said["choices"]), before)
        if kind in NUMBERS:
            schema: Item = {"type": kind}
            put(schema, "minimum", _plain(said["least"]))
            put(schema, "maximum", _plain(said["most"]))
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
        spoken = {name: dict(_mapping(said)) for name, said in _mapping(item.get(I18N)).items()}
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


def _plain(number: Any) -> Any:
    """A number without decimals where it has none."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _with_answers(kind: str, lines: Sequence[str], before: Mapping[str, Any]) -> Item:
    """A question with these answers; one that was there before keeps the value that cases hold."""
    labels = _mapping(before.get(LABELS))
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


# --- Conditions ---------------------------------------------------------------------------------

_ANY, _NONE = "filled", "empty"


def conditions_offered(bundle: Bundle, own: Any) -> Iterator[tuple[str, str]]:
    """What a question may hang on: the answers of the others, with what is read for each."""
    for name, label in codes_and_names("campos", bundle):
        field = properties_of(bundle)[name]
        if name == own:
            continue
        if field.get("type") == "boolean":
            answers: list[tuple[str, str]] = [("true", _("yes")), ("false", _("no"))]
        else:
            labels = _mapping(field.get(LABELS))
            answers = [
                (json.dumps(one), str(labels.get(str(one), one))) for one in answers_of(field)
            ]
        if not answers:
            answers = [(_ANY, _("is answered")), (_NONE, _("is not answered"))]
        for value, words in answers:
            yield f"{name}:{value}", f"{label}: {words}"


def conditions_written(raw: Any) -> list[str]:
    """The conditions of a question as the values of the form's boxes."""
    found = []
    for one in raw if isinstance(raw, list) else [raw]:
        if not isinstance(one, Mapping) or not isinstance(one.get("field"), str):
            continue
        if "filled" in one:
            found.append(f"{one['field']}:{_ANY if one['filled'] else _NONE}")
        values = one["in"] if isinstance(one.get("in"), list) else [one.get("equals")]
        found += [f"{one['field']}:{json.dumps(value)}" for value in values if value is not None]
    return found


def conditions_read(boxes: Sequence[str]) -> list[Item]:
    """The boxes as conditions: one for each question."""
    found: dict[str, Item] = {}
    for box in boxes:
        name, _colon, text = box.partition(":")
        if text in (_ANY, _NONE):
            found[name] = {"field": name, "filled": text == _ANY}
        else:
            one = found.setdefault(name, {"field": name, "in": []})
            one.setdefault("in", []).append(json.loads(text))
    return [
        {"field": one["field"], "equals": one["in"][0]} if len(one.get("in", ())) == 1 else one
        for one in found.values()
    ]


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
            f"{language}.{field}": _mapping(texts).get(key, "")
            for language, texts in _mapping(item.get(I18N)).items()
            for field, key, _rows in self.spoken
        }

    def say(self, item: Item) -> None:
        """The text."""
        put(item, "description", self.cleaned_data["help"].strip())

    def translate(self, item: Item) -> None:
        """Both in the languages that are asked."""
        spoken = {name: dict(_mapping(said)) for name, said in _mapping(item.get(I18N)).items()}
        for language in self.languages:
            texts = spoken.setdefault(language, {})
            for field, key, _rows in self.spoken:
                put(texts, key, self.cleaned_data[f"{language}.{field}"].strip())
        put(item, I18N, {name: said for name, said in spoken.items() if said})


BASIC_FORMS: Mapping[str, type[ItemForm]] = {
    "campos": FieldForm,
    "secciones": SectionForm,
    "estados": StateForm,
    "pasos": StepForm,
}
"""The forms of what every case type has, by the slug of its list."""


# --- What a type has one of ---------------------------------------------------------------------


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
        self.fields["first_state"].choices = _with_unknown(states, [str(first or "")])  # type: ignore[attr-defined]


class ClockForm(Correction, TermFields):
    """The legal term."""

    field_order = ("count", "counted_in")

    def __init__(self, data: Any = None, *, bundle: Bundle) -> None:
        term = bundle.get("term")
        super().__init__(data, initial={**self.term_fields(term), "seen": seen_of(term)})

"""What the forms of the studio have in common: a thing with its languages, a term, a choice that is gone."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import Bundle, Item, seen_of
from cases.terms import Term, read_term
from crm.kit.errors import Text
from crm.kit.forms import Correction
from crm.kit.templatetags.ui import own_name

LONGEST_NAME = 80
MOST_COUNT = 9_999
UNITS: Mapping[str, Text] = {
    "wd": gettext_lazy("working days"),
    "d": gettext_lazy("calendar days"),
    "m": gettext_lazy("months"),
    "y": gettext_lazy("years"),
}


YEARS_AND_MONTHS = [(unit, UNITS[unit]) for unit in ("y", "m")]


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
        units: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.before: Item = dict(item or {})
        self.bundle, self.languages, self.units = bundle, list(languages), units
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

    def clean(self) -> dict[str, Any]:
        """Lines end as bundles end them, whatever the browser sends."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in said.items():
            if isinstance(value, str):
                said[name] = value.replace("\r\n", "\n")
        return said

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
            for language, text in mapping(item.get(key)).items()
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
            texts = dict(mapping(item.get(key)))
            for language in self.languages:
                put(
                    texts,
                    language,
                    as_before(self.cleaned_data[f"{language}.{field}"], texts.get(language)),
                )
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
        """The texts in other languages, for the template; none where nothing is said in several."""
        if not self.spoken:
            return []
        return [
            (own_name(language), [self[f"{language}.{field}"] for field, *_rest in self.spoken])
            for language in self.languages
        ]


def as_before(text: str, before: Any) -> str:
    """The text without blanks around it; as it was where it only differs in them."""
    text = text.strip()
    return before if isinstance(before, str) and before.strip() == text else text


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def texts_in(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def with_unknown(choices: list[tuple[str, Any]], chosen: Sequence[str]) -> list[tuple[str, Any]]:
    """The choices, and what is chosen already though it is none of them: it stays until taken away."""
    known = {value for value, _label in choices}
    gone = [one for one in dict.fromkeys(chosen) if one and one not in known]
    return [*choices, *((one, _("%(code)s (no longer there)") % {"code": one}) for one in gone)]


def first_large(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]

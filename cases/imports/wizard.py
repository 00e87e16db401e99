"""A mapping as a form: one line per field of a case, for people who do not write TOML; and as TOML."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.imports.mapping import FIELDS, REQUIRED, FileShape

DATES = ("opened_at", "closed_at")
FORMATS = [
    ("iso", "2026-11-20T09:41"),
    ("%d/%m/%Y %H:%M", "20/11/2026 09:41"),
    ("%d/%m/%Y %H:%M:%S", "20/11/2026 09:41:00"),
    ("%d/%m/%Y", "20/11/2026"),
    ("%d-%m-%Y %H:%M:%S", "20-11-2026 09:41:00"),
    ("%d-%m-%Y", "20-11-2026"),
    ("%d.%m.%Y", "20.11.2026"),
    ("%m/%d/%Y %I:%M:%S %p", "11/20/2026 09:41:00 AM"),
    ("%m/%d/%Y", "11/20/2026"),
    ("%Y%m%d", "20261120"),
    ("epoch", "1795167660"),
]
OR = " | "  # between formats of which a date has one
USUAL_ZONE = "Europe/Madrid"
_KEPT = ("column", "columns", "separator", "default")  # what the form does not ask for


class UploadForm(forms.Form):
    """The file, and where its cases go."""

    file = forms.FileField(
        label=_("File"), help_text=_("CSV, plain or packed with gzip."), allow_empty_file=False
    )
    ready = forms.ChoiceField(label=_("Begin with"), required=False)
    unit = forms.ChoiceField(label=_("Unit that receives the cases"), required=False)

    def __init__(
        self, *args: Any, ready: Sequence[str], units: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        names = [("", _("Your own columns")), *((name, name) for name in ready)]
        self.fields["ready"].choices = names  # type: ignore[attr-defined]
        self.fields["unit"].choices = [("", _("The whole organisation")), *units]  # type: ignore[attr-defined]


class ColumnsForm(forms.Form):
    """Which column is which field; the fields are made for the file's header."""

    source = forms.CharField(
        label=_("System that the file comes from"),
        max_length=60,
        help_text=_("With the identifier, it tells rows that were already loaded."),
    )
    encoding = forms.CharField(label=_("Encoding"), max_length=20)
    delimiter = forms.CharField(label=_("Separator"), max_length=1, strip=False)
    missing = forms.CharField(
        label=_("Words that mean “nothing”"),
        required=False,
        help_text=_("Separated by commas, for example: NA, N/A"),
    )
    zone = forms.ChoiceField(label=_("Time zone of dates without one"))
    keep = forms.MultipleChoiceField(
        label=_("Keep also, as they are"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self,
        *args: Any,
        header: Sequence[str],
        base: Mapping[str, Any],
        offers: Mapping[str, Sequence[tuple[str, str]]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.base = base  # the mapping so far: what the form cannot say of it stays
        self.offers = offers  # for a field, the values that there are and what they are called
        zones = sorted(zone for zone in available_timezones() if "/" in zone)
        self.fields["zone"].choices = [(zone, zone) for zone in [*zones, "UTC"]]  # type: ignore[attr-defined]
        columns = [("", "—"), *((name, name) for name in header)]
        self.fields["keep"].choices = columns[1:]  # type: ignore[attr-defined]
        for name in FIELDS:
            label = FIELDS[name]
            self.fields[f"{name}-column"] = forms.ChoiceField(
                label=label, choices=columns, required=False
            )
            self.fields[f"{name}-value"] = forms.CharField(
                label=_("or always"), required=False, max_length=120
            )
            if name in offers:
                self.fields[f"{name}-value"].widget.attrs["list"] = f"offers-{name}"
            self.fields[f"{name}-values"] = forms.CharField(
                label=_("Theirs = ours"),
                required=False,
                widget=forms.Textarea(attrs={"rows": 2}),
            )
            if name in DATES:
                own = self.initial.get(f"{name}-format")
                known = [*FORMATS, *([(own, own)] if own and own not in dict(FORMATS) else [])]
                self.fields[f"{name}-format"] = forms.ChoiceField(
                    label=_("Written as"), choices=known, required=False
                )

    def lines(self) -> list[dict[str, Any]]:
        """The fields, one line for each field of a case."""
        return [
            {
                "name": name,
                "label": FIELDS[name],
                "required": name in REQUIRED,
                "column": self[f"{name}-column"],
                "value": self[f"{name}-value"],
                "offers": self.offers.get(name, ()),
                "values": self[f"{name}-values"],
                "format": self[f"{name}-format"] if name in DATES else None,
                "joined": _table(self.base.get("case", {}).get(name, {})).get("columns", [])[1:],
            }
            for name in FIELDS
        ]

    def mapping(self) -> dict[str, Any]:
        """What was filled in, in the mapping's own form."""
        asked = self.cleaned_data
        missing = [word.strip() for word in asked["missing"].split(",") if word.strip()]
        mapped = {name: spec for name in FIELDS if (spec := self._spec(name))}
        return {
            "source": asked["source"],
            "file": {
                **self.base.get("file", {}),
                "encoding": asked["encoding"],
                "delimiter": asked["delimiter"],
                "missing": ["", *missing],
            },
            "case": mapped,
            "data": dict(self._kept(column) for column in asked["keep"]),
        }

    def _spec(self, name: str) -> dict[str, Any]:
        """What the mapping says of a field of a case."""
        asked = self.cleaned_data
        column, value = asked[f"{name}-column"], asked[f"{name}-value"]
        if not (column or value):
            return {}
        before = _table(self.base.get("case", {}).get(name, {}))
        spec: dict[str, Any] = {"column": column} if column else {"value": value}
        if column and column == _first(before):
            unsaid = (*_KEPT, "values") if name in DATES else _KEPT
            spec = {key: before[key] for key in unsaid if key in before}
        pairs = [line.split("=", 1) for line in asked[f"{name}-values"].splitlines() if "=" in line]
        if pairs:
            spec["values"] = {theirs.strip(): ours.strip() for theirs, ours in pairs}
        if name in DATES:
            formats = asked[f"{name}-format"].split(OR.strip())
            spec["formats"] = [text.strip() for text in formats if text.strip()] or ["iso"]
            spec["zone"] = asked["zone"]
        return spec

    def _kept(self, column: str) -> tuple[str, Any]:
        """A column that is kept as it is, under the name that it had."""
        for name, spec in self.base.get("data", {}).items():
            if _first(_table(spec)) == column:
                return name, spec
        return _field_name(column), column


def _table(spec: Any) -> dict[str, Any]:
    """What a mapping says of a field, in the long form."""
    return {"column": spec} if isinstance(spec, str) else dict(spec)


def _first(table: Mapping[str, Any]) -> str:
    """The column that the form shows of it."""
    return str(table.get("column") or next(iter(table.get("columns", [])), ""))


def initial(raw: Mapping[str, Any], shape: FileShape) -> dict[str, Any]:
    """What the form shows for a mapping, or for none yet: the file's own shape."""
    file = raw.get("file", {})
    shown: dict[str, Any] = {
        "source": raw.get("source", ""),
        "encoding": file.get("encoding", shape.encoding),
        "delimiter": file.get("delimiter", shape.delimiter),
        "missing": ", ".join(word for word in file.get("missing", []) if word),
        "keep": [_first(_table(spec)) for spec in raw.get("data", {}).values()],
        "zone": USUAL_ZONE,
    }
    for name, spec in raw.get("case", {}).items():
        table = _table(spec)
        shown[f"{name}-column"] = _first(table)
        shown[f"{name}-value"] = table.get("value", "")
        shown[f"{name}-values"] = "\n".join(
            f"{theirs} = {ours}" for theirs, ours in table.get("values", {}).items()
        )
        if name in DATES:
            shown[f"{name}-format"] = OR.join(table.get("formats", ["iso"]))
            shown["zone"] = table.get("zone", USUAL_ZONE)
    return shown


def to_toml(raw: Mapping[str, Any]) -> str:
    """The mapping as the file that the command line takes."""
    lines = [f"source = {_text(raw['source'])}", "", "[file]"]
    lines += [f"{key} = {_value(value)}" for key, value in raw.get("file", {}).items()]
    for section in ("case", "data"):
        lines += ["", f"[{section}]"]
        lines += [f"{_text(key)} = {_value(value)}" for key, value in raw.get(section, {}).items()]
    if raw.get("case_type"):
        lines += ["", "[case_type]"]
        lines += [f"{key} = {_value(value)}" for key, value in raw["case_type"].items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return _text(str(value))


def _text(text: str) -> str:
    """A TOML basic string: JSON's escapes are among its own."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _field_name(column: str) -> str:
    """The column's name as a field of the case's own data."""
    name = "".join(c if c.isalnum() and c.isascii() else "_" for c in column.lower()).strip("_")
    return name or "field"

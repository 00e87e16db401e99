"""A mapping as a form: one line per field of a case, for people who do not write TOML; and as TOML."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.imports.mapping import FIELDS, REQUIRED, FileShape

DATES = ("opened_at", "closed_at")
FORMATS = [
    ("iso", "2026-11-20T09:41"),
    ("%d/%m/%Y %H:%M", "20/11/2026 09:41"),
    ("%d/%m/%Y", "20/11/2026"),
    ("%m/%d/%Y %I:%M:%S %p", "11/20/2026 09:41:00 AM"),
    ("%d-%m-%Y %H:%M:%S", "20-11-2026 09:41:00"),
    ("epoch", "1795167660"),
]
ZONES = ["Europe/Madrid", "Atlantic/Canary", "UTC"]


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
    zone = forms.ChoiceField(
        label=_("Time zone of dates without one"), choices=[(z, z) for z in ZONES]
    )
    keep = forms.MultipleChoiceField(
        label=_("Keep also, as they are"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, header: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
            self.fields[f"{name}-values"] = forms.CharField(
                label=_("Theirs = ours"),
                required=False,
                widget=forms.Textarea(attrs={"rows": 2}),
            )
            if name in DATES:
                self.fields[f"{name}-format"] = forms.ChoiceField(
                    label=_("Written as"), choices=FORMATS, required=False
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
                "values": self[f"{name}-values"],
                "format": self[f"{name}-format"] if name in DATES else None,
            }
            for name in FIELDS
        ]

    def mapping(self) -> dict[str, Any]:
        """What was filled in, in the mapping's own form."""
        asked = self.cleaned_data
        missing = [word.strip() for word in asked["missing"].split(",") if word.strip()]
        case: dict[str, Any] = {}
        for name in FIELDS:
            spec: dict[str, Any] = {}
            if asked[f"{name}-column"]:
                spec["column"] = asked[f"{name}-column"]
            elif asked[f"{name}-value"]:
                spec["value"] = asked[f"{name}-value"]
            else:
                continue
            pairs = [
                line.split("=", 1) for line in asked[f"{name}-values"].splitlines() if "=" in line
            ]
            if pairs:
                spec["values"] = {theirs.strip(): ours.strip() for theirs, ours in pairs}
            if name in DATES:
                spec["formats"] = [asked[f"{name}-format"] or "iso"]
                spec["zone"] = asked["zone"]
            case[name] = spec
        return {
            "source": asked["source"],
            "file": {
                "encoding": asked["encoding"],
                "delimiter": asked["delimiter"],
                "missing": ["", *missing],
            },
            "case": case,
            "data": {_field_name(column): column for column in asked["keep"]},
        }


def initial(raw: Mapping[str, Any], shape: FileShape) -> dict[str, Any]:
    """What the form shows for a mapping, or for none yet: the file's own shape."""
    file = raw.get("file", {})
    shown: dict[str, Any] = {
        "source": raw.get("source", ""),
        "encoding": file.get("encoding", shape.encoding),
        "delimiter": file.get("delimiter", shape.delimiter),
        "missing": ", ".join(word for word in file.get("missing", []) if word),
        "data": [
            c if isinstance(c, str) else c.get("column", "") for c in raw.get("data", {}).values()
        ],
        "zone": ZONES[0],
    }
    for name, spec in raw.get("case", {}).items():
        table: dict[str, Any] = {"column": spec} if isinstance(spec, str) else dict(spec)
        shown[f"{name}-column"] = table.get("column") or next(iter(table.get("columns", [])), "")
        shown[f"{name}-value"] = table.get("value", "")
        shown[f"{name}-values"] = "\n".join(
            f"{theirs} = {ours}" for theirs, ours in table.get("values", {}).items()
        )
        if name in DATES:
            shown[f"{name}-format"] = next(iter(table.get("formats", ["iso"])))
            shown["zone"] = table.get("zone", ZONES[0])
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

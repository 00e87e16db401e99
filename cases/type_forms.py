"""What a designer of case types writes: states, moves and fields as JSON, one a line."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import CaseType, CaseTypeVersion
from cases.services.catalogue import ordered, type_seen
from cases.workflow import simple_bundle
from crm.kit.api.parsing import parse_json
from crm.kit.errors import DomainError, Invalid
from crm.kit.forms import Correction

JSON_FIELDS = ("states", "moves", "fields_schema")


def texts_of(bundle: Mapping[str, Any]) -> dict[str, str]:
    """A bundle as the form's texts: one state or move a line, so that they can be compared."""
    fields = bundle.get("fields")
    return {
        "states": _lines(bundle["states"]),
        "moves": _lines(bundle["moves"]),
        "fields_schema": json.dumps(fields, indent=2, ensure_ascii=False) if fields else "",
        "term": bundle.get("term") or "",
        "initial_state": bundle["initial"],
    }


def _lines(items: Any) -> str:
    if not isinstance(items, list):
        return json.dumps(items, ensure_ascii=False)
    rows = ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in items)
    return f"[\n  {rows}\n]"


def _lines_of_theirs(theirs: str, mine: str) -> str:
    written = {line.strip(" ,") for line in mine.splitlines()}
    lines = [line.strip(" ,") for line in theirs.splitlines()]
    return "\n".join(line for line in lines if line not in written)


class CaseTypeForm(Correction):
    """A case type as its designer writes it; states, moves and fields as JSON."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=60,
        help_text=gettext_lazy("Small letters, digits and dashes. It cannot be changed later."),
    )
    nature = forms.ChoiceField(label=gettext_lazy("Nature"), choices=CaseType.Nature.choices)
    term = forms.CharField(
        label=gettext_lazy("Term"),
        max_length=8,
        required=False,
        help_text=gettext_lazy("30wd (working days), 15d (days), 3m (months) or 1y (years)."),
    )
    initial_state = forms.CharField(label=gettext_lazy("First state"), max_length=40)
    states = forms.CharField(
        label=gettext_lazy("States"),
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
    )
    moves = forms.CharField(
        label=gettext_lazy("Moves"),
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
    )
    fields_schema = forms.CharField(
        label=gettext_lazy("Extra fields (JSON Schema)"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
    )
    is_active = forms.BooleanField(
        label=gettext_lazy("New cases of this type may be opened"), required=False, initial=True
    )

    PARTS = {
        "states": "states",
        "moves": "moves",
        "fields": "fields_schema",
        "term": "term",
        "initial": "initial_state",
    }

    def clean_states(self) -> Any:
        """The states as a value."""
        return self._json("states")

    def clean_moves(self) -> Any:
        """The moves as a value."""
        return self._json("moves")

    def clean_fields_schema(self) -> Any:
        """The schema as a value; nothing means no fields."""
        return self._json("fields_schema") if self.cleaned_data["fields_schema"].strip() else {}

    def _json(self, name: str) -> Any:
        text: str = self.cleaned_data[name]
        try:
            json.loads(text)  # says where it is wrong
        except json.JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno, "problem": error.msg}
            raise forms.ValidationError(
                _("Not valid JSON at line %(line)s, column %(column)s: %(problem)s.") % place
            ) from None
        except (ValueError, RecursionError):
            pass
        try:
            return parse_json(text.encode(errors="replace"))
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from None

    def bundle(self) -> dict[str, Any]:
        """The bundle that the form describes."""
        return {
            part: self.cleaned_data[field] or (None if part == "term" else self.cleaned_data[field])
            for part, field in self.PARTS.items()
        }

    @staticmethod
    def of(case_type: CaseType, newest: CaseTypeVersion | None) -> dict[str, Any]:
        """What the fields hold at first."""
        return {
            "name": case_type.name,
            "code": case_type.code,
            "nature": case_type.nature,
            "is_active": case_type.is_active,
            "seen": type_seen(case_type, newest),
            **texts_of(newest.bundle if newest else simple_bundle()),
        }

    def _compare(self, on_record: Mapping[str, Any]) -> None:
        """Of states, moves and fields only the lines are told that were not written here."""
        mine = texts_of(ordered(self.bundle()))
        told = {
            name: self.cleaned_data[name]
            if on_record[name] == mine[name]
            else _lines_of_theirs(on_record[name], mine[name])
            for name in JSON_FIELDS
        }
        super()._compare({**on_record, **told})

    def refused(self, error: DomainError) -> None:
        """Put each problem of the bundle at the part it is in, with its exact place."""
        if not isinstance(error, Invalid) or not error.errors:
            super().refused(error)
            return
        for where, messages in error.errors.items():
            part = where.split(".")[0].split("[")[0]
            at = self.PARTS.get(part, where if where in self.fields else None)
            for message in messages:
                self.add_error(at, f"{where}: {message}" if where != at else str(message))

"""The form that says how open cases go from one version of their type to another."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from cases.fields import Fields
from cases.forms import DATA, DataForm
from cases.services.versions import Way, Ways
from crm.kit.forms import ServiceForm

STATE, FIELD, LEFT = "state.", "field.", "-"


class WayForm(ServiceForm, DataForm):
    """Where each state goes, what becomes of fields that vanished, and what new ones begin with."""

    def __init__(self, data: Any = None, *, ways: Ways, way: Way | None = None) -> None:
        self.ways = ways
        way = way or Way()
        super().__init__(data)
        for state in ways.states:
            nowhere = [] if state.target else [("", _("Nowhere: these cases stay"))]
            self.fields[STATE + state.code] = forms.ChoiceField(
                label=state.name,
                choices=[*nowhere, *ways.goals],
                required=False,
                initial=way.states.get(state.code, state.target),
            )
        targets = [(one.name, one.label) for one in ways.after.fields]
        for name, label in ways.gone:
            known = name in way.fields
            self.fields[FIELD + name] = forms.ChoiceField(
                label=label,
                choices=[
                    ("", _("Nothing said: cases that have an answer stay")),
                    (LEFT, _("It is left behind, and the case's story keeps it")),
                    *(
                        (new, _("It becomes “%(name)s”") % {"name": words})
                        for new, words in targets
                    ),
                ],
                required=False,
                initial=(way.fields[name] or LEFT) if known else "",
            )
        new = set(ways.new)
        schema = ways.after.fields.schema
        properties = {
            name: {key: value for key, value in field.items() if key not in ("x-when", "x-section")}
            for name, field in schema.get("properties", {}).items()
            if name in new
        }
        if properties:
            self.add_data_fields(Fields({"properties": properties}), way.fill)
        self.places = {
            **{f"states.{state.code}": STATE + state.code for state in ways.states},
            **{f"fields.{name}": FIELD + name for name, _label in ways.gone},
            **{f"fill.{name}": DATA + name for name in properties},
        }

    def way(self) -> Way:
        """As the form says it."""
        said: Mapping[str, Any] = self.cleaned_data
        states = {state.code: said[STATE + state.code] for state in self.ways.states}
        fields = {name: said[FIELD + name] for name, _label in self.ways.gone}
        return Way(
            states={old: new for old, new in states.items() if new and new != old},
            fields={old: None if new == LEFT else new for old, new in fields.items() if new},
            fill=self.cleaned_case_data(),
        )

    def state_fields(self) -> list[tuple[Any, forms.BoundField]]:
        """Each state with how many cases stand in it, and its field."""
        return [(state, self[STATE + state.code]) for state in self.ways.states]

    def gone_fields(self) -> list[forms.BoundField]:
        """Those of the fields that vanished."""
        return [self[FIELD + name] for name, _label in self.ways.gone]

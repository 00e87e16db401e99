"""What employees fill in about cases: the new case, its edit, list filters, moves, case types."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.fields import Field, Fields, Section
from cases.lists import ALL, ENDED, ME, NOBODY, OPEN, CaseFilter
from cases.models import Case, CaseType, Confidentiality, StateCategory
from cases.workflow import OUTCOME, REASON, RESULT, Move, Workflow
from crm.citizens.models import Channel
from crm.kit.errors import Invalid
from crm.kit.forms import Clash, DateField, DateInput, ServiceForm, in_words
from crm.organisations.selectors import Node

DATA = "data."
LONG_TEXT = 200


def show_errors(form: forms.Form, invalid: Invalid) -> None:
    """Put what a verb found wrong at the form's fields; what has no field there, over the form."""
    for name, messages in invalid.errors.items():
        at = name if name in form.fields else None
        for message in messages:
            text = str(message) if at or not name else f"{name}: {message}"
            form.add_error(at, text)
    if not invalid.errors:
        form.add_error(None, str(invalid.message))


def unit_choices(units: Iterable[Node]) -> list[tuple[str, str]]:
    """Units as a tree in a list."""
    return [(node.uuid, f"{'  ' * node.depth}{node.name}") for node in units]


# --- A type's own fields ------------------------------------------------------------------------


def data_field(field: Field) -> forms.Field:
    """The form field for one field of a case type."""
    common: dict[str, Any] = {
        "label": field.label,
        "required": field.required,
        "help_text": field.help,
    }
    choices = [(value, str(field.said(value))) for value in field.choices]
    if field.type == "array":
        widget = forms.CheckboxSelectMultiple
        return forms.MultipleChoiceField(choices=choices, widget=widget, **common)
    if choices:
        return forms.TypedChoiceField(
            choices=[("", "—"), *choices], coerce=_coercion(field), empty_value=None, **common
        )
    if field.type == "boolean":
        return forms.BooleanField(**{**common, "required": False})
    if field.type in ("integer", "number"):
        common["min_value"] = field.schema.get("minimum")
        common["max_value"] = field.schema.get("maximum")
        return (
            forms.IntegerField(**common) if field.type == "integer" else forms.FloatField(**common)
        )
    return _text_field(field, common)


def _coercion(field: Field) -> Any:
    return {"integer": int, "number": float}.get(field.type, str)


def _text_field(field: Field, common: dict[str, Any]) -> forms.Field:
    form = field.schema.get("format")
    if form == "date":
        return forms.DateField(widget=DateInput(), **common)
    if form == "email":
        return forms.EmailField(**common)
    if form == "uri":
        return forms.URLField(assume_scheme="https", **common)
    longest = field.schema.get("maxLength")
    if longest is None or longest > LONG_TEXT:
        common["widget"] = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(max_length=longest, **common)


_EMPTY: tuple[Any, ...] = (None, "", [])


@dataclass(frozen=True, slots=True)
class AskedField:
    """A field as its form shows it, when (JSON for the page's script; empty: always), and whether it must
    be filled then."""

    field: forms.BoundField
    when: str
    must: bool


class DataForm(forms.Form):
    """A form with the fields of a case type besides its own, under names that begin with `data.`."""

    asked_by: Fields | None = None
    kept: Mapping[str, Any] = {}  # what the case says already, which a part of the fields hangs on
    demanded: frozenset[str] = frozenset()  # besides what the type requires

    def add_data_fields(
        self, fields: Fields, data: Mapping[str, Any], only: Iterable[str] | None = None
    ) -> None:
        """Show these fields, or only some of them that must be filled, with what the case says."""
        self.asked_by, self.kept = fields, data
        self.demanded = frozenset(only or ())
        for field in fields:
            if only is not None and field.name not in self.demanded:
                continue
            shown = data_field(field)
            if field.when:  # whether it is required is known when the answers are (clean)
                shown.required = False
            elif field.name in self.demanded:
                shown.required = True
            self.fields[DATA + field.name] = shown
            self.initial.setdefault(DATA + field.name, data.get(field.name))

    def clean(self) -> dict[str, Any]:
        """What is not asked by these answers is neither wrong nor kept; what is asked is there."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.asked_by is None or not self.asked_by.conditional:
            return cleaned
        settled = {
            name: value for name, value in self.kept.items() if DATA + name not in self.fields
        }
        shown = self.asked_by.shown({**settled, **self.cleaned_case_data()})
        for field in self.asked_by:
            name = DATA + field.name
            if name not in self.fields or not field.when:
                continue
            if field.name not in shown:
                cleaned.pop(name, None)
                self.errors.pop(name, None)
            elif self._must(field) and name not in self.errors and cleaned.get(name) in _EMPTY:
                self.add_error(name, _("This field is required."))
        return cleaned

    def _must(self, field: Field) -> bool:
        return field.required or field.name in self.demanded

    def data_sections(self) -> list[tuple[Section, list[AskedField]]]:
        """The bound fields of the type by section, each with its conditions as the page reads them."""
        sections = self.asked_by.sections if self.asked_by else ()
        return [
            (section, [self._asked(field) for field in asked])
            for section in sections
            if (asked := [field for field in section.fields if DATA + field.name in self.fields])
        ]

    def _asked(self, field: Field) -> AskedField:
        """A condition on a field that the form does not show is settled: it says what it is."""
        told = [
            one.written()
            if DATA + one.field in self.fields
            else {"settled": one.holds(self.kept.get(one.field))}
            for one in field.when
        ]
        bound = self[DATA + field.name]
        return AskedField(bound, json.dumps(told) if told else "", self._must(field))

    def cleaned_case_data(self) -> dict[str, Any]:
        """What was filled in, as JSON; what was left empty is not there."""
        values = {
            name.removeprefix(DATA): value.isoformat() if isinstance(value, date) else value
            for name, value in self.cleaned_data.items()
            if name.startswith(DATA)
        }
        return {name: value for name, value in values.items() if value not in (None, "", [])}


# --- The case -----------------------------------------------------------------------------------


class CaseForm(DataForm):
    """What a person says of a case; new and edited alike."""

    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=240)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), choices=Channel.choices)
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        choices=Case.Priority.choices,
        coerce=int,
        initial=Case.Priority.NORMAL,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the citizen"), choices=settings.LANGUAGES, initial="es"
    )
    address = forms.CharField(
        label=gettext_lazy("Address of the matter"),
        help_text=gettext_lazy("Where it happens, not where the citizen lives."),
        max_length=300,
        required=False,
    )
    latitude = forms.FloatField(
        label=gettext_lazy("Latitude"), min_value=-90, max_value=90, required=False
    )
    longitude = forms.FloatField(
        label=gettext_lazy("Longitude"), min_value=-180, max_value=180, required=False
    )
    citizen = forms.UUIDField(required=False, widget=forms.HiddenInput)

    OWN = (
        "subject",
        "description",
        "channel",
        "priority",
        "language",
        "address",
        "latitude",
        "longitude",
        "citizen",
    )

    def said(self) -> dict[str, Any]:
        """What the form says of the case, by field."""
        return {name: self.cleaned_data[name] for name in self.OWN} | {
            "data": self.cleaned_case_data()
        }


class NewCaseForm(CaseForm):
    """Opening a case: besides what it is about, of what kind, where and how confidential."""

    case_type = forms.ChoiceField(label=gettext_lazy("Case type"))
    unit = forms.TypedChoiceField(label=gettext_lazy("Unit"), coerce=UUID)
    confidentiality = forms.TypedChoiceField(
        label=gettext_lazy("Confidentiality"),
        choices=[("", gettext_lazy("As its type says")), *Confidentiality.choices],
        coerce=int,
        empty_value=None,
        required=False,
    )
    representative = forms.CharField(
        label=gettext_lazy("Who asks for it"), max_length=40, required=False
    )
    mine = forms.BooleanField(label=gettext_lazy("I will work on it"), required=False, initial=True)
    field_order = (
        "case_type",
    )  # as the page shows them, so that errors are told from top to bottom

    def __init__(
        self,
        *args: Any,
        types: Iterable[CaseType],
        units: Iterable[Node],
        fields: Fields | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["case_type"].choices = [  # type: ignore[attr-defined]
            ("", "—"),
            *((kind.code, kind.name) for kind in types),
        ]
        self.fields["unit"].choices = unit_choices(units)  # type: ignore[attr-defined]
        self.fields["case_type"].widget.attrs.update(
            {
                "hx-post": reverse("cases:new"),
                "hx-trigger": "change",
                "hx-target": "#type-fields",
                "hx-vals": '{"choose": "type"}',
            }
        )
        if fields is not None:
            self.add_data_fields(fields, {})


class EditCaseForm(CaseForm, ServiceForm):
    """Editing a case that was seen in this version."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: Case, workflow: Workflow, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {name: getattr(case, name) for name in self.OWN if name != "citizen"}
        self.initial["citizen"] = case.citizen.uuid if case.citizen else None
        self.initial["version"] = case.version
        self.add_data_fields(workflow.fields, case.data)
        if self.is_bound:
            self.take_over(self.chosen(), self.initial)

    def said(self) -> dict[str, Any]:
        """What the form says; of the citizen nothing unless somebody or nobody was chosen."""
        said = super().said()
        if "citizen" not in self.data:
            del said["citizen"]
        return said

    def reconcile(self, both: Mapping[str, Any], kept: Iterable[str]) -> None:
        """After others changed the case: what only they did is shown as it is now, what both did keeps
        what was typed with theirs beside it to choose from; saved again, it is gone on from now."""
        mine = {*both, *kept}
        others = [field.name for field in self.visible_fields() if field.name not in mine]
        self.take_over(others, self.initial)
        self.data["version"] = str(self.initial["version"])  # type: ignore[index]
        for name, one in both.items():
            if name not in self.fields or self.fields[name].widget.is_hidden:
                continue
            at = datetime.fromisoformat(one.at) if one.at else None
            theirs = in_words(self.fields[name], one.theirs)
            self[name].clash = Clash(self.CHOICE + name, theirs, one.by, at)  # type: ignore[attr-defined]


class MoveForm(DataForm):
    """What a move of a case that was seen in this version asks for, and nothing else."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        case: Case,
        move: Move,
        asks: Iterable[str],
        workflow: Workflow,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.initial["version"] = case.version
        asked = set(asks)
        if OUTCOME in asked:
            self.fields[OUTCOME] = forms.CharField(
                label=_("Outcome"), max_length=240, help_text=_("How it ended, for the citizen.")
            )
        if REASON in asked:
            self.fields[REASON] = forms.CharField(
                label=_("Reason"), max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
            )
        if RESULT in asked:
            self.fields[RESULT] = forms.ChoiceField(
                label=_("Way of ending"),
                choices=[("", "—"), *((one.code, one.name) for one in workflow.results)],
                help_text=_("It decides for how long the file is kept."),
            )
        self.add_data_fields(workflow.fields, case.data, only=asked)

    def own_fields(self) -> list[forms.BoundField]:
        """What every type may ask: result, outcome and reason."""
        return [self[name] for name in (RESULT, OUTCOME, REASON) if name in self.fields]

    def seen(self) -> int:
        """The version of the case that was before the person."""
        version: int | None = self.cleaned_data.get("version")
        return self.initial["version"] if version is None else version


# --- Lists --------------------------------------------------------------------------------------

_SINCE = {"late": 0, "today": 1, "week": 7, "month": 30}


class ListForm(forms.Form):
    """The filters of the case list, with the names that they have in its address."""

    q = forms.CharField(label=gettext_lazy("Text"), required=False, strip=False)
    estado = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    tipo = forms.ChoiceField(label=gettext_lazy("Case type"), required=False)
    unidad = forms.ChoiceField(label=gettext_lazy("Unit"), required=False)
    responsable = forms.CharField(label=gettext_lazy("Assignee"), max_length=40, required=False)
    vence = forms.ChoiceField(
        label=gettext_lazy("Due date"),
        required=False,
        choices=[
            ("", gettext_lazy("Any")),
            ("late", gettext_lazy("Overdue")),
            ("today", gettext_lazy("Until today")),
            ("week", gettext_lazy("In 7 days")),
            ("month", gettext_lazy("In 30 days")),
        ],
    )
    objetivo = forms.ChoiceField(
        label=gettext_lazy("Service targets"),
        required=False,
        choices=[("", gettext_lazy("Any")), ("riesgo", gettext_lazy("In danger or late"))],
    )
    canal = forms.ChoiceField(
        label=gettext_lazy("Channel"),
        required=False,
        choices=[("", gettext_lazy("Any")), *Channel.choices],
    )
    prioridad = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", gettext_lazy("Any")), *Case.Priority.choices],
    )
    desde = DateField(label=gettext_lazy("Opened from"), required=False)
    hasta = DateField(label=gettext_lazy("Opened until"), required=False)
    todo = forms.BooleanField(label=gettext_lazy("Search all years"), required=False)
    orden = forms.ChoiceField(
        label=gettext_lazy("Order"),
        required=False,
        choices=[
            ("", gettext_lazy("Usual order")),
            ("due", gettext_lazy("Due first")),
            ("target", gettext_lazy("Nearest service target first")),
            ("newest", gettext_lazy("Newest first")),
        ],
    )

    WORK = {
        OPEN: gettext_lazy("All open"),
        ENDED: gettext_lazy("Ended"),
        ALL: gettext_lazy("All cases"),
    }

    def __init__(
        self,
        *args: Any,
        types: Callable[[], Iterable[CaseType]],
        units: Callable[[], Iterable[Node]],
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        categories = [(item.name.lower(), item.label) for item in StateCategory]
        choices = {  # types and units only when they are shown or a value must be one of them
            "estado": [("", _("Any")), *self.WORK.items(), *categories],
            "tipo": lambda: [("", _("Any")), *((kind.code, kind.name) for kind in types())],
            "unidad": lambda: [("", _("Any")), *unit_choices(units())],
        }
        for name, values in choices.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]

    def clean_responsable(self) -> UUID | str:
        """Me, nobody, or somebody by UUID."""
        value: str = self.cleaned_data["responsable"]
        if value in ("", ME, NOBODY):
            return value
        try:
            return UUID(value)
        except ValueError:
            raise forms.ValidationError(_("Choose one of the offered values.")) from None

    def asked(self) -> dict[str, Any]:
        """What the filters ask, as fields of CaseFilter; what is not valid is left out. The box is an
        expression of its own."""
        given = {
            name: value for name, value in self.cleaned_data.items() if value not in (None, "")
        }
        found: dict[str, Any] = {
            field: given[name]
            for name, field in (
                ("tipo", "case_type"),
                ("responsable", "assignee"),
                ("canal", "channel"),
                ("prioridad", "priority"),
                ("orden", "by"),
            )
            if name in given
        }
        found |= self._asked_state(given.get("estado", ""))
        if "unidad" in given:
            found["unit"] = UUID(given["unidad"])
        if "vence" in given:
            found["due_before"] = _due_before(given["vence"])
            found["due_words"] = _DUE_WORDS[given["vence"]]
        if "objetivo" in given:
            found["danger"] = True
        if "desde" in given:
            found["opened_from"] = _midnight(given["desde"])
        if "hasta" in given:
            found["opened_before"] = _midnight(given["hasta"] + timedelta(days=1))
        if given.get("todo"):
            found["any_time"] = True
        return found

    def _asked_state(self, state: str) -> dict[str, Any]:
        if not state:
            return {}
        if state in self.WORK:
            return {"work": state, "categories": frozenset()}
        category = StateCategory[state.upper()]
        work = ENDED if category >= StateCategory.RESOLVED else OPEN
        return {"work": work, "categories": frozenset({category})}


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


_DUE_WORDS = {"late": "now", "today": "tomorrow", "week": "7d", "month": "30d"}


def _due_before(choice: str) -> datetime:
    if choice == "late":
        return timezone.now()
    return _midnight(timezone.localdate() + timedelta(days=_SINCE[choice]))


def describe(asked: CaseFilter) -> str:
    """In what order a list stands, in words."""
    order = asked.order.columns[0]
    words = {
        "due_sort": _("the most urgent first"),
        "service_clock__due_at": _("the nearest service target first"),
        "opened_at": _("the newest first"),
        "closed_at": _("the last ended first"),
    }
    return words[order]


# --- Case types ---------------------------------------------------------------------------------

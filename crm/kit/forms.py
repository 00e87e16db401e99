"""Forms whose rules are a service's: they parse what is typed and show what the service refused."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from http import HTTPStatus
from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Changed, Conflict, DomainError, Invalid
from crm.kit.threeway import merge

YEARS = range(1800, 2200)  # what a calendar of ours may meet


@dataclass(frozen=True, slots=True)
class Clash:
    """What somebody else put into a field meanwhile, and who and when where that is known."""

    name: str  # of the choice in the form
    theirs: str
    by: str = ""
    at: datetime | None = None


class ServiceForm(forms.Form):
    """A form that shows at its fields what a service refused."""

    places: Mapping[str, str] = {}
    """Where the service's errors belong when the field is called otherwise here."""

    def refused(self, error: DomainError) -> None:
        """Show the error at its fields, and what has none above the form."""
        errors = error.errors if isinstance(error, Invalid) else {}
        for name, messages in (errors or {"": [error.message]}).items():
            field = self.places.get(name, name)
            for message in messages:
                self.add_error(field if field in self.fields else None, str(message))

    CHOICE = "choice-"
    """Before the name of a field that two people changed: whether « mine » or « theirs » is to be."""

    def take_over(self, names: Iterable[str], says: Mapping[str, Any]) -> None:
        """These fields say what is on record instead of what was typed."""
        data = self.data.copy()  # type: ignore[attr-defined] # a QueryDict, as it came
        for name in names:
            data.setlist(name, as_posted(says.get(name)))
            data.pop(self.CHOICE + name, None)
        self.data = data

    def chosen(self) -> list[str]:
        """The fields at which theirs was chosen."""
        start = self.CHOICE
        taken = [key for key, choice in self.data.items() if choice == "theirs"]
        names = [key.removeprefix(start) for key in taken if key.startswith(start)]
        return [name for name in names if name in self.fields]

    @property
    def began(self) -> str:
        """What its fields said when the person began, for a page to send along as `began`: then what
        others change meanwhile in other fields is kept without a question."""
        if self.is_bound and "began" in self.data:
            return str(self.data["began"])
        return _as_begun(self, self.initial)

    now: Sequence[tuple[str, str]] = ()
    """Fields that say other than what was typed since somebody else changed them: label and value."""

    def saved(
        self,
        verb: Callable[[], object],
        on_record: Callable[[], Mapping[str, Any]] | None = None,
    ) -> HTTPStatus:
        """Carries the verb out: 200. Else the form says why not; who was late is shown what is on
        record now beside what they typed, and saving again puts it over that."""
        if self.is_bound and (chosen := self.chosen()):
            self.take_over(chosen, self.initial)
            self.full_clean()
        if not self.is_valid():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            verb()
        except (Invalid, Conflict) as error:
            if isinstance(error, Changed) and on_record is not None:
                record = on_record()
                if "began" in self.data and self._merged(record):
                    return self.saved(verb)
                if not self.clashes:
                    self._compare(record)
            self.refused(error)
            return HTTPStatus(error.status)
        return HTTPStatus.OK

    clashes: Sequence[str] = ()
    """Fields that somebody else changed as well, to something else: one chooses at each."""

    def _merged(self, record: Mapping[str, Any]) -> bool:
        """What only others changed is as it is now; False when both changed a field: it shows both."""
        began = _read_begun(self.data["began"])
        names = [field.name for field in self.visible_fields()]
        was = {name: _plain(began.get(name, [_UNKNOWN])) for name in names}
        now = {name: _plain(as_posted(record.get(name))) for name in names}
        mine = {name: _plain(self.data.getlist(name)) for name in names}  # type: ignore[attr-defined]
        merged = merge(was, now, mine)
        touched = {*merged.changes, *merged.clashes}
        self.take_over((name for name in names if name not in touched), record)
        data = self.data.copy()  # type: ignore[attr-defined]
        data["seen"], data["began"] = record["seen"], _as_begun(self, record)
        self.data = data
        self.clashes = sorted(merged.clashes)
        if not self.clashes:
            self.full_clean()
        for name in self.clashes:
            theirs = in_words(self.fields[name], record.get(name))
            self[name].clash = Clash(self.CHOICE + name, theirs)  # type: ignore[attr-defined]
        return not self.clashes

    def _compare(self, on_record: Mapping[str, Any]) -> None:
        self.now = [
            (str(field.label), in_words(field.field, on_record.get(field.name)))
            for field in self.visible_fields()
            if (on_record.get(field.name) or None) != (self.cleaned_data.get(field.name) or None)
        ]
        data = self.data.copy()  # type: ignore[attr-defined] # a QueryDict, as it came
        data["seen"] = on_record["seen"]
        self.data = data


class Correction(ServiceForm):
    """A form that corrects what was seen as it was at one moment (`seen`, which the verb compares)."""

    # without an id: a page may hold several such forms
    seen = forms.CharField(widget=forms.HiddenInput(attrs={"id": False}), required=False)


def in_words(field: forms.Field, value: Any) -> str:
    """A value of a form's field as people read it."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    words = {str(key): str(label).strip() for key, label in getattr(field, "choices", ())}
    values = value if isinstance(value, list | tuple) else [value]
    said = [
        date_format(one) if isinstance(one, date) else words.get(str(one), str(one or ""))
        for one in values
    ]
    return ", ".join(filter(None, said)) or "—"


def as_posted(value: Any) -> list[str]:
    """A value as its control would send it."""
    if isinstance(value, bool):
        return ["on"] if value else []
    if isinstance(value, list | tuple | set | frozenset):
        return [str(one) for one in value]
    return ["" if value is None else str(value)]


_UNKNOWN = "\0"  # what nobody can have typed: of a field that began nobody knows how, one is asked


def _as_begun(form: forms.Form, says: Mapping[str, Any]) -> str:
    return json.dumps(
        {field.name: as_posted(says.get(field.name)) for field in form.visible_fields()}
    )


def _read_begun(text: str) -> dict[str, list[str]]:
    """What a page sent along; what is none of ours counts as nothing, and both are asked."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return {
        name: [str(one) for one in value]
        for name, value in (said.items() if isinstance(said, dict) else ())
        if isinstance(value, list)
    }


def _plain(values: Sequence[str]) -> list[str]:
    """Without what a keyboard adds unseen."""
    return sorted(filter(None, (one.replace("\r\n", "\n").strip() for one in values)))


class DateInput(forms.DateInput):
    """A date by the browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class DateField(forms.DateField):
    """A day by the browser's own calendar; no end of it, which nobody can count on from."""

    widget = DateInput

    def to_python(self, value: Any) -> date | None:
        """The day."""
        day = super().to_python(value)
        if day is not None and day.year not in YEARS:
            raise forms.ValidationError(_("The year must lie between 1800 and 2199."), code="range")
        return day


class Renderer(DjangoTemplates):
    """Django's own form templates, but selects by hand.

    Theirs includes two templates for each option: with the units of a national administration to
    choose from, half the time of a page went there.
    """

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> str:
        """What the template would give."""
        if template_name == "django/forms/widgets/select.html":
            return _select(context["widget"])
        return super().render(template_name, context, request)


def _select(widget: Mapping[str, Any]) -> SafeString:
    # every part is escaped where it is made
    inner = mark_safe("".join(_options(widget["optgroups"])))  # noqa: S308
    return format_html(
        '<select name="{}"{}>{}</select>', widget["name"], flatatt(widget["attrs"]), inner
    )


def _options(groups: list[tuple[str | None, list[dict[str, Any]], int]]) -> Iterator[str]:
    for name, options, _index in groups:
        if name:
            yield f'<optgroup label="{conditional_escape(name)}">'
        for option in options:
            attrs = flatatt(option["attrs"]) if option["attrs"] else ""
            value, label = escape(str(option["value"])), conditional_escape(option["label"])
            yield f'<option value="{value}"{attrs}>{label}</option>'
        if name:
            yield "</optgroup>"

"""Forms whose rules are a service's: they parse what is typed and show what the service refused."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
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

YEARS = range(1800, 2200)  # what a calendar of ours may meet


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

    now: Sequence[tuple[str, str]] = ()
    """Fields that say other than what was typed since somebody else changed them: label and value."""

    def saved(
        self,
        verb: Callable[[], object],
        on_record: Callable[[], Mapping[str, Any]] | None = None,
    ) -> HTTPStatus:
        """Carries the verb out: 200. Else the form says why not; who was late is shown what is on
        record now beside what they typed, and saving again puts it over that."""
        if not self.is_valid():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            verb()
        except (Invalid, Conflict) as error:
            if isinstance(error, Changed) and on_record is not None:
                self._compare(on_record())
            self.refused(error)
            return HTTPStatus(error.status)
        return HTTPStatus.OK

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

"""What is typed on the organisations' pages; the rules themselves are the services'."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.kit.forms import Correction, DateField, ServiceForm
from crm.organisations import options
from crm.organisations.calendars import REGIONS, Interval
from crm.organisations.models import (
    DataClass,
    Holiday,
    Layer,
    OpeningHours,
    Organisation,
    Unit,
    WorkingCalendar,
)
from crm.organisations.selectors import PUBLIC_CALENDAR, Node
from crm.organisations.services.organisation import fingerprint
from crm.organisations.services.working_time import (
    LAYERS_OF_ITS_OWN,
    holiday_seen,
    hours_seen,
    week_seen,
    weekly_hours,
)

NONE = ("", "—")
_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")

Choices = Iterable[tuple[str, Any]]


def calendar_choices(calendars: Iterable[WorkingCalendar]) -> list[tuple[str, str]]:
    """Calendars to choose from, widest layer first."""
    order = list(Layer.values)
    ordered = sorted(calendars, key=lambda row: (order.index(row.layer), row.name))
    return [(str(row.uuid), f"{row.name} ({row.get_layer_display()})") for row in ordered]


def region_choices(known: Iterable[WorkingCalendar]) -> list[tuple[str, str]]:
    """The regions whose official holidays are not loaded yet: they are when one is chosen."""
    loaded = {row.code for row in known if row.organisation_id is None}
    return [
        (code, f"{name} ({Layer.REGIONAL.label})")
        for code, name in REGIONS.items()
        if f"{PUBLIC_CALENDAR}-{code}" not in loaded
    ]


def unit_choices(nodes: Iterable[Node], leave_out: Iterable[int] = ()) -> list[tuple[str, str]]:
    """Open units to choose from, in the tree's order and depth."""
    out = set(leave_out)
    return [
        (node.uuid, "\u2003" * node.depth + node.name)
        for node in nodes
        if not node.closed and node.id not in out
    ]


class OrganisationForm(Correction):
    """The organisation's own data."""

    name = forms.CharField(label=_("Name"), max_length=200)
    short_name = forms.CharField(label=_("Short name"), max_length=60, required=False)
    dir3_code = forms.CharField(label=_("DIR3 code"), max_length=40, required=False)
    accent = forms.CharField(
        label=_("Colour"),
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text=_("Everything else follows from it, in every theme, so that text stays legible."),
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages for citizens"),
        choices=settings.LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
    )
    time_zone = forms.ChoiceField(label=_("Time zone"))
    calendar = forms.ChoiceField(
        label=_("Calendar"),
        required=False,
        help_text=_("For units that have none of their own."),
    )

    def __init__(self, *args: Any, calendars: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in available_timezones() if "/" in zone)
        self.fields["time_zone"].choices = [(zone, zone) for zone in zones]  # type: ignore[attr-defined]
        self.fields["calendar"].choices = [NONE, *calendars]  # type: ignore[attr-defined]

    @staticmethod
    def of(organisation: Organisation) -> dict[str, Any]:
        """What the fields hold at first."""
        return {
            "name": organisation.name,
            "short_name": organisation.short_name,
            "dir3_code": organisation.dir3_code,
            "accent": organisation.accent,
            "languages": organisation.languages,
            "time_zone": organisation.time_zone,
            "calendar": str(organisation.calendar.uuid) if organisation.calendar else "",
            "seen": fingerprint(organisation),
        }


class OptionsForm(Correction):
    """The typed options, one field for each."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for option in options.fields():
            self.fields[option.name] = _field_of(option)

    @staticmethod
    def of(organisation: Organisation) -> dict[str, Any]:
        """What the fields hold at first."""
        read = options.read(organisation)
        found = {option.name: getattr(read, option.name) for option in options.fields()}
        shown = {
            name: "\n".join(value) if isinstance(value, tuple) else value
            for name, value in found.items()
        }
        return {**shown, "seen": fingerprint(organisation)}

    def changes(self) -> dict[str, Any]:
        """As the service takes them."""
        return {
            option.name: self.cleaned_data[option.name].splitlines()
            if isinstance(option.default, tuple)
            else self.cleaned_data[option.name]
            for option in options.fields()
        }


def _field_of(option: Any) -> forms.Field:
    label = option.metadata["label"]
    if isinstance(option.default, bool):
        return forms.BooleanField(label=label, required=False)
    if isinstance(option.default, int | float):
        kind = forms.IntegerField if isinstance(option.default, int) else forms.FloatField
        return kind(
            label=label,
            min_value=option.metadata["minimum"],
            max_value=option.metadata["maximum"],
        )
    return forms.CharField(
        label=label, required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )


class UnitForm(Correction):
    """A unit's own data."""

    name = forms.CharField(label=_("Name"), max_length=200)
    code = forms.CharField(label=_("Code"), max_length=40)
    dir3_code = forms.CharField(label=_("DIR3 code"), max_length=40, required=False)
    calendar = forms.ChoiceField(
        label=_("Calendar"), required=False, help_text=_("Without one, that of the unit above.")
    )

    def __init__(self, *args: Any, calendars: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["calendar"].choices = [NONE, *calendars]  # type: ignore[attr-defined]

    @staticmethod
    def of(unit: Unit) -> dict[str, Any]:
        """What the fields hold at first."""
        return {
            "name": unit.name,
            "code": unit.code,
            "dir3_code": unit.dir3_code,
            "calendar": str(unit.calendar.uuid) if unit.calendar else "",
            "seen": unit.updated_at.isoformat(),
        }


class TargetForm(ServiceForm):
    """Another unit: where to move to, or what to merge with."""

    places: Mapping[str, str] = {"parent": "target", "into": "target"}

    target = forms.ChoiceField(label=_("Unit"))

    def __init__(self, *args: Any, units: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = [NONE, *units]  # type: ignore[attr-defined]


class CloseForm(ServiceForm):
    """When a unit is closed."""

    on = DateField(label=_("Last day"))


class CalendarForm(ServiceForm):
    """A new calendar of the organisation's own."""

    name = forms.CharField(label=_("Name"), max_length=120)
    code = forms.CharField(label=_("Code"), max_length=20)
    layer = forms.ChoiceField(
        label=_("Layer"), choices=[(layer.value, layer.label) for layer in LAYERS_OF_ITS_OWN]
    )
    base = forms.ChoiceField(label=_("Stands on"))

    def __init__(self, *args: Any, calendars: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base"].choices = [NONE, *calendars]  # type: ignore[attr-defined]

    def given(self) -> dict[str, Any]:
        """As the service takes it."""
        given = dict(self.cleaned_data)
        base = given.pop("base")
        return given | ({"region": base} if base in REGIONS else {"base_id": UUID(base)})


class CalendarNameForm(Correction):
    """What a calendar is called."""

    name = forms.CharField(label=_("Name"), max_length=120)

    @staticmethod
    def of(calendar: WorkingCalendar) -> dict[str, Any]:
        """What the fields hold at first."""
        return {"name": calendar.name, "seen": calendar.name}


class HolidayForm(Correction):
    """A day that does not count, or counts again."""

    day = DateField(label=_("Day"))
    name = forms.CharField(label=_("Name"), max_length=120)
    working = forms.BooleanField(
        label=_("It is a working day here, although a wider calendar rests"), required=False
    )

    @staticmethod
    def of(day: date, holiday: Holiday | None) -> dict[str, Any]:
        """What the calendar says of a day."""
        said = {"name": holiday.name, "working": holiday.working} if holiday else {}
        return {"day": day, **said, "seen": holiday_seen(holiday)}


class IntervalsField(forms.CharField):
    """Hours as people write them: 09:00-14:00, 16:00-18:00."""

    def clean(self, value: Any) -> Any:
        """A list of Interval."""
        text = super().clean(value)
        found = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            match = _INTERVAL.fullmatch(part)
            try:
                if match is None:
                    raise ValueError(part)
                hours = [int(number) for number in match.groups()]
                found.append(Interval(time(hours[0], hours[1]), time(hours[2], hours[3])))
            except ValueError:
                raise forms.ValidationError(
                    _("Write hours such as 09:00-14:00, 16:00-18:00."), code="intervals"
                ) from None
        return sorted(found, key=lambda interval: interval.start)

    def prepare_value(self, value: Any) -> Any:
        """What was typed, or the intervals as they are typed."""
        return ", ".join(map(str, value)) if isinstance(value, list) else value


class WeekForm(Correction):
    """For each weekday: as the layer below, closed, or these hours."""

    INHERIT, CLOSED, OPEN = "inherit", "closed", "open"
    MODES: ClassVar[Choices] = [
        (INHERIT, _("As the layer below")),
        (CLOSED, _("Closed")),
        (OPEN, _("Open")),
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday, name in WEEKDAYS.items():
            self.fields[f"mode_{weekday}"] = forms.ChoiceField(
                label=capfirst(str(name)), choices=self.MODES
            )
            self.fields[f"weekday_{weekday}"] = IntervalsField(
                label=_("Hours on %(weekday)s") % {"weekday": name}, required=False, max_length=200
            )

    @classmethod
    def of(cls, hours: Iterable[OpeningHours]) -> dict[str, Any]:
        """What the fields hold at first."""
        week = weekly_hours(hours)
        found: dict[str, Any] = {f"mode_{weekday}": cls.INHERIT for weekday in WEEKDAYS}
        for weekday, intervals in week.items():
            found[f"mode_{weekday}"] = cls.OPEN if intervals else cls.CLOSED
            found[f"weekday_{weekday}"] = intervals
        return found | {"seen": week_seen(week)}

    def clean(self) -> dict[str, Any]:
        """Open days say when; the others have no hours."""
        cleaned = super().clean() or self.cleaned_data
        for weekday in WEEKDAYS:
            name = f"weekday_{weekday}"
            if cleaned.get(f"mode_{weekday}") != self.OPEN:
                cleaned[name] = []
            elif cleaned.get(name) == []:
                self.add_error(name, _("Write hours such as 09:00-14:00, 16:00-18:00."))
        return cleaned

    def week(self) -> dict[int, list[Interval]]:
        """As the service takes it."""
        return {
            weekday: self.cleaned_data[f"weekday_{weekday}"]
            for weekday in WEEKDAYS
            if self.cleaned_data[f"mode_{weekday}"] != self.INHERIT
        }

    def days(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The fields of each weekday."""
        return [(self[f"mode_{day}"], self[f"weekday_{day}"]) for day in WEEKDAYS]


class DateHoursForm(Correction):
    """The hours of one date."""

    day = DateField(label=_("Day"))
    intervals = IntervalsField(
        label=_("Hours"),
        required=False,
        max_length=200,
        help_text=_("Such as 09:00-14:00, 16:00-18:00. Nothing: closed all day."),
    )

    @staticmethod
    def of(day: date, intervals: list[Interval] | None) -> dict[str, Any]:
        """What the calendar says of a date; closed and nothing are told apart by a word."""
        words = intervals or (_("As any such weekday") if intervals is None else _("Closed"))
        return {"day": day, "intervals": words, "seen": hours_seen(intervals)}


class AgreementForm(ServiceForm):
    """A new agreement."""

    receiver = forms.ChoiceField(label=_("Organisation that receives the data"))
    legal_basis = forms.CharField(
        label=_("Legal basis"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    data_classes = forms.MultipleChoiceField(
        label=_("What is shared"), choices=DataClass.choices, widget=forms.CheckboxSelectMultiple
    )
    starts = DateField(label=_("First day"), initial=date.today)
    ends = DateField(
        label=_("Last day"),
        required=False,
        help_text=_("Nothing: until it is withdrawn."),
    )

    def __init__(self, *args: Any, organisations: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["receiver"].choices = [NONE, *organisations]  # type: ignore[attr-defined]

"""What is typed about appointments; the rules themselves are the services'."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.citizens.models import Channel
from crm.kit.forms import Correction, DateField, ServiceForm
from crm.organisations.forms import IntervalsField
from scheduling.models import BookableService, Modality, Office, Resource
from scheduling.public_forms import BookingForm

Choices = Iterable[tuple[str, Any]]


class BookForm(BookingForm):
    """An employee books for somebody."""

    start = forms.CharField(max_length=20, required=False)
    subject = forms.CharField(label=_("What is it about?"), max_length=240, required=False)
    name = forms.CharField(label=_("Name and surnames"), max_length=200, required=False)
    email = forms.CharField(label=_("Email"), max_length=254, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=30, required=False)
    case = forms.ChoiceField(label=_("Case"), required=False)
    channel = forms.ChoiceField(
        label=_("How it was asked for"), choices=Channel.choices, initial=Channel.PHONE
    )

    def __init__(self, *args: Any, cases: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = list(cases)
        self.about_a_case = bool(offered)
        self.fields["case"].choices = [("", "—"), *offered]  # type: ignore[attr-defined]


# --- Setting up -----------------------------------------------------------------------------------


class OfficeForm(Correction):
    """An office."""

    name = forms.CharField(label=_("Name"), max_length=120)
    code = forms.CharField(
        label=_("Code"), max_length=30, help_text=_("It stands in public addresses: plaza-mayor")
    )
    unit = forms.ChoiceField(label=_("Unit"))
    calendar = forms.ChoiceField(
        label=_("Calendar"), required=False, help_text=_("Without one, that of the unit.")
    )
    time_zone = forms.ChoiceField(label=_("Time zone"))
    address = forms.CharField(label=_("Address"), max_length=300)
    directions = forms.CharField(
        label=_("How to enter"),
        max_length=300,
        required=False,
        help_text=_("Step-free entrance, floor, nearest stop…"),
    )
    phone = forms.CharField(label=_("Telephone"), max_length=20, required=False)
    latitude = forms.FloatField(label=_("Latitude"), required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(
        label=_("Longitude"), required=False, min_value=-180, max_value=180
    )
    is_active = forms.BooleanField(label=_("Open to appointments"), required=False, initial=True)

    def __init__(self, *args: Any, units: Choices, calendars: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in available_timezones() if "/" in zone)
        self.fields["time_zone"].choices = [(zone, zone) for zone in zones]  # type: ignore[attr-defined]
        self.fields["unit"].choices = [("", "—"), *units]  # type: ignore[attr-defined]
        self.fields["calendar"].choices = [("", "—"), *calendars]  # type: ignore[attr-defined]

    @staticmethod
    def of(row: Office) -> dict[str, Any]:
        """What the fields hold at first."""
        plain = (
            *("name", "code", "time_zone", "address", "directions", "phone", "latitude"),
            *("longitude", "is_active"),
        )
        return {
            **{name: getattr(row, name) for name in plain},
            "unit": str(row.unit.uuid),
            "calendar": str(row.calendar.uuid) if row.calendar else "",
            "seen": row.updated_at.isoformat(),
        }

    def given(self) -> dict[str, Any]:
        """As the verb takes it."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        calendar = given["calendar"]
        return {
            **given,
            "unit": UUID(given["unit"]),
            "calendar": UUID(calendar) if calendar else None,
        }


class BookableServiceForm(Correction):
    """What can be booked, and by which rules."""

    name = forms.CharField(label=_("Name"), max_length=120)
    code = forms.CharField(label=_("Code"), max_length=40)
    description = forms.CharField(
        label=_("What for"),
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    modality = forms.ChoiceField(label=_("Modality"), choices=Modality.choices)
    duration = forms.IntegerField(label=_("Minutes of attention"), min_value=5, max_value=480)
    step = forms.IntegerField(
        label=_("Minutes from one start to the next"), min_value=5, max_value=480
    )
    buffer_before = forms.IntegerField(
        label=_("Minutes kept free before"), min_value=0, max_value=240, initial=0
    )
    buffer_after = forms.IntegerField(
        label=_("Minutes kept free after"), min_value=0, max_value=240, initial=0
    )
    required_papers = forms.CharField(
        label=_("What to bring, one thing a line"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    min_notice = forms.IntegerField(
        label=_("Minutes of notice"), min_value=0, max_value=60 * 24 * 30, initial=120
    )
    horizon_days = forms.IntegerField(label=_("Days ahead"), min_value=1, max_value=365, initial=60)
    max_active_per_citizen = forms.IntegerField(
        label=_("Appointments at once of one person"), min_value=1, max_value=50, initial=2
    )
    hold_minutes = forms.IntegerField(
        label=_("Minutes to confirm"), min_value=2, max_value=120, initial=15
    )
    cancel_until = forms.IntegerField(
        label=_("Minutes before, until which the person may move or cancel"),
        min_value=0,
        max_value=60 * 24 * 30,
        initial=60,
    )
    is_public = forms.BooleanField(
        label=_("Citizens book it themselves"), required=False, initial=True
    )
    is_active = forms.BooleanField(label=_("Offered"), required=False, initial=True)

    @staticmethod
    def of(row: BookableService) -> dict[str, Any]:
        """What the fields hold at first."""
        found = {
            name: getattr(row, name) for name in BookableServiceForm.base_fields if name != "seen"
        }
        found["required_papers"] = "\n".join(row.required_papers)
        return {**found, "seen": row.updated_at.isoformat()}

    def given(self) -> dict[str, Any]:
        """As the verb takes it."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        lines = given["required_papers"].splitlines()
        return {**given, "required_papers": [line.strip() for line in lines if line.strip()]}


class ResourceForm(Correction):
    """An agenda: who or what attends, what, and when every week."""

    places: Mapping[str, str] = {"week": ""}

    name = forms.CharField(label=_("Name"), max_length=80)
    kind = forms.ChoiceField(label=_("Kind"), choices=Resource.Kind.choices)
    services = forms.MultipleChoiceField(
        label=_("Attends"), widget=forms.CheckboxSelectMultiple, required=False
    )
    is_active = forms.BooleanField(label=_("Attends appointments"), required=False, initial=True)

    def __init__(self, *args: Any, services: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["services"].choices = list(services)  # type: ignore[attr-defined]
        for weekday, name in WEEKDAYS.items():
            self.fields[f"weekday_{weekday}"] = IntervalsField(
                label=capfirst(str(name)), required=False, max_length=200
            )

    @staticmethod
    def of(row: Resource) -> dict[str, Any]:
        """What the fields hold at first."""
        week: dict[int, list[str]] = {}
        for rule in row.rules.order_by("weekday", "starts"):
            week.setdefault(rule.weekday, []).append(f"{rule.starts:%H:%M}-{rule.ends:%H:%M}")
        return {
            "name": row.name,
            "kind": row.kind,
            "services": [service.code for service in row.services.all()],
            "is_active": row.is_active,
            "seen": row.updated_at.isoformat(),
            **{f"weekday_{day}": ", ".join(hours) for day, hours in week.items()},
        }

    def given(self) -> dict[str, Any]:
        """As the verb takes it."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "kind": data["kind"],
            "services": data["services"],
            "is_active": data["is_active"],
            "week": {day: data[f"weekday_{day}"] for day in WEEKDAYS if data[f"weekday_{day}"]},
        }

    def days(self) -> list[forms.BoundField]:
        """The fields of the week."""
        return [self[f"weekday_{day}"] for day in WEEKDAYS]


class ExceptionForm(ServiceForm):
    """A date on which an agenda attends otherwise."""

    day = DateField(label=_("Day"))
    intervals = IntervalsField(
        label=_("Hours"),
        required=False,
        max_length=200,
        help_text=_("Such as 09:00-14:00, 16:00-18:00. Nothing: does not attend."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=120, required=False)


class ClosureForm(ServiceForm):
    """Days on which an office does not attend."""

    first = DateField(label=_("First day"))
    last = DateField(label=_("Last day"), required=False, help_text=_("Nothing: only that day."))
    name = forms.CharField(label=_("Reason"), max_length=120)

"""What the API of appointments reads and answers."""

from crm.citizens.models import Channel
from crm.kit.api.shapes import (
    Choice,
    Day,
    Filters,
    Id,
    Input,
    Listing,
    Moment,
    Output,
    Text,
    Whole,
)
from scheduling.models import Modality, Status

AppointmentStatus = Status  # named here so that the schema can name them
AppointmentModality = Modality
SHOWN = [(value, label) for value, label in Status.choices if value not in {"held", "expired"}]


class AppointmentFilters(Filters):
    """Which appointments; several filters must all hold."""

    citizen = Id(required=False)
    case = Id(required=False)
    office = Text(required=False, max_length=30, help_text="Its code.")
    service = Text(required=False, max_length=40, help_text="Its code.")
    status = Listing(Choice(choices=SHOWN), required=False, max_length=6)
    starts_from = Moment(required=False)
    starts_before = Moment(required=False)
    reference = Text(required=False, max_length=12)


class SlotFilters(Filters):
    """Of what, where and when."""

    service = Text(max_length=40, help_text="Its code, from `/bookable-services/`.")
    office = Text(max_length=30, help_text="Its code, from `/offices/`.")
    first = Day(required=False, help_text="Today, unless said otherwise.")
    days = Whole(required=False, min_value=1, max_value=31, help_text="7, unless said otherwise.")

    def to_internal_value(self, data: object) -> dict[str, object]:
        """Numbers of a query string are digits."""
        plain = dict(data) if isinstance(data, dict) else {}
        given = plain.get("days")
        if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 4:
            plain["days"] = int(given)
        return super().to_internal_value(plain)


class NewAppointmentInput(Input):
    """An appointment to be booked: for a citizen on record, or for the person named."""

    service = Text(max_length=40, help_text="Code.")
    office = Text(max_length=30, help_text="Code.")
    start = Moment(help_text="One of the free times.")
    citizen = Id(required=False)
    name = Text(required=False, max_length=200, help_text="Required without `citizen`.")
    email = Text(required=False, max_length=254)
    phone = Text(required=False, max_length=30)
    subject = Text(required=False, allow_blank=True, max_length=240)
    case = Id(required=False)
    channel = Choice(choices=Channel.choices, required=False)


class MoveAppointmentInput(Input):
    """Where to."""

    start = Moment(help_text="One of the free times.")
    office = Text(required=False, max_length=30, help_text="Code; the same office without it.")


class CancelAppointmentInput(Input):
    """Why."""

    reason = Text(required=False, allow_blank=True, max_length=240)


class AppointmentOutput(Output):
    """An appointment."""

    id = Id(source="uuid")
    reference = Text()
    status = Choice(choices=SHOWN)
    service = Text(source="service.code")
    service_name = Text(source="service.name")
    office = Text(source="office.code")
    agenda = Text(source="resource.name")
    modality = Choice(choices=AppointmentModality.choices)
    starts_at = Moment()
    ends_at = Moment()
    time_zone = Text()
    citizen = Id(source="citizen.uuid", allow_null=True)
    case = Id(source="shown_case", allow_null=True)
    name = Text(source="shown_name", allow_blank=True, help_text="Of the protected, initials.")
    email = Text(source="shown_email", allow_blank=True)
    phone = Text(source="shown_phone", allow_blank=True)
    subject = Text(allow_blank=True)
    channel = Choice(choices=Channel.choices)
    language = Text()
    created_at = Moment()
    updated_at = Moment()
    version = Whole()


class SlotOutput(Output):
    """A free time."""

    start = Moment()
    end = Moment()


class SlotsOutput(Output):
    """The free times of some days, in order."""

    results = Listing(SlotOutput(), max_length=10_000)


class OfficeOutput(Output):
    """Where one can have an appointment."""

    code = Text()
    name = Text()
    address = Text()
    time_zone = Text()


class BookableServiceOutput(Output):
    """What one can have an appointment for."""

    code = Text()
    name = Text()
    description = Text(allow_blank=True)
    modality = Choice(choices=AppointmentModality.choices)
    duration = Whole(help_text="Minutes.")
    required_papers = Listing(Text(), max_length=20)

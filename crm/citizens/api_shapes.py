"""What the API of citizens reads and answers, field by field."""

from typing import Any

from django.conf import settings
from rest_framework.serializers import IntegerField

from crm.citizens.checking import ADDRESSABLE, PERMANENT
from crm.citizens.models import Channel, Citizen, ContactPoint, Identifier, Need
from crm.citizens.permissions import REVEAL_IDENTIFIER
from crm.kit.api.shapes import (
    Choice,
    Day,
    Filters,
    Flag,
    FlagParameter,
    Id,
    Input,
    Listing,
    Moment,
    Output,
    Text,
)

PURPOSE_HEADER = "Access-Purpose"
MOST_HITS = 50

# named here so that the schema can name them (settings: ENUM_NAME_OVERRIDES)
CitizenKind, IdentifierKind = Citizen.Kind, Identifier.Kind
ADDRESSABLE_CHANNELS = [(channel.value, channel.label) for channel in ADDRESSABLE]


class LastDay(Day):
    """The last day of a paper, or `9999-01-01` of one that does not end."""

    def to_internal_value(self, value: Any) -> Any:
        """The day."""
        return PERMANENT if value == str(PERMANENT) else super().to_internal_value(value)


class IdentifierInput(Input):
    """An identification number."""

    kind = Choice(choices=IdentifierKind.choices)
    value = Text(max_length=60)
    country = Text(max_length=2, required=False)
    valid_from = Day(required=False, allow_null=True)
    valid_until = LastDay(required=False, allow_null=True)


class ContactPointInput(Input):
    """A telephone, mailbox or address."""

    channel = Choice(choices=ADDRESSABLE_CHANNELS)
    address = Text(max_length=300)
    postal_code = Text(max_length=10, required=False, allow_blank=True)
    municipality = Text(max_length=6, required=False, allow_blank=True, help_text="INE code.")
    locality = Text(max_length=100, required=False, allow_blank=True)
    preferred = Flag(required=False)


class ChangedContactPointInput(ContactPointInput):
    """A contact point as it reads from now on."""

    quality = Choice(choices=ContactPoint.Quality.choices)


class CitizenChanges(Input):
    """What may be corrected: names are the installation's, the rest is what one's organisation keeps."""

    name = Text(max_length=150)
    surname1 = Text(max_length=100, required=False, allow_blank=True)
    surname2 = Text(max_length=100, required=False, allow_blank=True)
    birth_date = Day(required=False, allow_null=True)
    language = Choice(choices=settings.LANGUAGES, required=False)
    preferred_channel = Choice(choices=Channel.choices, required=False, allow_blank=True)
    accessibility_needs = Listing(Choice(choices=Need.choices), required=False, max_length=3)


class NewCitizenInput(CitizenChanges):
    """Somebody to be registered."""

    kind = Choice(choices=CitizenKind.choices, required=False)
    identifiers = Listing(IdentifierInput(), required=False, max_length=10)
    contact_points = Listing(ContactPointInput(), required=False, max_length=20)
    despite = Listing(
        Id(),
        required=False,
        max_length=20,
        help_text="Likely duplicates (from a 409) that were looked at and are not this person.",
    )


class CitizenFilters(Filters):
    """Whom to look for; without `q`, all of whom the organisation keeps a record."""

    q = Text(
        required=False,
        max_length=200,
        help_text="An identification number, telephone, e-mail or name.",
    )
    updated_since = Moment(required=False, help_text="Only without `q`.")
    cursor = Text(
        required=False,
        max_length=1000,
        help_text="Where to go on: taken from `next`. Not with `q`.",
    )
    limit = IntegerField(required=False, default=20, min_value=1, max_value=MOST_HITS)


class HitOutput(Output):
    """A citizen as a list may show them; of a protected record only the initials."""

    id = Id(source="uuid")
    name = Text()
    kind = Choice(choices=CitizenKind.choices)
    protected = Flag()
    birth_date = Day(allow_null=True)
    identifier = Text(allow_blank=True, help_text="Masked.")
    locality = Text(allow_blank=True)
    shared_by = Text(allow_blank=True, help_text="The organisation that shares this citizen.")


class FoundOutput(Output):
    """What a search found, best first."""

    results = HitOutput(many=True, source="hits")
    more = Flag(
        help_text="There are others: a fuller text would find them, or `next` leads to them."
    )
    next = Text(
        allow_null=True, help_text="The address of the next page of the list; null in a search."
    )


class OpeningFilters(Filters):
    """Why a citizen is opened."""

    purpose = Text(
        required=False,
        max_length=240,
        help_text=f"Why, as the audit trail keeps it. Required here or as {PURPOSE_HEADER} header.",
    )
    reveal = FlagParameter(
        required=False,
        default=False,
        help_text=f"Identification numbers in full: needs the scope `{REVEAL_IDENTIFIER}`.",
    )


class IdentifierOutput(Output):
    """An identification number, masked unless it was asked for in full."""

    id = Id(source="uuid")
    kind = Choice(choices=IdentifierKind.choices)
    value = Text(source="shown")
    country = Text()
    valid_from = Day(allow_null=True)
    valid_until = LastDay(allow_null=True)
    verified_at = Moment(allow_null=True)


class ContactPointOutput(Output):
    """How the organisation reaches the citizen."""

    id = Id(source="uuid")
    channel = Choice(choices=Channel.choices)
    address = Text()
    postal_code = Text(allow_blank=True)
    municipality = Text(allow_blank=True)
    locality = Text(allow_blank=True)
    preferred = Flag()
    quality = Choice(choices=ContactPoint.Quality.choices)
    verified_at = Moment(allow_null=True)


class NamesOutput(Output):
    """What a citizen is called."""

    id = Id(source="citizen.uuid")
    kind = Choice(source="citizen.kind", choices=CitizenKind.choices)
    name = Text(source="citizen.name")
    surname1 = Text(source="citizen.surname1", allow_blank=True)
    surname2 = Text(source="citizen.surname2", allow_blank=True)
    birth_date = Day(source="citizen.birth_date", allow_null=True)


class RecordOutput(NamesOutput):
    """A citizen as one's own organisation keeps them."""

    language = Choice(choices=settings.LANGUAGES)
    preferred_channel = Choice(choices=Channel.choices, allow_blank=True)
    accessibility_needs = Listing(Choice(choices=Need.choices))
    protected = Flag()


class CitizenOutput(NamesOutput):
    """A citizen as opened; wishes are null when another organisation shares only the identity."""

    identifiers = IdentifierOutput(many=True)
    contact_points = ContactPointOutput(many=True)
    language = Choice(source="record.language", choices=settings.LANGUAGES, allow_null=True)
    preferred_channel = Choice(
        source="record.preferred_channel",
        choices=Channel.choices,
        allow_blank=True,
        allow_null=True,
    )
    accessibility_needs = Listing(
        Choice(choices=Need.choices), source="record.accessibility_needs", allow_null=True
    )
    protected = Flag(source="record.protected", allow_null=True)

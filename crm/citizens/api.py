"""Citizens by API: searching, opening with a purpose, registering, and how they are reached."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.serializers import IntegerField

from crm.audit.record import record as write_down
from crm.citizens.checking import ADDRESSABLE, Names, NewContactPoint, NewIdentifier, Wishes
from crm.citizens.identifiers import mask
from crm.citizens.matching import Duplicate
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint, Identifier, Need
from crm.citizens.permissions import CHANGE_CITIZEN, REVEAL_IDENTIFIER, VIEW_CITIZEN
from crm.citizens.search import hits_of, search
from crm.citizens.services import details, records, registration
from crm.citizens.services.records import Opened
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.problems import BadParameters
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
from crm.kit.errors import Invalid
from crm.kit.keyset import Order
from crm.kit.policy import require

PURPOSE_HEADER = "Access-Purpose"
MOST_HITS = 50
AS_REGISTERED = Order(("id",))


# --- Shapes -------------------------------------------------------------------------------------

# named here so that the schema can name them (settings: ENUM_NAME_OVERRIDES)
CitizenKind, IdentifierKind = Citizen.Kind, Identifier.Kind
ADDRESSABLE_CHANNELS = [(channel.value, channel.label) for channel in ADDRESSABLE]


class IdentifierInput(Input):
    """An identification number."""

    kind = Choice(choices=IdentifierKind.choices)
    value = Text(max_length=60)
    country = Text(max_length=2, required=False)
    valid_from = Day(required=False, allow_null=True)
    valid_until = Day(required=False, allow_null=True)


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
    valid_until = Day(allow_null=True)
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


# --- Addresses ----------------------------------------------------------------------------------


class Citizens(ActorAPIView):
    """Looking for citizens and registering them."""

    @operation("Search citizens", needs=VIEW_CITIZEN, filters=CitizenFilters, answers=FoundOutput)
    def get(self, request: Request) -> HttpResponse:
        """Those whom the text may mean, best first; without one all, in the order of registration. The
        audit trail keeps who looked for what."""
        given = self.query
        if "q" not in given:
            return self._all(given)
        if wrong := sorted(given.keys() & {"cursor", "updated_since"}):
            raise BadParameters(errors={name: [_("Not together with q.")] for name in wrong})
        found = search(self.actor, given["q"], given["limit"])
        return self.reply({"hits": found.hits, "more": found.more, "next": None})

    def _all(self, given: Mapping[str, Any]) -> HttpResponse:
        rows = CitizenRecord.objects.for_actor(self.actor).filter(citizen__merged_into=None)
        if "updated_since" in given:
            rows = rows.filter(updated_at__gte=given["updated_since"])
        found, after = self.slice(rows.select_related("citizen"), AS_REGISTERED, "cursor")
        hits = hits_of(self.actor, [record.citizen for record in found])
        write_down(
            self.actor, "searched", what="citizens", filters=sorted(self.filters()), found=len(hits)
        )
        address = self.address_with(cursor=after) if after else None
        return self.reply({"hits": hits, "more": after is not None, "next": address})

    @operation(
        "Register a citizen",
        needs=CHANGE_CITIZEN,
        reads=NewCitizenInput,
        answers=RecordOutput,
        status=201,
    )
    def post(self, request: Request) -> HttpResponse:
        """Likely duplicates are answered with 409 and listed as `candidates`; name them in `despite`
        when none of them is this person. A number already on record is nobody else's."""
        given = self.read()
        try:
            registered = registration.register_citizen(
                self.actor,
                _names(given, kind=given.get("kind", Citizen.Kind.NATURAL)),
                identifiers=[NewIdentifier(**item) for item in given.get("identifiers", ())],
                contact_points=[
                    NewContactPoint(**item) for item in given.get("contact_points", ())
                ],
                wishes=_wishes(given),
                despite=given.get("despite", ()),
            )
        except registration.Duplicates as error:
            error.details["candidates"] = [_candidate(one) for one in error.duplicates]
            raise
        record = registered.record
        return self.reply(
            record,
            etag=version_of(record),
            location=f"{request.path}{record.citizen.uuid}/",
        )


def version_of(record: CitizenRecord) -> int:
    """A number that grows with every change of what the organisation is shown of the citizen."""
    numbers = Identifier.objects.unscoped("of a record that is the actor's")
    points = ContactPoint.objects.unscoped("of a record that is the actor's").filter(
        organisation=record.organisation_id
    )
    newest = [
        record.updated_at,
        record.citizen.updated_at,
        *(
            rows.filter(citizen=record.citizen_id).aggregate(at=Max("updated_at"))["at"]
            for rows in (numbers, points)
        ),
    ]
    return max(int(at.timestamp() * 1_000_000) for at in newest if at is not None)


def locked_version(actor: Actor, citizen_id: UUID) -> int:
    """The citizen's version, which nobody else here can change before this transaction ends."""
    rows = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    locked = rows.select_for_update(of=("self",), no_key=True)
    return version_of(locked.get_or_refuse(citizen__uuid=citizen_id))


class CitizenAPIView(ActorAPIView):
    """An address of one citizen or of something of theirs."""

    versioned = staticmethod(locked_version)


class OneCitizen(CitizenAPIView):
    """One citizen."""

    @operation("Open a citizen", needs=VIEW_CITIZEN, filters=OpeningFilters, answers=CitizenOutput)
    def get(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """Says why in `purpose` or in the header Access-Purpose; the audit trail keeps it."""
        purpose = self.query.get("purpose") or self.http.headers.get(PURPOSE_HEADER, "")
        if not purpose.strip():
            text = _("Say why: here, or in the header %(header)s.") % {"header": PURPOSE_HEADER}
            raise BadParameters(errors={"purpose": [text]})
        with transaction.atomic():  # what is refused was not seen
            opened = _opened(self.actor, citizen_id, purpose)
            shown = _shown(self.actor, opened, reveal=self.query["reveal"])
            etag = version_of(opened.record) if opened.record else None
        return self.reply(shown, etag=etag)

    @operation(
        "Correct a citizen", needs=CHANGE_CITIZEN, reads=CitizenChanges, answers=RecordOutput
    )
    def patch(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """Names are corrected for every organisation, wishes for one's own. 409 when somebody else
        corrected the names at the same moment."""
        given = self.read()
        if not given:
            raise Invalid(_("Say what is to be corrected."))
        with transaction.atomic():
            record = _record(self.actor, citizen_id)
            known = record.citizen
            names = {name: value for name, value in given.items() if name in _NAMES}
            if names:
                changed = replace(
                    Names(known.kind, *(getattr(known, name) for name in _NAMES)), **names
                )
                registration.change_citizen(self.actor, citizen_id, changed, seen=known.updated_at)
            wishes = {name: value for name, value in given.items() if name in records.WISHES}
            if wishes:
                before = Wishes(*(getattr(record, name) for name in records.WISHES))
                records.set_wishes(self.actor, citizen_id, replace(before, **wishes))
            require(self.actor, CHANGE_CITIZEN, record)
        record = _record(self.actor, citizen_id)
        return self.reply(record, etag=version_of(record))


class Identifiers(CitizenAPIView):
    """A citizen's identification numbers."""

    @operation(
        "Add an identification number",
        needs=CHANGE_CITIZEN,
        reads=IdentifierInput,
        answers=IdentifierOutput,
        status=201,
    )
    def post(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """A number is one citizen's in the whole installation: 409 when it is somebody else's."""
        number = details.add_identifier(self.actor, citizen_id, NewIdentifier(**self.read()))
        return self.reply(_as_shown(number))


class ContactPoints(CitizenAPIView):
    """How the organisation reaches a citizen."""

    @operation(
        "Add a contact point",
        needs=CHANGE_CITIZEN,
        reads=ContactPointInput,
        answers=ContactPointOutput,
        status=201,
    )
    def post(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """Telephones are kept in E.164, whatever way they are written."""
        given = NewContactPoint(**self.read())
        return self.reply(details.add_contact_point(self.actor, citizen_id, given))


class OneContactPoint(CitizenAPIView):
    """One telephone, mailbox or address of a citizen."""

    @operation(
        "Change a contact point",
        needs=CHANGE_CITIZEN,
        reads=ChangedContactPointInput,
        answers=ContactPointOutput,
    )
    def put(self, request: Request, citizen_id: UUID, point_id: UUID) -> HttpResponse:
        """A different address is no longer a verified one."""
        given = self.read()
        quality = given.pop("quality")
        point = details.change_contact_point(
            self.actor, citizen_id, point_id, NewContactPoint(**given), quality=quality
        )
        return self.reply(point)


class EndContactPoint(CitizenAPIView):
    """The citizen is no longer reached there."""

    @operation("End a contact point", needs=CHANGE_CITIZEN, answers=ContactPointOutput)
    def post(self, request: Request, citizen_id: UUID, point_id: UUID) -> HttpResponse:
        """It stays in the history."""
        self.read()
        return self.reply(details.end_contact_point(self.actor, citizen_id, point_id))


urlpatterns = [
    path("citizens/", Citizens.as_view(), name="citizens"),
    path("citizens/<uuid:citizen_id>/", OneCitizen.as_view(), name="citizen"),
    path(
        "citizens/<uuid:citizen_id>/identifiers/",
        Identifiers.as_view(),
        name="citizen-identifiers",
    ),
    path(
        "citizens/<uuid:citizen_id>/contact-points/",
        ContactPoints.as_view(),
        name="citizen-contact-points",
    ),
    path(
        "citizens/<uuid:citizen_id>/contact-points/<uuid:point_id>/",
        OneContactPoint.as_view(),
        name="citizen-contact-point",
    ),
    path(
        "citizens/<uuid:citizen_id>/contact-points/<uuid:point_id>/end/",
        EndContactPoint.as_view(),
        name="citizen-contact-point-end",
    ),
]


# --- Inside -------------------------------------------------------------------------------------

_NAMES = ("name", "surname1", "surname2", "birth_date")


@dataclass(frozen=True)
class _Shown:
    """A citizen with what the actor may see of them."""

    citizen: Citizen
    record: CitizenRecord | None
    identifiers: list[Any]
    contact_points: list[ContactPoint]


def _opened(actor: Actor, citizen_id: UUID, purpose: str) -> Opened:
    """Opened for a purpose that was stated, which a protected record asks for."""
    try:
        return records.open_citizen(actor, citizen_id, reason=purpose)
    except Invalid as error:
        raise BadParameters(errors={"purpose": [error.message]}) from error


def _shown(actor: Actor, opened: Opened, *, reveal: bool) -> _Shown:
    active = Identifier.objects.for_actor(actor).filter(citizen=opened.citizen, ended_at=None)
    numbers = [_as_shown(number) for number in active.order_by("kind", "pk")]
    if reveal and opened.record:
        for number in numbers:
            number.shown = records.reveal_identifier(
                actor, opened.citizen.uuid, number.uuid, purpose=opened.purpose
            )
    points = ContactPoint.objects.for_actor(actor).filter(citizen=opened.citizen, ended_at=None)
    return _Shown(
        opened.citizen, opened.record, numbers, list(points.order_by("channel", "-preferred", "pk"))
    )


def _as_shown(number: Identifier) -> Any:
    number.shown = mask(number.kind, number.value)  # type: ignore[attr-defined]
    return number


def _record(actor: Actor, citizen_id: UUID) -> CitizenRecord:
    rows = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    return rows.get_or_refuse(citizen__uuid=citizen_id)


def _names(given: Mapping[str, Any], kind: str) -> Names:
    return Names(kind, **{name: given[name] for name in _NAMES if name in given})


def _wishes(given: Mapping[str, Any]) -> Wishes:
    return Wishes(**{name: given[name] for name in records.WISHES if name in given})


def _candidate(duplicate: Duplicate) -> dict[str, Any]:
    return {
        "id": str(duplicate.citizen.uuid),
        "name": duplicate.record.shown_name,
        "score": duplicate.score,
        "reasons": [str(reason) for reason in duplicate.reasons],
    }

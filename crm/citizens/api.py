"""Citizens by API: searching, opening with a purpose, registering, and how they are reached."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.utils.translation import gettext as _
from rest_framework.request import Request

from crm.citizens import look_api, mandate_api, merge_api, relation_api, system_api
from crm.citizens.aliases import Survivor
from crm.citizens.api_shapes import (
    PURPOSE_HEADER,
    ChangedContactPointInput,
    CitizenChanges,
    CitizenFilters,
    CitizenOutput,
    ContactPointInput,
    ContactPointOutput,
    FoundOutput,
    IdentifierInput,
    IdentifierOutput,
    NewCitizenInput,
    OpeningFilters,
    RecordOutput,
)
from crm.citizens.checking import Names, NewContactPoint, NewIdentifier, Wishes
from crm.citizens.identifiers import mask
from crm.citizens.matching import Duplicate
from crm.citizens.models import Citizen, CitizenRecord, ContactPoint, Identifier
from crm.citizens.permissions import CHANGE_CITIZEN, VIEW_CITIZEN
from crm.citizens.search import hits_of, record_search, search
from crm.citizens.services import details, records, registration
from crm.citizens.services.records import Opened
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.problems import BadParameters
from crm.kit.errors import Invalid
from crm.kit.keyset import Order
from crm.kit.policy import require

AS_REGISTERED = Order(("id",))


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
        record_search(self.actor, "citizens", filters=self.filters(), found=len(hits))
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
    return version_of(locked.get_or_refuse(citizen=Survivor(citizen_id)))


class CitizenAPIView(ActorAPIView):
    """An address of one citizen or of something of theirs."""

    versioned = staticmethod(locked_version)


class OneCitizen(CitizenAPIView):
    """One citizen."""

    narrows = True

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
        if opened.citizen.uuid != citizen_id:  # merged since: the old id leads on
            return _moved(self.http.get_full_path(), citizen_id, opened.citizen.uuid)
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

urlpatterns += mandate_api.urlpatterns

urlpatterns += merge_api.urlpatterns

urlpatterns += system_api.urlpatterns + look_api.urlpatterns + relation_api.urlpatterns

# --- Inside -------------------------------------------------------------------------------------

_NAMES = ("name", "surname1", "surname2", "birth_date")


@dataclass(frozen=True)
class _Shown:
    """A citizen with what the actor may see of them."""

    citizen: Citizen
    record: CitizenRecord | None
    identifiers: list[Any]
    contact_points: list[ContactPoint]


def _moved(address: str, asked: UUID, now: UUID) -> HttpResponse:
    answer = JsonResponse({"merged_into": str(now)}, status=HTTPStatus.MOVED_PERMANENTLY)
    answer["Location"] = address.replace(str(asked), str(now), 1)
    return answer


def _opened(actor: Actor, citizen_id: UUID, purpose: str) -> Opened:
    """Opened for a purpose that was stated, which a protected record asks for."""
    try:
        return records.open_citizen(actor, citizen_id, reason=purpose)
    except Invalid as error:
        raise BadParameters(errors={"purpose": [error.message]}) from error


def _shown(actor: Actor, opened: Opened, *, reveal: bool) -> _Shown:
    attended = actor.attended(opened.citizen.pk)
    partly = attended is not None and not attended.everything
    active = Identifier.objects.for_actor(actor).filter(citizen=opened.citizen, ended_at=None)
    numbers = [_as_shown(number) for number in active.order_by("kind", "pk")]
    if reveal and opened.record and not partly:
        for number in numbers:
            number.shown = records.reveal_identifier(
                actor, opened.citizen.uuid, number.uuid, purpose=opened.purpose
            )
    points = ContactPoint.objects.for_actor(actor).filter(citizen=opened.citizen, ended_at=None)
    reached = [] if partly else list(points.order_by("channel", "-preferred", "pk"))
    return _Shown(opened.citizen, opened.record, numbers, reached)


def _as_shown(number: Identifier) -> Any:
    number.shown = mask(number.kind, number.value)  # type: ignore[attr-defined]
    return number


def _record(actor: Actor, citizen_id: UUID) -> CitizenRecord:
    rows = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    return rows.get_or_refuse(citizen=Survivor(citizen_id))


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

"""Interactions by API: the list, one conversation and what was said in it, taking one down, linking it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from cases.models import Case
from channels_app import api_shapes as shapes
from channels_app import services
from channels_app.models import (
    AccountKind,
    Author,
    ChannelAccount,
    Conversation,
    ConversationCase,
    Message,
    RecordedKind,
)
from channels_app.permissions import RECORD, VIEW_CONVERSATION
from crm.audit.record import record
from crm.citizens.models import Citizen, CitizenRecord
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.keyset import Order
from crm.organisations.models import Unit

NEWEST = Order(("opened_at", "id"), descending=True)
AS_SAID = Order(("number", "id"))


def locked_version(actor: Actor, interaction_id: UUID) -> int:
    """The conversation's version, which nobody else can change before this transaction ends."""
    rows = Conversation.objects.for_actor(actor).select_for_update(of=("self",), no_key=True)
    return rows.only("version").get_or_refuse(uuid=interaction_id).version


def rows_of(actor: Actor) -> QuerySet[Conversation]:
    """The conversations with what is shown of them: of their cases those that the actor may see."""
    links = ConversationCase.objects.for_actor(actor).filter(case__in=Case.objects.for_actor(actor))
    return (
        Conversation.objects.for_actor(actor)
        .select_related("account", "unit", "queue", "owner", "citizen", "wrap_up_code")
        .prefetch_related(
            Prefetch("case_links", links.select_related("case").order_by("pk"), to_attr="shown")
        )
    )


class InteractionAPIView(ActorAPIView):
    """An address of interactions."""

    def named(self, rows: Sequence[Conversation]) -> None:
        """Each says who it was with as they may be named: of a protected record, the initials alone."""
        people = {row.citizen_id for row in rows if row.citizen_id}
        records = CitizenRecord.objects.for_actor(self.actor).filter(citizen__in=people)
        known = {one.citizen_id: one for one in records.select_related("citizen")}
        for row in rows:
            about = known.get(row.citizen_id or 0)
            hidden = about is not None and about.protected
            values: dict[str, Any] = {
                "shown_name": about.shown_name if about else row.contact_name,
                "shown_address": "" if hidden else row.contact_address,
                "case_ids": [link.case.uuid for link in getattr(row, "shown", ())],
            }
            row.__dict__.update(values)

    def one(self, uuid: UUID) -> Conversation:
        """The conversation as it stands."""
        row: Conversation = rows_of(self.actor).get_or_refuse(uuid=uuid)  # type: ignore[attr-defined]
        self.named([row])
        return row

    def seen(self, row: Conversation, **data: str) -> None:
        """An entry says that the actor looked, and at whom."""
        about = {"citizen": str(row.citizen.uuid)} if row.citizen else {}
        record(self.actor, "viewed", row, **about, **data)


class Interactions(InteractionAPIView):
    """All conversations that exist for the caller."""

    @operation(
        "List interactions",
        needs=VIEW_CONVERSATION,
        filters=shapes.InteractionFilters,
        answers=shapes.InteractionOutput,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """Newest first, without a total."""
        given = self.filters()
        record(self.actor, "searched", what="interactions", filters=sorted(given))
        wanted = [_FILTERS[name](self.actor, value) for name, value in given.items()]
        return self.page(rows_of(self.actor).filter(*wanted), NEWEST, complete=self.named)

    @operation(
        "Record an interaction",
        needs=RECORD,
        reads=shapes.NewInteractionInput,
        answers=shapes.InteractionOutput,
        status=201,
    )
    def post(self, request: Request) -> HttpResponse:
        """A call or a visit that has ended. 409 when (source, external_id) was recorded before."""
        given = self.read()
        words = [services.Words(**one) for one in given.pop("messages")]
        made = services.record_interaction(self.actor, services.Held(messages=words, **given))
        row = self._made(made)
        return self.reply(row, etag=row.version, location=f"{request.path}{row.uuid}/")

    def _made(self, made: Conversation) -> Conversation:
        """What was just written, to who wrote it: they need not be able to read others."""
        links = ConversationCase.objects.unscoped("of the row just made").select_related("case")
        made.__dict__["shown"] = list(links.filter(conversation=made))
        self.named([made])
        return made


class OneInteraction(InteractionAPIView):
    """One conversation."""

    @operation("Read an interaction", needs=VIEW_CONVERSATION, answers=shapes.InteractionOutput)
    def get(self, request: Request, interaction_id: UUID) -> HttpResponse:
        """The ETag is its version, which goes on with its state, its owner and its citizen."""
        row = self.one(interaction_id)
        self.seen(row)
        return self.reply(row, etag=row.version)


class InteractionMessages(InteractionAPIView):
    """What was said in a conversation."""

    @operation(
        "List an interaction's messages",
        needs=VIEW_CONVERSATION,
        answers=shapes.InteractionMessageOutput,
        paged=True,
    )
    def get(self, request: Request, interaction_id: UUID) -> HttpResponse:
        """In the order of saying, notes of employees too."""
        talk = self.one(interaction_id)
        self.seen(talk, part="messages")
        rows = Message.objects.for_actor(self.actor).filter(conversation=talk)

        def show(message: Message) -> Message:
            theirs = message.author_kind == Author.CITIZEN and talk.citizen_id
            values: dict[str, Any] = {
                "shown_author": talk.__dict__["shown_name"] if theirs else message.author_name,
                "sent_files": list(message.attachments.all()),
            }
            message.__dict__.update(values)
            return message

        return self.page(rows.prefetch_related("attachments"), AS_SAID, show=show)


class InteractionCases(InteractionAPIView):
    """The cases that a conversation belongs to."""

    versioned = staticmethod(locked_version)

    @operation(
        "Link an interaction to a case",
        needs=RECORD,
        reads=shapes.LinkInteractionInput,
        answers=shapes.InteractionOutput,
    )
    def post(self, request: Request, interaction_id: UUID) -> HttpResponse:
        """It stands in the case's story from now on; linking it again changes nothing."""
        services.link_interaction(self.actor, interaction_id, **self.read())
        row = self.one(interaction_id)
        return self.reply(row, etag=row.version)


def _ids(rows: QuerySet[Any]) -> list[int]:
    return list(rows.values_list("pk", flat=True))


def _accounts(actor: Actor, channels: list[str]) -> Q:
    """The accounts of these channels."""
    kinds = {
        kind
        for kind in {*AccountKind.values, *RecordedKind.values}
        if ChannelAccount(kind=kind).channel in channels
    }
    return Q(account__in=_ids(ChannelAccount.objects.for_actor(actor).filter(kind__in=kinds)))


_FILTERS: dict[str, Any] = {
    "citizen": lambda actor, uuid: Q(
        citizen__in=_ids(Citizen.objects.for_actor(actor).known_by(uuid))
    ),
    "case": lambda actor, uuid: Q(
        case_links__case__in=_ids(Case.objects.for_actor(actor).filter(uuid=uuid))
    ),
    "channel": _accounts,
    "state": lambda actor, states: Q(state__in=states),
    "unit": lambda actor, uuids: Q(
        unit__in=_ids(Unit.objects.for_actor(actor).filter(uuid__in=uuids))
    ),
    "opened_from": lambda actor, moment: Q(opened_at__gte=moment),
    "opened_before": lambda actor, moment: Q(opened_at__lt=moment),
}

_ONE = "interactions/<uuid:interaction_id>/"
urlpatterns = [
    path("interactions/", Interactions.as_view()),
    path(_ONE, OneInteraction.as_view()),
    path(f"{_ONE}messages/", InteractionMessages.as_view()),
    path(f"{_ONE}cases/", InteractionCases.as_view()),
]

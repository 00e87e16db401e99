"""Reading mail for the list and the thread, in a fixed number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db.models import F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from channels_app.email.permissions import SORT_MAIL
from channels_app.email.setup import setup_of
from channels_app.models import (
    AccountKind,
    Attachment,
    Author,
    ChannelAccount,
    Conversation,
    Delivery,
    Direction,
    InboundMail,
    Message,
    State,
)
from channels_app.permissions import VIEW_CONVERSATION
from channels_app.selectors import Part, thread
from crm.citizens.models import Channel, CitizenRecord, ContactPoint
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.keyset import Order, Page, read_page
from crm.kit.policy import Decision, decide

NEW, MINE, WAITING, CLOSED, QUARANTINE, ASIDE = (
    "nuevos",
    "mios",
    "espera",
    "cerrados",
    "cuarentena",
    "apartados",
)
TABS: Mapping[str, tuple[Text, str]] = {
    NEW: (_("New messages"), "inbox"),
    MINE: (_("Mine"), "user"),
    WAITING: (_("Waiting for the citizen"), "hourglass"),
    CLOSED: (_("Closed conversations"), "checks"),
    QUARANTINE: (_("Quarantine"), "shield-exclamation"),
    ASIDE: (_("Set aside"), "archive"),
}
LATEST = Order(("last_message_at", "id"), descending=True)
RECEIVED = Order(("received_at", "id"), descending=True)
MOST_COUNTED = 99
BADGE_SECONDS = 15
_Status = InboundMail.Status


@dataclass(frozen=True)
class Row:
    """A thread in the list."""

    conversation: Conversation
    name: str
    extract: str
    cases: Sequence[Case]
    unread: bool
    failed: bool


@dataclass(frozen=True)
class Shown:
    """A part of a thread with what only mail has: folded quotes, refused files."""

    part: Part
    blocks: Sequence[tuple[str, str]] = ()
    refused: Sequence[Mapping[str, str]] = ()
    files: Sequence[Attachment] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


def threads_of(actor: Actor) -> QuerySet[Conversation]:
    """The e-mail conversations that exist for the actor."""
    return Conversation.objects.for_actor(actor).filter(account__kind=AccountKind.EMAIL)


def in_tab(actor: Actor, tab: str) -> QuerySet[Conversation]:
    """Those of one tab of the list."""
    rows = threads_of(actor)
    answered = Q(last_inbound_at__lt=F("last_message_at"))
    if tab == NEW:
        return rows.filter(state=State.WAITING)
    if tab == MINE:
        return rows.filter(owner=actor.user_id, state__in=[State.ACTIVE, State.WRAP_UP])
    if tab == WAITING:
        return rows.filter(answered, state=State.ACTIVE)
    return rows.filter(state=State.CLOSED)


def apart(actor: Actor, tab: str) -> QuerySet[InboundMail]:
    """Messages that were kept apart: those that wait for a person, or the others."""
    wanted = [_Status.QUARANTINE] if tab == QUARANTINE else [_Status.ASIDE, _Status.SPAM]
    rows = InboundMail.objects.for_actor(actor).filter(status__in=wanted, message=None)
    return rows.select_related("account")


def counts(actor: Actor) -> dict[str, int]:
    """How many there are in the tabs that ask for work; no more than can be read are counted."""
    most = MOST_COUNTED + 1
    found = {tab: len(in_tab(actor, tab).values_list("pk")[:most]) for tab in (NEW, MINE)}
    found[QUARANTINE] = len(apart(actor, QUARANTINE).values_list("pk")[:most])
    cache.set(_badge_key(actor), found[NEW], BADGE_SECONDS)  # so that menu and tab say the same
    return found


def badge(actor: Actor) -> str:
    """How many new threads wait, for the navigation: counted now and then, since every page shows it."""
    key = _badge_key(actor)
    count = cache.get(key)
    if count is None:
        count = len(in_tab(actor, NEW).values_list("pk")[: MOST_COUNTED + 1])
        cache.set(key, count, BADGE_SECONDS)
    return "" if not count else f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)


def _badge_key(actor: Actor) -> str:
    """One for all who may read the same: a thread that waits has no owner."""
    reach = actor.reach(VIEW_CONVERSATION)
    units = "all" if reach.everywhere else hash(reach.units)  # of numbers: the same in each process
    return f"mail.new.{actor.organisation_id}.{units}"


def page_of_threads(actor: Actor, tab: str, cursor: str) -> tuple[list[Row], str]:
    """A page of the list, and the cursor of the next."""
    said = Message.objects.unscoped("of rows that exist for the actor").filter(
        conversation=OuterRef("pk")
    )
    outside = said.exclude(direction=Direction.INTERNAL).exclude(author_kind=Author.SYSTEM)
    outside = outside.order_by("-number")
    rows = (
        in_tab(actor, tab)
        .select_related("account", "owner", "unit", "citizen")
        .prefetch_related(
            Prefetch("cases", Case.objects.for_actor(actor).order_by("pk"), to_attr="shown_cases")
        )
        .annotate(
            last_body=Subquery(outside.values("body")[:1]),
            last_direction=Subquery(outside.values("direction")[:1]),
            last_state=Subquery(outside.values("state")[:1]),
            last_said=Subquery(outside.values("number")[:1]),
        )
    )
    page: Page[Any] = read_page(rows, LATEST, cursor)
    names = _names(actor, page.rows)
    return [_row(one, names) for one in page.rows], page.after


def _row(one: Any, names: Mapping[int, str]) -> Row:
    incoming = one.last_direction == Direction.IN
    return Row(
        one,
        names.get(one.citizen_id or 0) or one.contact_name or one.contact_address,
        " ".join((one.last_body or "")[:400].split())[:200],
        one.shown_cases,
        incoming and one.read_number < one.last_said and one.state != State.CLOSED,
        not incoming and one.last_state in {Delivery.FAILED, Delivery.UNKNOWN},
    )


def _names(actor: Actor, rows: Sequence[Conversation]) -> dict[int, str]:
    wanted = {row.citizen_id for row in rows if row.citizen_id}
    records = CitizenRecord.objects.for_actor(actor).filter(citizen__in=wanted)
    return {row.citizen_id: row.shown_name for row in records.select_related("citizen")}


def page_apart(actor: Actor, tab: str, cursor: str) -> Page[InboundMail]:
    """A page of messages that were kept apart."""
    return read_page(apart(actor, tab), RECEIVED, cursor)


def shown(actor: Actor, conversation: Conversation) -> list[Shown]:
    """The thread in order, each letter with its quotes folded."""
    return [_shown(part) for part in thread(actor, conversation)]


def _shown(part: Part) -> Shown:
    message = part.message
    if message is None:
        return Shown(part)
    blocks = message.headers.get("blocks") or [["said", message.body]]
    return Shown(
        part,
        [(str(kind), str(text)) for kind, text in blocks],
        message.headers.get("refused", []),
        list(message.attachments.all()),
        message.headers,
    )


def waiting_files(conversation: Conversation) -> list[Attachment]:
    """Files that go with the next answer."""
    rows = conversation.attachments.filter(message=None, direction=Direction.OUT)
    return list(rows.order_by("pk"))


def proposals(actor: Actor, conversation: Conversation) -> list[CitizenRecord]:
    """Who has the mailbox that was written from: proposed, never assumed, and never merged."""
    if conversation.citizen_id is not None or not conversation.contact_address:
        return []
    points = ContactPoint.objects.for_actor(actor).filter(
        channel=Channel.EMAIL,
        address_key=conversation.contact_address.lower(),
        ended_at=None,
    )
    rows = CitizenRecord.objects.for_actor(actor).filter(
        citizen__in=points.values("citizen"), citizen__merged_into=None
    )
    return list(rows.select_related("citizen").order_by("pk")[:5])


def accounts(actor: Actor) -> list[ChannelAccount]:
    """The organisation's e-mail accounts, each with its mailbox."""
    rows = ChannelAccount.objects.for_actor(actor).filter(kind=AccountKind.EMAIL)
    return list(rows.select_related("unit", "mailbox").order_by("name", "pk"))


def fetched(account: ChannelAccount) -> bool:
    """Whether anything is fetched for the account."""
    return bool(setup_of(account).imap_host)


def may_follow_mail(actor: Actor, key: str) -> Decision:
    """That mail came in, to one's own organisation."""
    if key != actor.organisation_code:
        return Decision(False, _("It is somebody else's mail."))
    return decide(actor, VIEW_CONVERSATION)


def may_sort(actor: Actor, row: Conversation | InboundMail) -> Decision:
    """Whether the actor may take, release and sort it."""
    return decide(actor, SORT_MAIL, row)

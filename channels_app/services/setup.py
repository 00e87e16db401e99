"""Setting up web chats and their reasons, queues with their codes and people, and reasons for a pause.

Whoever sets up does so one after another in an organisation: codes that nobody has to think of are given
out, and what was seen is compared.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.utils.text import slugify
from django.utils.translation import gettext as _

from cases.models import CaseType
from cases.texts import one_line, paragraphs
from channels_app.bots.first_level import SETTING as ASSISTANT
from channels_app.models import (
    AccountKind,
    AgentSlot,
    ChannelAccount,
    ConsentText,
    ContactReason,
    PauseReason,
    Queue,
    QueueMember,
    WorkItem,
    WrapUpCode,
)
from channels_app.permissions import ATTEND, MANAGE_CHANNELS
from channels_app.services import routing
from channels_app.services.slots import locked
from crm.accounts.selectors import holders
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Invalid, Text
from crm.kit.policy import require
from crm.organisations.models import Organisation, Unit, WorkingCalendar

LONGEST_NAME, LONGEST_CONSENT = 120, 2_000
MOST_ORIGINS, MOST_ROOM = 50, 50
_ORIGIN = re.compile(r"(https?)://([^\s/:@?#;,'\"]+)(:\d{1,5})?/?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_QUEUE = (
    *("priority", "offer_seconds", "wrap_up_seconds", "target_seconds", "max_waiting"),
    "is_active",
)

Given = Mapping[str, Any]


def languages_of(organisation: Organisation) -> Sequence[str]:
    """In which the organisation speaks to citizens, its own first."""
    return organisation.languages or ["es"]


@transaction.atomic
def save_chat(
    actor: Actor, given: Given, *, account: UUID | None = None, seen: str = ""
) -> ChannelAccount:
    """There is a web chat like this; `account` names the one that is changed. A consent text that says
    something else is a new version: who agreed to the one before keeps it."""
    organisation, errors = _begin(actor), _Errors()
    chats = ChannelAccount.objects.for_actor(actor).filter(kind=AccountKind.WEB_CHAT)
    row = _row(actor, chats, account, seen) or ChannelAccount(
        organisation=organisation, kind=AccountKind.WEB_CHAT
    )
    before = _facts(row)
    row.name = errors.line("name", given["name"])
    row.unit = _unit(actor, given["unit"], errors)
    row.queue = _queue(actor, given["queue"], errors)
    row.allowed_origins = _origins(given["allowed_origins"], errors)
    row.settings = {**row.settings, ASSISTANT: bool(given["assistant"])}
    row.is_active = given["is_active"]
    newest = _newest_consent(row)
    agreed = newest.texts if newest else {}
    consent = _texts(organisation, "consent", given["consent"], agreed, errors)
    if len(max(consent.values(), key=len, default="")) > LONGEST_CONSENT:
        limit = _("Write at most %(limit)s characters.") % {"limit": LONGEST_CONSENT}
        errors.add(f"consent_{languages_of(organisation)[0]}", limit)
    errors.refuse()
    require(actor, MANAGE_CHANNELS, row)
    if not row.code:
        row.code = _free_code(ChannelAccount.objects.for_actor(actor), row.name)
    row.save()
    if newest is None or newest.texts != consent:
        version = newest.version + 1 if newest else 1
        ConsentText.objects.create(account=row, version=version, texts=consent)
    _recorded(actor, row, before, {"consent": newest is None or newest.texts != consent})
    return row


@transaction.atomic
def save_queue(actor: Actor, given: Given, *, queue: UUID | None = None, seen: str = "") -> Queue:
    """There is a queue like this. One in which somebody waits or is attended, or that a chat leads to,
    stays in use."""
    organisation, errors = _begin(actor), _Errors()
    row = _row(actor, Queue.objects.for_actor(actor), queue, seen) or Queue(
        organisation=organisation
    )
    before = _facts(row)
    row.names = _names(organisation, given["names"], row.names, errors)
    row.unit = _unit(actor, given["unit"], errors)
    row.calendar = _one(WorkingCalendar, actor, "calendar", given["calendar"], errors)
    row.case_type = _one(CaseType, actor, "case_type", given["case_type"], errors, is_active=True)
    for name in _QUEUE:
        setattr(row, name, given[name])
    if row.pk and not row.is_active:
        errors.add_if("is_active", _what_needs(row))
    errors.refuse()
    require(actor, MANAGE_CHANNELS, row)
    if not row.code:
        row.code = _free_code(Queue.objects.for_actor(actor), row.name)
    row.save()
    _recorded(actor, row, before)
    return row


@transaction.atomic
def save_reason(
    actor: Actor, account: UUID, given: Given, *, reason: UUID | None = None, seen: str = ""
) -> ContactReason:
    """The chat's form offers this reason, which leads to a queue."""
    organisation, errors = _begin(actor), _Errors()
    chats = ChannelAccount.objects.for_actor(actor).filter(kind=AccountKind.WEB_CHAT)
    chat = chats.get_or_refuse(uuid=account)
    require(actor, MANAGE_CHANNELS, chat)
    rows = ContactReason.objects.for_actor(actor).filter(account=chat)
    row = _row(actor, rows, reason, seen) or ContactReason(account=chat)
    before = _facts(row)
    row.queue = _queue(actor, given["queue"], errors)
    _put_words(organisation, row, given, rows, errors)
    _recorded(actor, row, before, {"account": chat.code})
    return row


@transaction.atomic
def save_code(
    actor: Actor, queue: UUID, given: Given, *, code: UUID | None = None, seen: str = ""
) -> WrapUpCode:
    """A conversation of the queue may have ended so."""
    organisation, errors = _begin(actor), _Errors()
    of_queue = Queue.objects.for_actor(actor).get_or_refuse(uuid=queue)
    require(actor, MANAGE_CHANNELS, of_queue)
    rows = WrapUpCode.objects.for_actor(actor).filter(queue=of_queue)
    row = _row(actor, rows, code, seen) or WrapUpCode(queue=of_queue)
    before = _facts(row)
    _put_words(organisation, row, given, rows, errors)
    _recorded(actor, row, before, {"queue": of_queue.code})
    return row


@transaction.atomic
def save_pause(
    actor: Actor, given: Given, *, pause: UUID | None = None, seen: str = ""
) -> PauseReason:
    """Employees may pause for this reason."""
    organisation, errors = _begin(actor), _Errors()
    rows = PauseReason.objects.for_actor(actor)
    row = _row(actor, rows, pause, seen) or PauseReason(organisation=organisation)
    before = _facts(row)
    _put_words(organisation, row, given, rows, errors)
    _recorded(actor, row, before)
    return row


@transaction.atomic
def add_member(actor: Actor, queue: UUID, person: UUID, room: int) -> AgentSlot:
    """The employee serves the queue and has room for so many conversations at once, of all queues."""
    organisation = _begin(actor)
    row = Queue.objects.for_actor(actor).get_or_refuse(uuid=queue)
    require(actor, MANAGE_CHANNELS, row)
    found = [one for one in holders(organisation.pk, ATTEND) if one.uuid == person]
    if not found:
        text = _("Nobody of this organisation who attends conversations is called so.")
        raise Invalid(errors={"person": [text]})
    if not 1 <= room <= MOST_ROOM:
        raise Invalid(errors={"room": [_("Choose one of the offered values.")]})
    slot, _made = AgentSlot.objects.for_actor(actor).get_or_create(
        user=found[0], defaults={"organisation": organisation}
    )
    slot = locked(slot)
    if room < slot.used_units:
        now = _("They attend %(count)s now: not less than that.") % {"count": slot.used_units}
        raise Invalid(errors={"room": [now]})
    if slot.max_units != room:
        slot.max_units, slot.version = room, slot.version + 1
        slot.save(update_fields=["max_units", "version", "updated_at"])
    QueueMember.objects.unscoped("of a fetched queue").get_or_create(queue=row, agent=slot)
    record(
        actor,
        MANAGE_CHANNELS,
        row,
        act="member",
        after={"person": found[0].full_name, "room": room},
    )
    routing.match_soon(organisation.pk)
    return slot


@transaction.atomic
def remove_member(actor: Actor, queue: UUID, agent: UUID) -> None:
    """The employee serves the queue no longer; what they attend of it stays theirs."""
    _begin(actor)
    row = Queue.objects.for_actor(actor).get_or_refuse(uuid=queue)
    require(actor, MANAGE_CHANNELS, row)
    slot = AgentSlot.objects.for_actor(actor).select_related("user").get_or_refuse(uuid=agent)
    gone, _kinds = (
        QueueMember.objects.unscoped("of a fetched queue").filter(queue=row, agent=slot).delete()
    )
    if gone:
        record(
            actor,
            MANAGE_CHANNELS,
            row,
            act="member_removed",
            before={"person": slot.user.full_name},
        )


# --- Inside --------------------------------------------------------------------------------------


class _Errors:
    """What is wrong, field by field."""

    def __init__(self) -> None:
        self.found: dict[str, list[Text]] = defaultdict(list)

    def add(self, field: str, message: Text) -> None:
        """One more thing that is wrong."""
        self.found[field].append(message)

    def add_if(self, field: str, message: Text) -> None:
        """Unless there is nothing to say."""
        if message:
            self.add(field, message)

    def line(self, field: str, text: str) -> str:
        """A line that must say something."""
        found = one_line(text)
        if not found:
            self.add(field, _("This field is required."))
        return found[:LONGEST_NAME]

    def refuse(self) -> None:
        """Invalid when anything is wrong."""
        if self.found:
            raise Invalid(errors=dict(self.found))


def _begin(actor: Actor) -> Organisation:
    """The organisation, locked: its set-up is changed by one at a time."""
    require(actor, MANAGE_CHANNELS)
    return Organisation.objects.for_actor(actor).select_for_update(no_key=True).get()


def _row(actor: Actor, rows: Any, uuid: UUID | None, seen: str) -> Any:
    """The row that is changed, as it was seen, where the actor may; None for a new one."""
    if uuid is None:
        return None
    row = rows.select_for_update(of=("self",), no_key=True).get_or_refuse(uuid=uuid)
    require(actor, MANAGE_CHANNELS, row)  # where it lies now; where it goes is asked before saving
    if seen and seen != row.updated_at.isoformat():
        raise Changed(_("Somebody else has changed this. Compare before saving again."))
    return row


def _put_words(
    organisation: Organisation, row: Any, given: Given, rows: Any, errors: _Errors
) -> None:
    """Something that people choose by its name: in its place, in use or not; saved."""
    row.names = _names(organisation, given["names"], row.names, errors)
    row.position, row.is_active = given["position"], given["is_active"]
    errors.refuse()
    if not row.code:
        row.code = _free_code(rows, row.name)
    row.save()


def _names(
    organisation: Organisation, given: Mapping[str, str], before: Mapping[str, str], errors: _Errors
) -> dict[str, str]:
    lines = {language: one_line(text)[:LONGEST_NAME] for language, text in given.items()}
    return _texts(organisation, "name", lines, before, errors)


def _texts(
    organisation: Organisation,
    field: str,
    given: Mapping[str, str],
    before: Mapping[str, str] | None,
    errors: _Errors,
) -> dict[str, str]:
    """By language, the first of which must say something. Of others than the organisation's what was
    said before stays."""
    spoken = languages_of(organisation)
    found = {language: paragraphs(given.get(language, "")) for language in spoken}
    if not found[spoken[0]]:
        errors.add(f"{field}_{spoken[0]}", _("This field is required."))
    kept = {one: text for one, text in (before or {}).items() if one not in found}
    return {**kept, **{language: text for language, text in found.items() if text}}


def _unit(actor: Actor, uuid: UUID, errors: _Errors) -> Unit | None:
    found = Unit.objects.for_actor(actor).filter(uuid=uuid, closed_on=None).first()
    if found is None:
        errors.add("unit", _("There is no such unit, or it is closed."))
    return found


def _queue(actor: Actor, uuid: UUID, errors: _Errors) -> Queue | None:
    found = Queue.objects.for_actor(actor).filter(uuid=uuid, is_active=True).first()
    if found is None:
        errors.add("queue", _("There is no such queue in use."))
    return found


def _one(
    model: Any, actor: Actor, field: str, uuid: UUID | None, errors: _Errors, **more: Any
) -> Any:
    """The chosen row, where one was chosen."""
    if uuid is None:
        return None
    found = model.objects.for_actor(actor).filter(uuid=uuid, **more).first()
    if found is None:
        errors.add(field, _("Choose one of the offered values."))
    return found


def _origins(given: Sequence[str], errors: _Errors) -> list[str]:
    """Addresses of sites in the form in which browsers compare them: they go into a header."""
    found: list[str] = []
    written = [text.strip() for text in given if text.strip()]
    for text in written[: MOST_ORIGINS + 1]:
        origin = _origin(text)
        if origin is None:
            told = _("“%(text)s” is no site: write https:// and its name, without a path.")
            errors.add("allowed_origins", told % {"text": text[:80]})
        elif origin not in found:
            found.append(origin)
    if len(written) > MOST_ORIGINS:
        told = _("At most %(limit)s sites.") % {"limit": MOST_ORIGINS}
        errors.add("allowed_origins", told)
    return found


def _origin(text: str) -> str | None:
    parts = _ORIGIN.fullmatch(text.lower())
    if parts is None:
        return None
    scheme, name, port = parts.groups(default="")
    try:
        host = name.encode("idna").decode()
    except UnicodeError:
        return None
    if not _HOST.fullmatch(host) or len(host) > 180 or int(port[1:] or 0) > 65_535:
        return None
    usual = {"https": ":443", "http": ":80"}[scheme]
    return f"{scheme}://{host}{'' if port == usual else port}"


def _newest_consent(account: ChannelAccount) -> ConsentText | None:
    texts = ConsentText.objects.unscoped("of a fetched account").filter(account_id=account.pk)
    return texts.order_by("-version").first()


def _what_needs(queue: Queue) -> Text:
    """Why the queue cannot rest now."""
    at_work = WorkItem.objects.unscoped("of a fetched queue").filter(queue=queue)
    if at_work.exclude(status=WorkItem.Status.DONE).exists():
        return _("Somebody waits or is attended in it.")
    leads = ChannelAccount.objects.unscoped("of a fetched queue").filter(
        queue=queue, is_active=True
    )
    account = leads.first()
    return _("“%(account)s” leads to it.") % {"account": account.name} if account else ""


def _free_code(rows: Any, name: str) -> str:
    """By which machines know it: nobody has to think of one."""
    wanted = slugify(name)[:34] or "uno"
    taken = set(rows.filter(code__startswith=wanted).values_list("code", flat=True))
    code, number = wanted, 1
    while code in taken:
        number += 1
        code = f"{wanted}-{number}"
    return code


def _facts(row: Model) -> dict[str, Any]:
    """What an entry says of the row: plain values, no secrets."""
    left_out = {"id", "uuid", "created_at", "updated_at", "sealed_settings", "public_key"}
    if row.pk is None:
        return {}
    return {
        field.name: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in left_out and not field.name.endswith("_at")
    }


def _recorded(actor: Actor, row: Any, before: Given, more: Given | None = None) -> None:
    after = _facts(row)
    changed = [name for name in after if name in before and after[name] != before[name]]
    record(
        actor,
        MANAGE_CHANNELS,
        row,
        act="changed" if before else "created",
        before={name: before[name] for name in changed},
        after={name: after[name] for name in (changed if before else after)},
        **(more or {}),
    )

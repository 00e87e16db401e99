"""Connections: describing them, trying them, and asking them about a person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit.record import record
from crm.integrations import legacy, mapping
from crm.integrations.legacy import Found
from crm.integrations.models import CallLog, Connection, KeptAnswer, Outcome
from crm.integrations.permissions import CONSULT_SYSTEMS, MANAGE_CONNECTIONS
from crm.kit import http
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Invalid
from crm.kit.policy import catalogue, require

_WORD = re.compile(r"[^\W\d]{2}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept", "cookie"})
_WORDS = (
    *("name", "base_url", "path", "authentication", "header", "records_at"),
    *("legal_basis", "permission"),
)
_FIGURES = ("seconds", "retries", "cache_seconds", "keep_hours", "is_active")


@transaction.atomic
def create_connection(actor: Actor, given: Mapping[str, Any]) -> Connection:
    """Another system can be asked as described; its secret is kept encrypted and not shown again."""
    require(actor, MANAGE_CONNECTIONS)
    row = Connection(organisation_id=actor.organisation_id)
    _describe(row, given)
    row.save()
    record(actor, MANAGE_CONNECTIONS, row, created=True, host=_place(row.base_url))
    return row


@transaction.atomic
def change_connection(
    actor: Actor, connection: UUID, given: Mapping[str, Any], *, seen: Any = None
) -> Connection:
    """The connection is as described now; without a new secret the old one stays. What was kept of its
    answers is forgotten, and so is that it did not answer."""
    require(actor, MANAGE_CONNECTIONS)
    rows = Connection.objects.for_actor(actor).select_for_update(of=("self",))
    row = rows.get_or_refuse(uuid=connection)
    if seen is not None and row.updated_at != seen:
        raise Changed(_("Somebody else has changed this connection. Compare before saving again."))
    before = {name: getattr(row, name) for name in (*_WORDS, *_FIGURES, "fields", "secret")}
    _describe(row, given)
    changed = sorted(name for name, value in before.items() if getattr(row, name) != value)
    row.save()
    KeptAnswer.objects.unscoped("of this connection").filter(connection=row).delete()
    record(actor, MANAGE_CONNECTIONS, row, changed=changed, host=_place(row.base_url))
    transaction.on_commit(row.circuit.succeeded)
    return row


@transaction.atomic
def remove_connection(actor: Actor, connection: UUID) -> None:
    """It is asked no more; its secret, its log and what was kept of its answers are gone."""
    require(actor, MANAGE_CONNECTIONS)
    row = Connection.objects.for_actor(actor).get_or_refuse(uuid=connection)
    record(actor, MANAGE_CONNECTIONS, row, removed=True)
    row.delete()


@dataclass(frozen=True, slots=True)
class Tried:
    """What a test gave: of the values only whether they are there."""

    outcome: Outcome
    milliseconds: int
    records: int = 0
    parts: tuple[tuple[str, bool], ...] = ()


def try_connection(actor: Actor, connection: UUID, number: str) -> Tried:
    """It was asked now about whoever bears the number, whatever its circuit says; nothing is kept of
    the answer, and whoever tries learns which parts came, not what they say."""
    require(actor, MANAGE_CONNECTIONS)
    row = Connection.objects.for_actor(actor).get_or_refuse(uuid=connection)
    clean = _number(number)
    record(actor, MANAGE_CONNECTIONS, row, tried=True)
    row.circuit.succeeded()
    outcome, records, milliseconds = legacy.call(
        row, clean, cause=CallLog.Cause.TEST, request_id=actor.origin.request_id
    )
    mine = Connection.objects.for_actor(actor).filter(pk=row.pk)
    mine.update(checked_at=timezone.now(), checked_outcome=outcome)
    parts = [
        (label, any(dict(one).get(label) is not None for one in records or ()))
        for label, _place in row.fields
    ]
    return Tried(outcome, milliseconds, len(records or ()), tuple(parts if records else ()))


def consult(actor: Actor, connection: UUID, number: str, *, about: str = "") -> Found:
    """What the connection says of whoever bears the number, whom we take for `about`. Whose room the person is of has written
    down that the actor looks, and why, before calling this."""
    row = Connection.objects.for_actor(actor).get_or_refuse(uuid=connection)
    require(actor, CONSULT_SYSTEMS, row)
    return legacy.look_up(row, _number(number), about=about, request_id=actor.origin.request_id)


def _number(text: str) -> str:
    clean = "".join(text.split()).upper()
    if not 1 <= len(clean) <= 40 or not clean.isprintable():
        raise Invalid(errors={"number": [_("Write an identification number.")]})
    return clean


def _describe(row: Connection, given: Mapping[str, Any]) -> None:
    """The row, still to be saved, is as given; Invalid with the errors of each field."""
    before = _place(row.base_url)
    for name in _WORDS:
        setattr(row, name, str(given.get(name, getattr(row, name))).strip())
    for name in _FIGURES:
        setattr(row, name, given.get(name, getattr(row, name)))
    errors: dict[str, list[Any]] = {}
    try:
        row.fields = [list(pair) for pair in mapping.read_lines(str(given.get("fields", "")))]
    except Invalid as error:
        errors |= {name: list(texts) for name, texts in error.errors.items()}
    secret = str(given.get("secret", ""))
    if secret:
        row.key = secret
    errors |= _wrong_basis(row)
    errors |= _wrong_address(row) | _wrong_key(row, secret, moved=_place(row.base_url) != before)
    try:
        said = {*_WORDS, *_FIGURES} - set(errors)
        row.clean_fields(exclude=[one.name for one in row._meta.fields if one.name not in said])
    except ValidationError as error:
        errors |= error.message_dict
    twins = Connection.objects.unscoped("of the same organisation")
    if twins.filter(organisation=row.organisation_id, name=row.name).exclude(pk=row.pk).exists():
        errors["name"] = [_("There is a connection of this name already.")]
    if errors:
        raise Invalid(errors=errors)


def _place(url: str) -> str:
    """Scheme, host and port: whom a key is sent to."""
    scheme, _mark, rest = url.strip().lower().partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _wrong_address(row: Connection) -> dict[str, list[Any]]:
    errors = {}
    if not http.may_be_called(row.base_url) or set("?#{}") & set(row.base_url):
        errors["base_url"] = [
            _("Write an address that begins with https:// and has neither key nor question mark.")
        ]
    if "{number}" not in row.path or any(c.isspace() or not c.isprintable() for c in row.path):
        errors["path"] = [_("Write {number} where the person's number goes, without spaces.")]
    return errors


def _wrong_basis(row: Connection) -> dict[str, list[Any]]:
    errors: dict[str, list[Any]] = {}
    word = _WORD.search(row.legal_basis)  # and after it the number of an article
    numbered = word and any(sign.isdecimal() for sign in row.legal_basis[word.end() :])
    if not numbered or not row.legal_basis.isprintable():
        errors["legal_basis"] = [
            _("Write the rule with its article, for example: Ley 39/2015, art. 28.2.")
        ]
    if row.permission not in catalogue:
        errors["permission"] = [_("Choose one of the rights.")]
    return errors


def _wrong_key(row: Connection, secret: str, *, moved: bool) -> dict[str, list[Any]]:
    errors: dict[str, list[Any]] = {}
    if row.authentication == Connection.Authentication.NONE:
        row.secret, row.header = "", ""
        return errors
    if not row.secret:
        errors["secret"] = [_("Write the key that the other system gave us.")]
    elif not secret.isascii() or not secret.isprintable():
        errors["secret"] = [_("A key has letters, digits and signs only.")]
    elif moved and not secret:
        # else whoever may change the address could have a key sent that they were never shown
        errors["secret"] = [_("The address is another one: write the key that belongs to it.")]
    if row.authentication == Connection.Authentication.HEADER:
        if not _HEADER.fullmatch(row.header) or row.header.lower() in _OURS:
            errors["header"] = [_("Write the header's name, such as X-Api-Key.")]
    else:
        row.header = ""
    return errors

"""Setting an e-mail account up, and trying whether it works."""

import re
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from cases.services import published_version
from cases.workflow import of_version
from channels_app.email import fetching, intake, sending
from channels_app.email.setup import MailSetup, kept, setup_of
from channels_app.models import AccountKind, ChannelAccount, Mailbox
from channels_app.permissions import MANAGE_CHANNELS
from crm.audit.record import record
from crm.citizens.identifiers import normalise_email
from crm.kit.actor import Actor
from crm.kit.errors import DomainError, Invalid
from crm.kit.outbox import TryLater
from crm.kit.policy import require
from crm.organisations.models import Unit

PASSWORDS = ("imap_password", "smtp_password")


@dataclass(frozen=True, kw_only=True)
class AccountSaid:
    """What an administrator says of an account. An empty password leaves the one that is kept."""

    name: str
    address: str
    unit: UUID
    is_active: bool
    setup: MailSetup
    passwords: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tried:
    """How one half of an account answered: empty words when it works."""

    what: str  # imap, smtp
    problem: str = ""


@transaction.atomic
def save_account(actor: Actor, said: AccountSaid, account: UUID | None = None) -> ChannelAccount:
    """The account is set up so; its mailbox is looked into at once."""
    require(actor, MANAGE_CHANNELS)
    row = _row(actor, account)
    unit = Unit.objects.for_actor(actor).filter(uuid=said.unit, closed_on=None).first()
    if unit is None:
        raise Invalid(errors={"unit": [_("There is no such unit, or it is closed.")]})
    address = _address(said.address)
    _require_type(actor, said.setup.case_type)
    _require_names(said.setup)
    moved = account is None or _server(setup_of(row)) != _server(said.setup)
    row.name, row.address, row.unit, row.is_active = (
        said.name.strip(),
        address,
        unit,
        said.is_active,
    )
    row.settings = dict(kept(said.setup))
    row.secrets = _secrets(row, said.passwords, moved=moved)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        text = _("Another account receives the mail of this address.")
        raise Invalid(errors={"address": [text]}) from None
    queue = intake.queue_of(row)
    if queue.unit_id != unit.pk:
        queue.unit = unit
        queue.save(update_fields=["unit", "updated_at"])
    _look_now(row, anew=moved)
    record(actor, MANAGE_CHANNELS, row, act="created" if account is None else "changed")
    return row


def try_account(actor: Actor, account: UUID) -> list[Tried]:
    """Both servers have been spoken to, with the passwords that are kept; nothing is fetched or sent."""
    row = _existing(actor, account)
    require(actor, MANAGE_CHANNELS)
    setup = setup_of(row)
    tried = []
    if setup.imap_host:
        tried.append(Tried("imap", _imap_problem(row)))
    if setup.smtp_host:
        tried.append(Tried("smtp", _smtp_problem(row)))
    with transaction.atomic():
        record(
            actor, MANAGE_CHANNELS, row, act="tried", failed=[t.what for t in tried if t.problem]
        )
        if not any(one.problem for one in tried):
            _look_now(row, anew=False)
    return tried


# --- Inside ---------------------------------------------------------------------------------------


def _existing(actor: Actor, account: UUID) -> ChannelAccount:
    rows = ChannelAccount.objects.for_actor(actor).filter(kind=AccountKind.EMAIL)
    return rows.select_related("unit", "queue", "organisation").get_or_refuse(uuid=account)


def _row(actor: Actor, account: UUID | None) -> ChannelAccount:
    if account is not None:
        return _existing(actor, account)
    return ChannelAccount(
        organisation_id=actor.organisation_id, kind=AccountKind.EMAIL, code=_code(actor)
    )


def _code(actor: Actor) -> str:
    """The next free code: nobody has to think of one."""
    taken = set(ChannelAccount.objects.for_actor(actor).values_list("code", flat=True))
    number = 1
    while (code := slugify(f"correo-{number}")) in taken:
        number += 1
    return code


def _address(address: str) -> str:
    try:
        return normalise_email(address).lower()
    except DomainError as error:
        raise Invalid(errors={"address": [str(error)]}) from error


def _require_type(actor: Actor, code: str) -> None:
    """A type whose cases can be opened with what a letter says."""
    if not code:
        return
    bundle = published_version(actor, code).bundle
    try:
        of_version(bundle).fields.require_valid({})
    except Invalid:
        text = _("Cases of this type ask for more than an e-mail says.")
        raise Invalid(errors={"case_type": [text]}) from None


def _require_names(setup: MailSetup) -> None:
    """Servers by their bare names and addresses that are some: what is pasted wrong is told at once."""
    errors = {
        name: [_("Write only the name of the server, such as mail.example.org.")]
        for name in ("imap_host", "smtp_host")
        if (host := getattr(setup, name)) and not _is_host(host)
    }
    for alias in setup.aliases:
        try:
            normalise_email(alias)
        except DomainError as error:
            errors.setdefault("aliases", []).append(f"{alias[:80]}: {error}")
    if errors:
        raise Invalid(errors=errors)


def _is_host(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return re.fullmatch(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?", text) is not None
    return True


def _server(setup: MailSetup) -> tuple[Any, ...]:
    """Where a password is sent to."""
    return (
        *(setup.imap_host, setup.imap_port, setup.imap_security),
        *(setup.smtp_host, setup.smtp_port, setup.smtp_security),
        *(setup.imap_user, setup.folder),
    )


def _secrets(row: ChannelAccount, given: Mapping[str, str], *, moved: bool) -> dict[str, str]:
    """The passwords; one that is kept goes to no other server than it was given for."""
    before = {} if moved else row.secrets
    found = {name: given.get(name) or before.get(name, "") for name in PASSWORDS}
    return {name: value for name, value in found.items() if value}


def _look_now(row: ChannelAccount, *, anew: bool) -> None:
    mailbox, _made = Mailbox.objects.unscoped("the account's own").get_or_create(account=row)
    mailbox.next_try_at = timezone.now()
    columns = ["next_try_at", "updated_at"]
    if anew:
        mailbox.uid_validity, mailbox.last_uid = None, 0
        mailbox.failed_at, mailbox.failures, mailbox.last_error = None, 0, ""
        columns += ["uid_validity", "last_uid", "failed_at", "failures", "last_error"]
    mailbox.save(update_fields=columns)


def _imap_problem(row: ChannelAccount) -> str:
    try:
        with fetching.session(row):
            return ""
    except fetching.Unreachable as error:
        return str(error)


def _smtp_problem(row: ChannelAccount) -> str:
    try:
        connection = sending.connection_of(row)
        assert connection is not None
        connection.open()
        connection.close()
    except TryLater:
        return str(_("This server may not be called from here."))
    except smtplib.SMTPAuthenticationError:
        return str(_("The server does not accept the user or the password."))
    except OSError as error:  # an SMTPException is one
        told = _("The server does not answer (%(error)s).")
        return str(told % {"error": type(error).__name__})
    return ""

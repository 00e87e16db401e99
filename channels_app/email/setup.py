"""How an e-mail account is set up: typed, with its passwords apart."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.conf import settings

from channels_app.models import AccountKind, ChannelAccount
from crm.kit.secrets import digest

TLS, STARTTLS, PLAIN = "tls", "starttls", "plain"


@dataclass(frozen=True, kw_only=True)
class MailSetup:
    """What stands in `ChannelAccount.settings` of an e-mail account."""

    imap_host: str = ""  # none: nothing is fetched
    imap_port: int = 993
    imap_security: str = TLS
    imap_user: str = ""
    folder: str = "INBOX"
    smtp_host: str = ""  # none: the installation's mail server
    smtp_port: int = 587
    smtp_security: str = STARTTLS
    smtp_user: str = ""
    case_type: str = ""  # code; none: no case is opened
    aliases: tuple[str, ...] = ()  # further addresses that arrive in the mailbox
    any_recipient: bool = False  # a catch-all: whatever arrives is for us
    acknowledge: bool = True
    acknowledge_hours: int = 24  # one receipt to a sender in so many
    signature: str = ""


def setup_of(account: ChannelAccount) -> MailSetup:
    """The account's set-up; what it does not say is as above."""
    known = {one.name for one in fields(MailSetup)}
    said: dict[str, Any] = {
        name: value for name, value in account.settings.items() if name in known
    }
    if "aliases" in said:
        said["aliases"] = tuple(said["aliases"])
    return MailSetup(**said)


def kept(setup: MailSetup) -> Mapping[str, Any]:
    """The set-up as the account keeps it."""
    return {**asdict(setup), "aliases": list(setup.aliases)}


def addresses_of(account: ChannelAccount) -> frozenset[str]:
    """By which the account receives mail."""
    return frozenset(one.lower() for one in (account.address, *setup_of(account).aliases) if one)


def own_addresses() -> frozenset[str]:
    """Of every e-mail account of the installation: two of them must not talk with each other."""
    accounts = ChannelAccount.objects.unscoped("a loop may go through any of them").filter(
        kind=AccountKind.EMAIL, is_active=True
    )
    found = (addresses_of(one) for one in accounts.only("address", "settings"))
    return frozenset().union(*found) | {settings.DEFAULT_FROM_EMAIL.lower()}


def loop_mark() -> str:
    """What every mail of this installation bears, so that it is known again when it comes round."""
    return digest(f"mail loop {settings.PUBLIC_URL}")[:24]


def mail_host() -> str:
    """The right-hand side of our Message-IDs."""
    public: str = settings.PUBLIC_URL
    return public.split("//")[-1].split("/")[0].split(":")[0]

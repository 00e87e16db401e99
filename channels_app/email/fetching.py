"""In by IMAP: each mailbox is read by one worker at a time, and nothing is lost when that one dies.

How far it has been read is written with each message, in one transaction. A server that numbers its
messages anew (UIDVALIDITY) is read from the beginning: what is known already is not taken in twice.
"""

import imaplib
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app.email import intake
from channels_app.email.reading.values import MOST_BYTES
from channels_app.email.setup import PLAIN, TLS, MailSetup, setup_of
from channels_app.models import AccountKind, ChannelAccount, Mailbox
from crm.kit.errors import Text
from crm.kit.http import CallFailed, address_of

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=30)
LEASE = timedelta(minutes=5)  # longer than any one message takes
LONGEST_PAUSE = timedelta(minutes=30)
ALARM_AFTER = timedelta(minutes=10)
AT_ONCE = 200  # messages of one visit
_SECONDS = 20
_NUMBER = re.compile(rb"RFC822\.SIZE (\d+)")


class Unreachable(Exception):  # noqa: N818 - reads as what happened
    """The mailbox cannot be read; the text may be shown to who set it up."""


def due() -> list[str]:
    """The accounts whose mailbox is to be looked into now, by UUID."""
    accounts = ChannelAccount.objects.unscoped("the schedule serves everyone").filter(
        kind=AccountKind.EMAIL, is_active=True
    )
    wanted = [one for one in accounts.select_related("mailbox") if setup_of(one).imap_host]
    now = timezone.now()
    return [
        str(one.uuid)
        for one in wanted
        if not hasattr(one, "mailbox") or one.mailbox.next_try_at <= now
    ]


def fetch(account: ChannelAccount) -> int:
    """New messages of the mailbox have been taken in; how many were looked at. 0 when another worker
    is at it, or the server cannot be reached: then the mailbox says so."""
    mailbox, _made = Mailbox.objects.unscoped("the account's own").get_or_create(account=account)
    if not _lease(mailbox):
        return 0
    try:
        with session(account) as imap:
            count = _read_new(account, mailbox, imap)
    except Unreachable as error:
        _failed(mailbox, str(error))
        return 0
    _rows(mailbox).update(
        checked_at=Now(),
        failed_at=None,
        failures=0,
        last_error="",
        next_try_at=timezone.now() + (timedelta(0) if count >= AT_ONCE else EVERY),
    )
    return count


@contextmanager
def session(account: ChannelAccount) -> Iterator[imaplib.IMAP4]:
    """A session with the mailbox's server, its folder chosen; Unreachable says why there is none."""
    setup = setup_of(account)
    imap = _asked(lambda: _connected(setup))
    try:
        password = account.secrets.get("imap_password", "")
        _asked(lambda: imap.login(setup.imap_user or account.address, password), login=True)
        status, _data = _asked(lambda: imap.select(_quoted(setup.folder)))
        if status != "OK":
            raise Unreachable(_("There is no folder “%(folder)s”.") % {"folder": setup.folder})
        yield imap
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            imap.logout()


def health() -> tuple[int, bool]:
    """How many mailboxes are not read just now, and whether none has been so for long: its server
    cannot be reached, or no worker looks into it."""
    long_ago = timezone.now() - ALARM_AFTER
    read = (
        Mailbox.objects.unscoped("the installation's health")
        .filter(account__is_active=True, account__settings__has_key="imap_host")
        .exclude(account__settings__imap_host="")
    )
    late = Q(next_try_at__lt=long_ago)
    failing = read.filter(late | Q(failed_at__isnull=False))
    return failing.count(), not failing.filter(late | Q(failed_at__lt=long_ago)).exists()


# --- Inside ---------------------------------------------------------------------------------------


def _read_new(account: ChannelAccount, mailbox: Mailbox, imap: imaplib.IMAP4) -> int:
    _same_numbers(mailbox, imap)
    _status, data = _asked(lambda: imap.uid("SEARCH", f"UID {mailbox.last_uid + 1}:*"))
    found = sorted({int(one) for line in data if line for one in line.split() if one.isdigit()})
    new = [uid for uid in found if uid > mailbox.last_uid][
        :AT_ONCE
    ]  # « 8:* » gives 7 if it is the last
    for uid in new:
        if not _renew(mailbox):
            break  # another worker has come
        raw = _message(imap, uid)
        if raw is not None:
            _take_in(account, raw, uid)
        with suppress(OSError, imaplib.IMAP4.error):
            imap.uid("STORE", str(uid), "+FLAGS", r"(\Seen)")
    return len(new)


def _take_in(account: ChannelAccount, raw: bytes, uid: int) -> None:
    """One message that cannot be taken in stops no other."""
    try:
        intake.take_in(account, raw, uid=uid)
    except Exception:  # whatever it is, the bytes are kept and a person looks
        log.exception("mail.not_taken_in", extra={"account": str(account.uuid), "uid": uid})
        intake.set_aside_unread(account, raw, uid=uid)


def _same_numbers(mailbox: Mailbox, imap: imaplib.IMAP4) -> None:
    _name, data = imap.response("UIDVALIDITY")
    said = next((int(one) for one in data or [] if one and one.isdigit()), None)
    if said is not None and said != mailbox.uid_validity:
        mailbox.uid_validity, mailbox.last_uid = said, 0
        mailbox.save(update_fields=["uid_validity", "last_uid", "updated_at"])


def _message(imap: imaplib.IMAP4, uid: int) -> bytes | None:
    """The message's bytes; of one that is too large its head, by which somebody can ask for it."""
    _status, data = _asked(lambda: imap.uid("FETCH", str(uid), "(RFC822.SIZE)"))
    size = next((_NUMBER.search(line) for line in _lines(data) if _NUMBER.search(line)), None)
    large = size is not None and int(size[1]) > MOST_BYTES
    part = "(BODY.PEEK[HEADER])" if large else "(BODY.PEEK[])"
    _status, data = _asked(lambda: imap.uid("FETCH", str(uid), part))
    return next((bytes(one[1]) for one in data if isinstance(one, tuple) and len(one) > 1), None)


def _lines(data: Sequence[Any]) -> list[bytes]:
    return [one[0] if isinstance(one, tuple) else one for one in data if one]


class _Pinned(imaplib.IMAP4):
    """Speaks at an address that was checked, in TLS from the first byte on if a context is given; the
    host's name is for its certificate only, so that a second answer of its name leads nowhere."""

    def __init__(
        self, address: str, host: str, port: int, secure: ssl.SSLContext | None = None
    ) -> None:
        self.address, self.secure = address, secure
        super().__init__(host, port, timeout=_SECONDS)

    def _create_socket(self, timeout: float) -> socket.socket:
        opened = socket.create_connection((self.address, self.port), timeout)
        if self.secure is None:
            return opened
        try:
            return self.secure.wrap_socket(opened, server_hostname=self.host)
        except BaseException:
            opened.close()
            raise


def _connected(setup: MailSetup) -> imaplib.IMAP4:
    try:
        address = address_of(setup.imap_host, setup.imap_port)
    except CallFailed as error:
        raise Unreachable(_("This server may not be called from here.")) from error
    secure = ssl.create_default_context()
    if setup.imap_security == TLS:
        return _Pinned(address, setup.imap_host, setup.imap_port, secure)
    imap = _Pinned(address, setup.imap_host, setup.imap_port)
    if setup.imap_security != PLAIN:
        imap.starttls(secure)
    return imap


def _asked(ask: Callable[[], Any], *, login: bool = False) -> Any:
    """What the server answers; Unreachable in words when it does not."""
    try:
        return ask()
    except ssl.SSLError as error:
        raise Unreachable(_("The server's certificate is not trusted.")) from error
    except OSError as error:
        raise Unreachable(_told(error)) from error
    except imaplib.IMAP4.error as error:
        refused = _("The server does not accept the user or the password.")
        broke_off = _("The server broke off.")
        aborted = isinstance(error, imaplib.IMAP4.abort)
        raise Unreachable(refused if login and not aborted else broke_off) from error


def _told(error: OSError) -> str:
    told: Text = _("The server does not answer (%(error)s).")
    return str(told) % {"error": type(error).__name__}


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "").replace('"', "") + '"'


def _rows(mailbox: Mailbox) -> Any:
    return Mailbox.objects.unscoped("the account's own").filter(pk=mailbox.pk)


def _lease(mailbox: Mailbox) -> bool:
    """Nobody else looks into the mailbox for a while; False when somebody does, or it is not time."""
    now = timezone.now()
    taken = _rows(mailbox).filter(next_try_at__lte=now).update(next_try_at=now + LEASE)
    mailbox.refresh_from_db()
    return bool(taken)


def _renew(mailbox: Mailbox) -> bool:
    """The lease is still ours, and whole again."""
    until = timezone.now() + LEASE
    mine = _rows(mailbox).filter(next_try_at=mailbox.next_try_at).update(next_try_at=until)
    mailbox.next_try_at = until
    return bool(mine)


def _failed(mailbox: Mailbox, error: str) -> None:
    pause = min(EVERY * 2 ** min(mailbox.failures, 10), LONGEST_PAUSE)
    log.warning("mail.unreachable", extra={"mailbox": mailbox.pk, "failures": mailbox.failures + 1})
    _rows(mailbox).update(
        failed_at=Coalesce(F("failed_at"), Now()),
        failures=F("failures") + 1,
        last_error=error[:240],
        next_try_at=timezone.now() + pause,
    )

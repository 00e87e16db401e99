"""The SMTP backend of Django, which also sends mail without a return path, and goes where it is told."""

import smtplib
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

from crm.kit.mail import AutomaticMail


class _Pinned(smtplib.SMTP):
    """Speaks at an address that was checked; the host's name is for its certificate only."""

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        self.address = address
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        opened: socket.socket = super()._get_socket(self.address, port, timeout)  # type: ignore[misc] # not in its stubs
        return opened


class _PinnedTls(_Pinned, smtplib.SMTP_SSL):
    """The same from the first byte on in TLS, which names the host."""


class EmailBackend(smtp.EmailBackend):
    """Hands mail to a mail server; what answers by itself leaves with MAIL FROM:<>.

    With `address` (from `http.address_of`) the connection goes to exactly that address: a name that
    answers differently the second time reaches nothing inside.
    """

    def __init__(self, *args: Any, address: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]
        """What speaks."""
        if not self.address:
            return smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP
        return partial(_PinnedTls if self.use_ssl else _Pinned, address=self.address)

    def _send(self, email_message: EmailMessage) -> bool:
        if not isinstance(email_message, AutomaticMail):
            return bool(super()._send(email_message))  # type: ignore[misc] # not in its stubs
        charset = email_message.encoding or settings.DEFAULT_CHARSET
        recipients = [sanitize_address(to, charset) for to in email_message.recipients()]
        if not recipients:
            return False
        assert self.connection is not None, "Django opens it first"
        content = email_message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg] # SafeMIME's
        self.connection.sendmail("", recipients, content)
        return True

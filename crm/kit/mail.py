"""The one way out for e-mail: outside any transaction, and clear about whether the server has it."""

import hmac
import smtplib
from collections.abc import Callable
from contextlib import closing, suppress
from http import HTTPStatus

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from crm.kit.outbox import InDoubt, TryLater, Undeliverable, leaving

MARK_FIELD = "X-Ventanilla-Mark"
_MARK_LENGTH = 32


def mark_of(message_id: str) -> str:
    """What only a mail of ours with this Message-ID bears.

    A Message-ID goes round with every answer; this field is quoted by who reports on the mail itself.
    """
    return _mark(message_id, settings.SECRET_KEY)


def bears_mark(message_id: str, mark: str) -> bool:
    """Whether the mark is that mail's, made with any key of the installation."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(
        hmac.compare_digest(_mark(message_id, key).encode(), mark.lower().encode()) for key in keys
    )


def _mark(message_id: str, key: str) -> str:
    text = f"mail {message_id.strip('<>')}".encode()
    return hmac.new(key.encode(), text, "sha256").hexdigest()[:_MARK_LENGTH]


class AutomaticMail(EmailMessage):
    """What answers by itself (RFC 3834): its return path is empty, so that nothing answers it."""


class NoAnswer(TryLater):
    """The mail server did not answer the call: nobody's message is better off for trying now."""


class Line:
    """A talk with the mail server, by which any number of messages leave one after the other."""

    def __init__(self, server: BaseEmailBackend | None = None) -> None:
        """With the installation's mail server, unless another is given."""
        self._connection = server or get_connection()

    def post(self, message: EmailMessage, handing_over: Callable[[], None] | None = None) -> None:
        """The mail server has taken the message.

        Raises TryLater when it surely has not (NoAnswer: it did not answer the call), Undeliverable
        when it never will, InDoubt when it fell silent while the message was being handed over.
        `handing_over` is called right before what cannot be taken back (the outbox's `leaving`).
        """
        self._open()
        message.connection = self._connection
        try:
            (handing_over or leaving)()
            message.send()
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _answer in error.recipients.values()]
            lasting = any(code >= HTTPStatus.INTERNAL_SERVER_ERROR for code in codes)
            raise (Undeliverable if lasting else TryLater)(type(error).__name__) from error
        except (
            smtplib.SMTPNotSupportedError,
            ValueError,
        ) as error:  # written in no way it understands
            raise Undeliverable(type(error).__name__) from error
        except smtplib.SMTPResponseException as error:
            raise TryLater(type(error).__name__) from error
        except OSError as error:
            self.close()
            raise InDoubt(type(error).__name__) from error

    def _open(self) -> None:
        """The server is there: a line that fell silent meanwhile is opened anew, before anything leaves."""
        server = getattr(self._connection, "connection", None)
        if isinstance(server, smtplib.SMTP):
            try:
                if server.rset()[0] < HTTPStatus.BAD_REQUEST:
                    return
            except OSError:
                pass
            self.close()
        try:
            self._connection.open()
        except OSError as error:  # an SMTPException is one
            raise NoAnswer(type(error).__name__) from error

    def close(self) -> None:
        """The talk is over."""
        with suppress(OSError):
            self._connection.close()


def post(message: EmailMessage, server: BaseEmailBackend | None = None) -> None:
    """The mail server has taken the message; raises what Line.post does."""
    with closing(Line(server)) as line:
        line.post(message)

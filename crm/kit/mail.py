"""The one way out for e-mail: outside any transaction, and clear about whether the server has it."""

import smtplib
from collections.abc import Callable
from contextlib import closing, suppress
from http import HTTPStatus

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from crm.kit.outbox import InDoubt, TryLater, Undeliverable, leaving


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

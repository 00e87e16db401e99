"""The one way out for e-mail: outside any transaction, and clear about whether the server has it."""

import smtplib
from contextlib import suppress
from http import HTTPStatus

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from crm.kit.outbox import InDoubt, TryLater, Undeliverable, leaving


def post(message: EmailMessage, server: BaseEmailBackend | None = None) -> None:
    """The mail server, the installation's unless another is given, has taken the message.

    Raises TryLater when it surely has not (nobody answered the call, or the answer was no), Undeliverable
    when it never will, InDoubt when it fell silent while the message was being handed over.
    """
    connection = message.connection = server or get_connection()
    try:
        connection.open()
    except OSError as error:  # an SMTPException is one
        raise TryLater(type(error).__name__) from error
    try:
        leaving()
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _answer in error.recipients.values()]
        lasting = any(code >= HTTPStatus.INTERNAL_SERVER_ERROR for code in codes)
        raise (Undeliverable if lasting else TryLater)(type(error).__name__) from error
    except (smtplib.SMTPNotSupportedError, ValueError) as error:  # written in no way it understands
        raise Undeliverable(type(error).__name__) from error
    except smtplib.SMTPResponseException as error:
        raise TryLater(type(error).__name__) from error
    except OSError as error:
        raise InDoubt(type(error).__name__) from error
    finally:
        with suppress(OSError):
            connection.close()

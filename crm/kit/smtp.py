"""The SMTP backend of Django, which also sends mail without a return path."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

from crm.kit.mail import AutomaticMail


class EmailBackend(smtp.EmailBackend):
    """Hands mail to a mail server; what answers by itself leaves with MAIL FROM:<>."""

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

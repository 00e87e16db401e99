"""The links by which recipients say what they want: signed, naming a delivery and nobody's data."""

from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

_SALT = "campaigns.recipient"


def token_for(delivery: UUID) -> str:
    """The token in a recipient's links; it serves as long as there is the delivery."""
    return signing.Signer(salt=_SALT).sign(delivery.hex).replace(":", "~")


def delivery_of(token: str) -> UUID | None:
    """The delivery that a token is of; None when nobody of ours made it."""
    try:
        return UUID(hex=signing.Signer(salt=_SALT).unsign(token.replace("~", ":")))
    except (signing.BadSignature, ValueError):
        return None


def unsubscribe_url(delivery: UUID) -> str:
    """Where one click, or a form, ends the topic's messages."""
    return _public("campaigns:unsubscribe", token_for(delivery))


def preferences_url(delivery: UUID) -> str:
    """Where the recipient chooses topics."""
    return _public("campaigns:preferences", token_for(delivery))


def short_url(code: str) -> str:
    """A short address as it is written in messages."""
    return _public("campaigns:follow", code)


def _public(name: str, part: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name, args=[part])}"

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
    return settings.PUBLIC_URL + reverse("campaigns:unsubscribe", args=[token_for(delivery)])


def preferences_url(delivery: UUID) -> str:
    """Where the recipient chooses topics."""
    return settings.PUBLIC_URL + reverse("campaigns:preferences", args=[token_for(delivery)])

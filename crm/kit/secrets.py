"""Secrets at rest and tokens in links: encrypted, signed or kept as digests."""

import base64
import hashlib
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def _fernet() -> MultiFernet:
    """The installation's keys, newest first, each derived from a SECRET_KEY."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    derived = (
        hashlib.blake2b(key.encode(), digest_size=32, person=b"vent-secrets").digest()
        for key in keys
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])


def encrypt(text: str) -> str:
    """The text as it may lie in the database."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text again; ValueError when no key of the installation made the token."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise ValueError("not encrypted with a key of this installation") from None


def new_token() -> str:
    """256 random bits for a link or a key."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored instead of a token; tokens are random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()

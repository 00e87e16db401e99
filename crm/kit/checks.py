"""System checks: production refuses what is only meant for a newcomer's machine."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def production_is_safe(**_kwargs: Any) -> list[CheckMessage]:
    """Errors for an installation in production with embedded services, DEBUG or a weak secret."""
    if not settings.PRODUCTION:
        return []
    problems: list[CheckMessage] = []
    if settings.EMBEDDED_SERVICES:
        problems.append(
            Error(
                "Production does not run on the embedded PostgreSQL and Valkey.",
                hint="Set DATABASE_URL and REDIS_URL and start without boot.py (deploy/README.md).",
                id="ventanilla.E001",
            )
        )
    if settings.DEBUG:
        problems.append(
            Error("DEBUG is on in production.", hint="Unset DEBUG.", id="ventanilla.E002")
        )
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 10:
        problems.append(
            Error(
                "SECRET_KEY is too weak.",
                hint="Use 50 random characters or more: openssl rand -base64 48",
                id="ventanilla.E003",
            )
        )
    return problems

"""Errors of the domain: each has a code, an HTTP status and a sentence that says what to do."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import psycopg
from django.db import DatabaseError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise
log = logging.getLogger(__name__)


class DomainError(Exception):
    """Something asked for cannot be done. Doors turn it into a page, a problem+json or a frame."""

    status: ClassVar[int] = 400
    title: ClassVar[Text] = _("The request cannot be carried out")

    def __init__(self, code: str, message: Text, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return str(self.message)

    @property
    def in_a_line(self) -> str:
        """What to do, where there is no form to show it at."""
        return str(self.message)


class Invalid(DomainError):
    """What was sent is wrong: `errors` maps a field (or "" for the whole) to its messages."""

    status = 422
    title = _("Some of the information is not valid")

    def __init__(
        self,
        message: Text | None = None,
        *,
        code: str = "invalid",
        errors: Mapping[str, Sequence[Text]] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(
            code,
            message or _("Check the highlighted information before you continue."),
            **details,
        )
        self.errors: Mapping[str, Sequence[Text]] = errors or {}

    @property
    def in_a_line(self) -> str:
        """What is wrong with each field, or else the whole."""
        texts = [str(text) for texts in self.errors.values() for text in texts]
        return " ".join(texts) or str(self.message)


class Refused(DomainError):
    """The actor may not do this. The reason is shown alike in page, API and socket."""

    status = 403
    title = _("This operation is not allowed")

    def __init__(self, permission: str, reason: Text, target: object | None = None) -> None:
        super().__init__("refused", reason, permission=permission)
        self.permission = permission
        self.target = target


class NotFound(DomainError):
    """There is no such thing for this actor (another organisation's things do not exist)."""

    status = 404
    title = _("Not found")

    def __init__(self, message: Text | None = None) -> None:
        super().__init__("not_found", message or _("It does not exist or is not yours to see."))


class Conflict(DomainError):
    """Someone else changed it meanwhile, or its state no longer allows this."""

    status = 409
    title = _("It has changed in the meantime")


class Changed(Conflict):
    """Somebody else has changed it since the person read what they correct."""

    def __init__(self, message: Text) -> None:
        super().__init__("changed_meanwhile", message)


class TooMany(DomainError):
    """Too many attempts; `retry_after` says for how many seconds to wait."""

    status = 429
    title = _("Too many attempts")

    def __init__(self, message: Text, *, retry_after: int) -> None:
        super().__init__("too_many", message)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Something needed does not answer now; trying later helps."""

    status = 503
    title = _("Not available at the moment")


def from_database(error: DatabaseError) -> DomainError | None:
    """What the database's no means to whoever asked: somebody was faster, or trying later helps."""
    cause = error.__cause__
    log.warning("The database said no: %s", type(cause or error).__name__)
    match cause:
        case psycopg.errors.QueryCanceled():
            return Unavailable(
                "took_too_long", _("This takes too long. Narrow the filters and try again.")
            )
        case psycopg.errors.UniqueViolation():
            return Conflict("exists_already", _("The same thing was recorded in the meantime."))
        case psycopg.errors.SerializationFailure():
            return Conflict("changed_meanwhile", _("It was changed at this moment. Try again."))
        case psycopg.OperationalError():
            return Unavailable("database", _("The database does not answer now. Try again."))
    return None


RefusalListener = Callable[[Any, Refused], None]
_refusal_listeners: list[RefusalListener] = []


def on_refusal(listener: RefusalListener) -> None:
    """Have every refusal that reaches a door told to `listener(actor, refused)` (audit does)."""
    _refusal_listeners.append(listener)


def tell_refusal(actor: object | None, refused: Refused) -> None:
    """Called by each door, outside the rolled-back transaction, when an act was refused."""
    if actor is not None:
        for listener in _refusal_listeners:
            listener(actor, refused)

"""Verifying a document by its code, for anybody: the original bytes, or one and the same no."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.kit.actor import Actor, Origin
from crm.kit.pdf import CodeError, normalise_code
from crm.kit.policy import decide
from crm.kit.tries import take
from crm.kit.web import counted_by
from reporting.models import IssuedHistory
from reporting.permissions import ISSUE_HISTORY
from reporting.services import original_bytes

_TRIES, _WINDOW = 20, 60  # per address and seconds: nobody types faster, and nothing can be guessed
_NOBODYS_CODE = "0000-0000-0000-0000-0000-0000-0000"  # looked up for what cannot be a code


@dataclass(frozen=True)
class Verified:
    """A document that stands, with its bytes as issued; or, told to employees only, a revoked one."""

    history: IssuedHistory
    content: bytes | None


def verify(typed: str, origin: Origin, viewer: Actor | None = None) -> Verified | None:
    """The document of that code; None for unknown, malformed, unfinished and revoked codes alike.

    An employee who may issue the case's history is told of a revocation. Raises TooMany, or
    Unavailable when the stored bytes are not those issued.
    """
    _count(origin.ip)
    try:
        code = normalise_code(typed)
    except CodeError:
        code = _NOBODYS_CODE
    history = (
        IssuedHistory.objects.unscoped("anybody may verify who holds the code")
        .select_related("case", "organisation")
        .filter(code=code)
        .first()
    )
    told = viewer is not None and _may_be_told(viewer, code)
    if history is None or not (history.valid or told):
        return None
    if not history.valid:
        return Verified(history, None) if history.revoked_at else None
    actor = system_actor(history.organisation, origin, str(_("Verification page")))
    content = original_bytes(history, actor)
    record(actor, "verified", history, sha256=history.sha256)
    return Verified(history, content)


def _may_be_told(viewer: Actor, code: str) -> bool:
    rows = IssuedHistory.objects.for_actor(viewer).select_related("case")
    history = rows.filter(code=code).first()
    return history is not None and bool(decide(viewer, ISSUE_HISTORY, history))


def _count(ip: str | None) -> None:
    """Count a try of this address."""
    take(
        "verify",
        counted_by(ip),
        most=_TRIES,
        seconds=_WINDOW,
        message=_("Too many codes were tried from here. Wait a minute and try again."),
    )

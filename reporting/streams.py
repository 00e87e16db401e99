"""Who may follow the making of a history, a batch or an export live."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.policy import Decision, decide
from reporting.models import Export, HistoryBatch, IssuedHistory
from reporting.permissions import ISSUE_HISTORY, VIEW_REPORT

_NONE = Decision(False, _("It does not exist or is not yours to see."))


def may_follow_history(actor: Actor, key: str) -> Decision:
    """Whoever may issue the case's history."""
    uuid = _uuid(key)
    rows = IssuedHistory.objects.for_actor(actor).select_related("case").defer("content")
    history = rows.filter(uuid=uuid).first() if uuid else None
    return decide(actor, ISSUE_HISTORY, history) if history else _NONE


def may_follow_batch(actor: Actor, key: str) -> Decision:
    """Whoever asked for it."""
    uuid = _uuid(key)
    if uuid is None or not HistoryBatch.objects.for_actor(actor).filter(uuid=uuid).exists():
        return _NONE
    return decide(actor, ISSUE_HISTORY)


def may_follow_export(actor: Actor, key: str) -> Decision:
    """Whoever asked for it."""
    uuid = _uuid(key)
    if uuid is None or not Export.objects.for_actor(actor).filter(uuid=uuid).exists():
        return _NONE
    return decide(actor, VIEW_REPORT)


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None

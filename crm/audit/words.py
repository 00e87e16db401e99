"""The audit trail in plain words: what was done, to what, how it ended."""

from collections.abc import Mapping
from functools import lru_cache

from django.apps import apps
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from crm.audit.models import AuditEntry, Result
from crm.kit.errors import Text
from crm.kit.policy import catalogue

ACTIONS: Mapping[str, Text] = {
    "sign_in": pgettext_lazy("audit", "Sign-in"),
    "sign_in_refused": pgettext_lazy("audit", "Refused sign-in"),
    "sign_out": pgettext_lazy("audit", "Sign-out"),
    "session_ended": pgettext_lazy("audit", "Session ended by idleness or suspension"),
    "second_factor_changed": pgettext_lazy("audit", "Second factor changed"),
    "password_changed": pgettext_lazy("audit", "Password changed"),
    "organisation_switched": pgettext_lazy("audit", "Organisation switched"),
    "key_used": pgettext_lazy("audit", "Key of a connected system used (first of the day)"),
    "viewed": pgettext_lazy("audit", "Viewed"),
    "searched": pgettext_lazy("audit", "Searched"),
    "revealed": pgettext_lazy("audit", "Shown in full"),
    "exported": pgettext_lazy("audit", "Exported"),
    "printed": pgettext_lazy("audit", "Printed"),
    "downloaded": pgettext_lazy("audit", "Downloaded"),
    "opened_exceptionally": pgettext_lazy("audit", "Opened exceptionally"),
    "disclosed": pgettext_lazy("audit", "Disclosed to the person or a representative"),
    "consent_given": pgettext_lazy("audit", "Consent given"),
    "consent_withdrawn": pgettext_lazy("audit", "Consent withdrawn"),
    "blocked": pgettext_lazy("audit", "Data blocked"),
    "destroyed": pgettext_lazy("audit", "Data destroyed"),
    "hold_placed": pgettext_lazy("audit", "Legal hold placed"),
    "hold_lifted": pgettext_lazy("audit", "Legal hold lifted"),
    "clock_recomputed": pgettext_lazy("audit", "Deadline recomputed"),
    "routed": pgettext_lazy("audit", "Routed"),
    "sent": pgettext_lazy("audit", "Sent"),
    "delivery_failed": pgettext_lazy("audit", "Not delivered"),
    "retention_run": pgettext_lazy("audit", "Retention run"),
    "suggested": pgettext_lazy("audit", "AI suggestion"),
    "suggestion_accepted": pgettext_lazy("audit", "Suggestion accepted by a person"),
    "suggestion_rejected": pgettext_lazy("audit", "Suggestion rejected by a person"),
    "sealed": pgettext_lazy("audit", "Sealed"),
    "verified": pgettext_lazy("audit", "Verified by CSV"),
    "audit_verified": pgettext_lazy("audit", "Audit verified"),
    "audit_broken": pgettext_lazy("audit", "Audit chain broken"),
    "schedule_changed": pgettext_lazy("audit", "Schedule of background work changed"),
}
"""The acts that are no permission's: shared glossary, section 3."""

DOORS: Mapping[str, Text] = {
    "console": pgettext_lazy("audit", "console"),
    "api": pgettext_lazy("audit", "API"),
    "admin": pgettext_lazy("audit", "back office"),
    "socket": pgettext_lazy("audit", "live connection"),
    "task": pgettext_lazy("audit", "background work"),
    "command": pgettext_lazy("audit", "command line"),
    "public": pgettext_lazy("audit", "public page"),
}


def action(name: str) -> str:
    """An action in words: of the glossary, or those of the permission by which it was done."""
    if name in ACTIONS:
        return str(ACTIONS[name])
    permission = catalogue.get(name)
    return capfirst(str(permission.sentence)) if permission else name


@lru_cache(maxsize=1)
def object_kinds() -> tuple[str, ...]:
    """The kinds of thing that entries are about: the house's models with an identity of their own."""
    house = (
        "audit",
        "organisations",
        "accounts",
        "integrations",
        "citizens",
        "cases",
        "channels_app",
        "scheduling",
        "reporting",
    )
    return tuple(
        model._meta.label_lower
        for label in house
        if apps.is_installed(label) or label in apps.app_configs
        for model in apps.get_app_config(label).get_models()
        if any(field.name == "uuid" for field in model._meta.concrete_fields)
        and not model._meta.label.endswith("Event")
    )


def kind(object_type: str) -> str:
    """The kind of thing in words."""
    try:
        return str(apps.get_model(object_type)._meta.verbose_name)
    except (LookupError, ValueError):
        return object_type


def sentence(entry: AuditEntry) -> str:
    """What happened, in one line; who and when stand beside it."""
    words = action(entry.action)
    if entry.object_type and entry.object_name:
        words = _("%(action)s: %(kind)s “%(name)s”") % {
            "action": words,
            "kind": kind(entry.object_type),
            "name": entry.object_name,
        }
    if entry.result == Result.REFUSED:
        return _("Refused: %(what)s") % {"what": words}
    if entry.result == Result.FAILED:
        return _("Failed: %(what)s") % {"what": words}
    return words


FACTS: Mapping[str, Text] = {
    "act": pgettext_lazy("audit", "Act"),
    "after": pgettext_lazy("audit", "After"),
    "allowed": pgettext_lazy("audit", "Allowed"),
    "approved": pgettext_lazy("audit", "Approved"),
    "assurance": pgettext_lazy("audit", "Assurance"),
    "archived": pgettext_lazy("audit", "Archived"),
    "audience": pgettext_lazy("audit", "Whom a view is for"),
    "asked": pgettext_lazy("audit", "Filters"),
    "batch": pgettext_lazy("audit", "Bulk action"),
    "before": pgettext_lazy("audit", "Before"),
    "cancelled": pgettext_lazy("audit", "Cancelled"),
    "capacity": pgettext_lazy("audit", "Capacity"),
    "case": pgettext_lazy("audit", "Case"),
    "case_type": pgettext_lazy("audit", "Case type"),
    "cases": pgettext_lazy("audit", "Cases"),
    "change": pgettext_lazy("audit", "Change"),
    "changed": pgettext_lazy("audit", "Changed"),
    "channel": pgettext_lazy("audit", "Channel"),
    "citizen": pgettext_lazy("audit", "Citizen"),
    "code": pgettext_lazy("audit", "Code"),
    "contact_point": pgettext_lazy("audit", "Contact point"),
    "conversation": pgettext_lazy("audit", "Conversation"),
    "copy_of": pgettext_lazy("audit", "Copy of"),
    "created": pgettext_lazy("audit", "Created"),
    "data_classes": pgettext_lazy("audit", "Classes of data"),
    "day": pgettext_lazy("audit", "Day"),
    "deleted": pgettext_lazy("audit", "Deleted"),
    "done": pgettext_lazy("audit", "Done"),
    "draft": pgettext_lazy("audit", "Draft"),
    "dropped": pgettext_lazy("audit", "Dropped"),
    "different": pgettext_lazy("audit", "Not the same as"),
    "dry_run": pgettext_lazy("audit", "Trial only"),
    "ended": pgettext_lazy("audit", "Ended"),
    "ends": pgettext_lazy("audit", "Until"),
    "event": pgettext_lazy("audit", "Entry of the case"),
    "failed": pgettext_lazy("audit", "Failed"),
    "filters": pgettext_lazy("audit", "Filters"),
    "file": pgettext_lazy("audit", "File"),
    "first": pgettext_lazy("audit", "First"),
    "followed": pgettext_lazy("audit", "Followed"),
    "forbidden": pgettext_lazy("audit", "Forbidden"),
    "form": pgettext_lazy("audit", "Form"),
    "found": pgettext_lazy("audit", "Results"),
    "given": pgettext_lazy("audit", "Given"),
    "histories": pgettext_lazy("audit", "Histories"),
    "history": pgettext_lazy("audit", "History"),
    "holiday": pgettext_lazy("audit", "Holiday"),
    "holder": pgettext_lazy("audit", "Representative"),
    "host": pgettext_lazy("audit", "Host"),
    "hours": pgettext_lazy("audit", "Opening hours"),
    "identifier": pgettext_lazy("audit", "Number"),
    "into": pgettext_lazy("audit", "Merged into"),
    "invited": pgettext_lazy("audit", "Invited"),
    "is_active": pgettext_lazy("audit", "In use"),
    "kind": pgettext_lazy("audit", "Kind"),
    "languages": pgettext_lazy("audit", "Languages"),
    "last": pgettext_lazy("audit", "Last"),
    "legal_basis": pgettext_lazy("audit", "Legal basis"),
    "level": pgettext_lazy("audit", "Level of the seal"),
    "lifted": pgettext_lazy("audit", "Lifted"),
    "mandate": pgettext_lazy("audit", "Mandate"),
    "mapping": pgettext_lazy("audit", "Mapping"),
    "merge": pgettext_lazy("audit", "Merge"),
    "merged": pgettext_lazy("audit", "Merged"),
    "message": pgettext_lazy("audit", "Message"),
    "message_class": pgettext_lazy("audit", "Class of message"),
    "method": pgettext_lazy("audit", "How"),
    "model": pgettext_lazy("audit", "Language model"),
    "moved": pgettext_lazy("audit", "Moved"),
    "name": pgettext_lazy("audit", "Name"),
    "new": pgettext_lazy("audit", "New"),
    "on": pgettext_lazy("audit", "On"),
    "other": pgettext_lazy("audit", "The other record"),
    "outcome": pgettext_lazy("audit", "Outcome"),
    "pair": pgettext_lazy("audit", "Proposal"),
    "parent": pgettext_lazy("audit", "Higher unit"),
    "part": pgettext_lazy("audit", "Part"),
    "problems": pgettext_lazy("audit", "Rows not imported"),
    "professional": pgettext_lazy("audit", "RED authorisation"),
    "proof": pgettext_lazy("audit", "Proof"),
    "public": pgettext_lazy("audit", "Public"),
    "quality": pgettext_lazy("audit", "Quality"),
    "query": pgettext_lazy("audit", "Expression"),
    "queue": pgettext_lazy("audit", "Queue"),
    "reason": pgettext_lazy("audit", "Reason"),
    "recipients": pgettext_lazy("audit", "Recipients"),
    "refused": pgettext_lazy("audit", "Refused"),
    "relation": pgettext_lazy("audit", "Relation"),
    "removed": pgettext_lazy("audit", "Removed"),
    "replayed": pgettext_lazy("audit", "Sent again"),
    "resent": pgettext_lazy("audit", "Sent again"),
    "retired": pgettext_lazy("audit", "Retired"),
    "reviewed": pgettext_lazy("audit", "Reviewed"),
    "revoked": pgettext_lazy("audit", "Revoked"),
    "role": pgettext_lazy("audit", "Role"),
    "rotated": pgettext_lazy("audit", "Secret renewed"),
    "rows": pgettext_lazy("audit", "Rows"),
    "scan": pgettext_lazy("audit", "Virus scan"),
    "scope": pgettext_lazy("audit", "Scope"),
    "scopes": pgettext_lazy("audit", "Allowed actions"),
    "services": pgettext_lazy("audit", "Services"),
    "sha256": pgettext_lazy("audit", "SHA-256"),
    "share": pgettext_lazy("audit", "Part of the day"),
    "signer": pgettext_lazy("audit", "Signer"),
    "size": pgettext_lazy("audit", "Size in bytes"),
    "skills": pgettext_lazy("audit", "Skills"),
    "started": pgettext_lazy("audit", "Started"),
    "starts": pgettext_lazy("audit", "From"),
    "state": pgettext_lazy("audit", "State"),
    "status": pgettext_lazy("audit", "Status"),
    "stopped": pgettext_lazy("audit", "Stopped"),
    "stream": pgettext_lazy("audit", "Live news"),
    "substitute": pgettext_lazy("audit", "Substitute"),
    "suspended": pgettext_lazy("audit", "Suspended"),
    "tested": pgettext_lazy("audit", "Tested"),
    "text": pgettext_lazy("audit", "Words searched"),
    "to": pgettext_lazy("audit", "To"),
    "topics": pgettext_lazy("audit", "Topics"),
    "tree": pgettext_lazy("audit", "Conditions"),
    "trial": pgettext_lazy("audit", "Trial"),
    "tried": pgettext_lazy("audit", "Tried"),
    "unmerged": pgettext_lazy("audit", "Merge taken back"),
    "unit": pgettext_lazy("audit", "Unit"),
    "variant": pgettext_lazy("audit", "Variant"),
    "version": pgettext_lazy("audit", "Version"),
    "week": pgettext_lazy("audit", "Week"),
    "weight": pgettext_lazy("audit", "Points"),
    "what": pgettext_lazy("audit", "List"),
    "why": pgettext_lazy("audit", "Why"),
    "working": pgettext_lazy("audit", "Working day"),
}
"""The names of an entry's facts; those that an act or another system brings are shown by their key."""


def fact(value: object) -> str:
    """A fact's value as people read it."""
    if value is None or value in ("", [], {}):
        return "—"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {fact(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(fact(inner) for inner in value)
    return str(value)

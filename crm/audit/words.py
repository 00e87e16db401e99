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
    "asked": pgettext_lazy("audit", "Filters"),
    "before": pgettext_lazy("audit", "Before"),
    "cancelled": pgettext_lazy("audit", "Cancelled"),
    "case": pgettext_lazy("audit", "Case"),
    "cases": pgettext_lazy("audit", "Cases"),
    "change": pgettext_lazy("audit", "Change"),
    "code": pgettext_lazy("audit", "Code"),
    "copy_of": pgettext_lazy("audit", "Copy of"),
    "created": pgettext_lazy("audit", "Created"),
    "data_classes": pgettext_lazy("audit", "Classes of data"),
    "day": pgettext_lazy("audit", "Day"),
    "deleted": pgettext_lazy("audit", "Deleted"),
    "done": pgettext_lazy("audit", "Done"),
    "dry_run": pgettext_lazy("audit", "Trial only"),
    "ended": pgettext_lazy("audit", "Ended"),
    "ends": pgettext_lazy("audit", "Until"),
    "event": pgettext_lazy("audit", "Entry of the case"),
    "filters": pgettext_lazy("audit", "Filters"),
    "form": pgettext_lazy("audit", "Form"),
    "found": pgettext_lazy("audit", "Results"),
    "given": pgettext_lazy("audit", "Given"),
    "histories": pgettext_lazy("audit", "Histories"),
    "history": pgettext_lazy("audit", "History"),
    "holiday": pgettext_lazy("audit", "Holiday"),
    "hours": pgettext_lazy("audit", "Opening hours"),
    "identifier": pgettext_lazy("audit", "Number"),
    "into": pgettext_lazy("audit", "Merged into"),
    "invited": pgettext_lazy("audit", "Invited"),
    "kind": pgettext_lazy("audit", "Kind"),
    "legal_basis": pgettext_lazy("audit", "Legal basis"),
    "level": pgettext_lazy("audit", "Level of the seal"),
    "mapping": pgettext_lazy("audit", "Mapping"),
    "moved": pgettext_lazy("audit", "Moved"),
    "name": pgettext_lazy("audit", "Name"),
    "on": pgettext_lazy("audit", "On"),
    "parent": pgettext_lazy("audit", "Higher unit"),
    "part": pgettext_lazy("audit", "Part"),
    "problems": pgettext_lazy("audit", "Rows not imported"),
    "reason": pgettext_lazy("audit", "Reason"),
    "refused": pgettext_lazy("audit", "Refused"),
    "resent": pgettext_lazy("audit", "Sent again"),
    "revoked": pgettext_lazy("audit", "Revoked"),
    "role": pgettext_lazy("audit", "Role"),
    "scan": pgettext_lazy("audit", "Virus scan"),
    "scopes": pgettext_lazy("audit", "Allowed actions"),
    "sha256": pgettext_lazy("audit", "SHA-256"),
    "signer": pgettext_lazy("audit", "Signer"),
    "size": pgettext_lazy("audit", "Size in bytes"),
    "started": pgettext_lazy("audit", "Started"),
    "starts": pgettext_lazy("audit", "From"),
    "stream": pgettext_lazy("audit", "Live news"),
    "suspended": pgettext_lazy("audit", "Suspended"),
    "text": pgettext_lazy("audit", "Words searched"),
    "to": pgettext_lazy("audit", "To"),
    "unit": pgettext_lazy("audit", "Unit"),
    "variant": pgettext_lazy("audit", "Variant"),
    "version": pgettext_lazy("audit", "Version"),
    "week": pgettext_lazy("audit", "Week"),
    "what": pgettext_lazy("audit", "List"),
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

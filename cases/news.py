"""What there may be news of in the cases room, and how a case is shown beside them."""

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from crm.kit.actor import Actor
from crm.notices.kinds import DAILY, HOURLY, Kind, Shown, Switch, kinds, switches, things

CASE = "case"
ASSIGNED, MENTIONED, MESSAGE, MOVED, NOTED = "assigned", "mentioned", "message", "moved", "noted"

KINDS = {
    MENTIONED: Kind(
        _("I am mentioned in a note"),
        "at",
        _("%(actor)s mentioned you in a note"),
        mine=True,
        names=True,
        mail=HOURLY,
    ),
    ASSIGNED: Kind(
        _("A case is given to me"),
        "user-plus",
        _("%(actor)s gave you the case"),
        together=_("%(actor)s gave you this case and others in a bulk action"),
        mine=True,
        mail=DAILY,
    ),
    MESSAGE: Kind(
        _("The citizen writes in a case of mine or that I follow"),
        "message",
        _("The citizen has written"),
        mine=True,
    ),
    MOVED: Kind(
        _("A case of mine or that I follow changes its state"),
        "arrow-right",
        _("%(actor)s moved it to “%(state)s”"),
        together=_("%(actor)s moved it and others to “%(state)s” in a bulk action"),
    ),
    NOTED: Kind(
        _("A note is written in a case that I follow"),
        "note",
        _("%(actor)s wrote a note"),
    ),
}

SWITCHES = {
    "follow_mentioned": Switch(_("Follow the cases where I am mentioned"), True),
    "follow_answered": Switch(_("Follow the cases where I write to the citizen"), True),
    "follow_had": Switch(_("Go on following the cases that were mine"), False),
}


def register() -> None:
    """Declare all of it."""
    for name, kind in KINDS.items():
        kinds.register(name, kind)
    for name, switch in SWITCHES.items():
        switches.register(name, switch)
    things.register(CASE, cases_shown)


def cases_shown(actor: Actor, keys: Collection[str]) -> dict[str, Shown]:
    """Those of the cases that exist for the actor."""
    rows = Case.objects.for_actor(actor).filter(uuid__in=keys)
    return {
        str(uuid): Shown(reference, subject, reverse("cases:detail", args=[uuid]))
        for uuid, reference, subject in rows.values_list("uuid", "reference", "subject")
    }

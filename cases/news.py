"""What there may be news of in the cases room, and how each thing is shown beside them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from cases.models import (
    BulkAction,
    Case,
    CaseTransfer,
    Consultation,
    Import,
    Measure,
    SavedView,
    Task,
)
from crm.kit.actor import Actor
from crm.notices.kinds import DAILY, HOURLY, Kind, Shown, Switch, kinds, switches, things

CASE, TASKS, TRANSFER, CONSULTATION = "case", "task", "transfer", "consultation"
BULK, IMPORT, VIEW = "bulk", "import", "view"
ASSIGNED, MENTIONED, MESSAGE, MOVED, NOTED = "assigned", "mentioned", "message", "moved", "noted"
TASK, TASK_DUE, APPROVAL, REVIEWED = "task", "task_due", "approval", "reviewed"
DEADLINE, TARGET, MISSED = "deadline", "target", "target_missed"
OFFERED, ANSWERED = "transfer_offered", "transfer_answered"
ASKED, TOLD = "consulted", "consultation_answered"
STANDS_IN, BACK, FINISHED, IN_VIEW = "stands_in", "back", "finished", "in_view"


def dated(data: Mapping[str, Any]) -> dict[str, Any]:
    """A moment in words, in the language and zone of now; of a service target what it promises."""
    found = dict(data)
    if data.get("due"):
        local = timezone.localtime(datetime.fromisoformat(data["due"]))
        found["due"] = f"{date_format(local)}, {local:%H:%M}"
    if data.get("measure") in Measure:
        found["measure"] = Measure(data["measure"]).label
    return found


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
    STANDS_IN: Kind(
        _("I stand in for somebody who is away"),
        "users",
        _("You stand in for %(absent)s: their cases are with you"),
        mine=True,
        mail=DAILY,
    ),
    BACK: Kind(
        _("My cases come back to me after an absence"),
        "arrow-back-up",
        _("The cases that others had while you were away are yours again"),
        mine=True,
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
    TASK: Kind(
        _("A task is given to me"),
        "checklist",
        _("%(actor)s gave you the task “%(title)s”"),
        mine=True,
        mail=DAILY,
    ),
    TASK_DUE: Kind(
        _("A task of mine is due within a day"),
        "alarm",
        _("The task “%(title)s” is due on %(due)s"),
        values=dated,
        mine=True,
    ),
    APPROVAL: Kind(
        _("A task waits for my approval"),
        "checkup-list",
        _("%(actor)s has done the task “%(title)s”: it waits for approval"),
        mine=True,
        mail=DAILY,
    ),
    REVIEWED: Kind(
        _("A task that I have done is approved or not"),
        "circle-check",
        _("%(actor)s has looked at your task “%(title)s”"),
        mine=True,
    ),
    DEADLINE: Kind(
        _("The legal deadline of a case of mine is near"),
        "calendar-time",
        _("The legal deadline ends on %(due)s"),
        values=dated,
        mine=True,
        mail=DAILY,
    ),
    TARGET: Kind(
        _("A service target of a case of mine or that I follow is in danger"),
        "alarm",
        _("%(measure)s: it ends on %(due)s"),
        values=dated,
        mine=True,
    ),
    MISSED: Kind(
        _("A service target of a case of mine or that I follow was missed"),
        "alarm",
        _("%(measure)s: it was missed on %(due)s"),
        values=dated,
        mine=True,
    ),
    OFFERED: Kind(
        _("A transfer is offered to my unit"),
        "transfer",
        _("%(actor)s offers a transfer to %(to)s"),
        mine=True,
        mail=HOURLY,
    ),
    ANSWERED: Kind(
        _("A transfer that I offered is answered or expires"),
        "transfer",
        _("The transfer that you offered to %(to)s has an answer"),
        mine=True,
    ),
    ASKED: Kind(
        _("My unit is asked about a case"),
        "user-question",
        _("%(actor)s asks %(to)s about a case"),
        mine=True,
        mail=HOURLY,
    ),
    TOLD: Kind(
        _("Another area answers what I asked"),
        "message-2",
        _("%(to)s has answered your question"),
        mine=True,
    ),
    FINISHED: Kind(
        _("Work of mine in the background has finished"),
        "progress-check",
        _("It has finished"),
        mine=True,
    ),
    IN_VIEW: Kind(
        _("A case comes into a view that I watch"),
        "bookmark",
        _("It came into the view “%(view)s”"),
        together=_("%(count)s cases came into the view “%(view)s”"),
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
    things.register(TASKS, tasks_shown)
    things.register(TRANSFER, transfers_shown)
    things.register(CONSULTATION, consultations_shown)
    things.register(BULK, bulks_shown)
    things.register(IMPORT, imports_shown)
    things.register(VIEW, views_shown)


def cases_shown(actor: Actor, keys: Collection[str]) -> dict[str, Shown]:
    """Those of the cases that exist for the actor."""
    rows = Case.objects.for_actor(actor).filter(uuid__in=keys)
    return {
        str(uuid): Shown(reference, subject, reverse("cases:detail", args=[uuid]))
        for uuid, reference, subject in rows.values_list("uuid", "reference", "subject")
    }


def tasks_shown(actor: Actor, keys: Collection[str]) -> dict[str, Shown]:
    """Those of the tasks that exist for the actor: whose unit has a task sees it without its case."""
    rows = Task.objects.for_actor(actor).filter(uuid__in=keys)
    return {
        str(uuid): Shown(reference, title, reverse("cases:task", args=[uuid]))
        for uuid, reference, title in rows.values_list("uuid", "case__reference", "title")
    }


def transfers_shown(actor: Actor, keys: Collection[str]) -> dict[str, Shown]:
    """Those of the transfers that exist for the actor; of the case only its number."""
    rows = CaseTransfer.objects.for_actor(actor).filter(uuid__in=keys)
    return {
        str(uuid): Shown(reference, str(_("Transfer")), reverse("cases:transfer", args=[uuid]))
        for uuid, reference in rows.values_list("uuid", "case__reference")
    }


def consultations_shown(actor: Actor, keys: Collection[str]) -> dict[str, Shown]:
    """Those of the questions that exist for the actor; of the case only its number."""
    rows = Consultation.objects.for_actor(actor).filter(uuid__in=keys)
    return {
        str(uuid): Shown(reference, str(_("Question")), reverse("cases:consultation", args=[uuid]))
        for uuid, reference in rows.values_list("uuid", "case__reference")
    }


def bulks_shown(actor: Actor, keys: Collection[str]) -> dict[str, Shown]:
    """The actor's own bulk actions."""
    rows = BulkAction.objects.for_actor(actor).filter(uuid__in=keys, requested_by=actor.user_id)
    counts = _("Done: %(done)s. Refused: %(refused)s.")
    return {
        str(row.uuid): Shown(
            str(_("Bulk action")),
            str(counts) % {"done": row.done, "refused": row.refused},
            reverse("cases:bulk", args=[row.uuid]),
        )
        for row in rows
    }


def imports_shown(actor: Actor, keys: Collection[str]) -> dict[str, Shown]:
    """The actor's own imports."""
    rows = Import.objects.for_actor(actor).filter(uuid__in=keys, requested_by=actor.user_id)
    return {
        str(row.uuid): Shown(
            str(_("Import")),
            f"{row.file_name}: {row.get_status_display()}",
            reverse("cases:import", args=[row.uuid]),
        )
        for row in rows
    }


def views_shown(actor: Actor, keys: Collection[str]) -> dict[str, Shown]:
    """Those of the saved views that the actor may open."""
    rows = SavedView.objects.opened_by(actor).filter(uuid__in=keys)
    return {
        str(view.uuid): Shown(
            view.name, str(_("Saved view")), f"{reverse('cases:list')}?vista={view.uuid}"
        )
        for view in rows
    }

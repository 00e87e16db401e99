"""What happened in cases that are part of another now, told in its story; and in the case that a part
was split off from, what is in the new one."""

from collections.abc import Iterable

from django.db.models import Q

from cases.models import Case, CaseMerge, Event, EventKind
from cases.timeline import Asked, Entry, entry_of, kinds_of, subjects_of
from crm.kit.actor import Actor
from crm.kit.stories import beyond, place

SOURCE = "merged"
_ROWS = {"cases.message": "message", "cases.note": "note", "cases.document": "document"}
_OF_THE_MERGE = (EventKind.MERGED, EventKind.UNMERGED, EventKind.MERGED_IN)


def events(actor: Actor, case: Case, asked: Asked) -> Iterable[Entry]:
    """The events of the cases merged into this one, and those of what was split off into it."""
    merges = CaseMerge.objects.for_actor(actor).filter(undone_at=None)
    told = _of(list(merges.filter(Q(survivor=case, kind="merge") | Q(merged=case, kind="split"))))
    if told is None:
        return []
    # the rows are the case's own now; that they came by another is no reason not to tell of them
    rows = Event.objects.unscoped("of what belongs to a case that the actor sees").filter(told)
    if asked.groups:
        rows = rows.filter(kind__in=kinds_of(asked.groups))
    rows = beyond(rows, SOURCE, asked.after, newest_first=asked.newest_first)
    ways = ("-at", "-pk") if asked.newest_first else ("at", "pk")
    found = list(rows.order_by(*ways)[: asked.limit])
    subjects = subjects_of(actor, found, cases={case.pk})
    return [
        entry_of(case, event, subject, place(event.at, SOURCE, event.pk))
        for event, subject in zip(found, subjects, strict=True)
    ]


def _of(merges: list[CaseMerge]) -> Q | None:
    told, gone = None, [one.merged_id for one in merges if one.kind == "merge"]
    while gone:  # those merged into merged ones, too
        part = Q(case__in=gone) & ~Q(kind__in=_OF_THE_MERGE)
        told = part if told is None else told | part
        further = CaseMerge.objects.unscoped("of what belongs to a case that the actor sees")
        gone = list(
            further.filter(survivor__in=gone, kind="merge", undone_at=None).values_list(
                "merged", flat=True
            )
        )
    for split in (one for one in merges if one.kind == "split"):
        part = _of_split(split)
        told = part if told is None else told | part
    return told


def _of_split(split: CaseMerge) -> Q:
    from django.apps import apps

    keys: dict[str, list[int]] = {}
    for model, row in split.lines.filter(model__in=_ROWS).values_list("model", "row"):
        keys.setdefault(model, []).append(row)
    about = Q(pk__in=[])
    for model, rows in keys.items():
        uuids = apps.get_model(model).objects.unscoped("named in the split").filter(pk__in=rows)
        names = [str(uuid) for uuid in uuids.values_list("uuid", flat=True)]
        about |= Q(**{f"data__{_ROWS[model]}__in": names})
    return Q(case=split.survivor_id) & about

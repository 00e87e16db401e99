"""Two who edit one case at once: each field that only one of them changed is kept; of those that both did,
somebody decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from cases.models import Case, Event
from cases.services.writing import changed_meanwhile
from crm.citizens.models import Citizen
from crm.kit.threeway import Clash, merge

PLACE = ("latitude", "longitude")  # half of one place and half of another is none
DATA = "data."


@dataclass(frozen=True, slots=True)
class Both:
    """A field that two people changed: what each says, who the other is, and when they did."""

    mine: Any
    theirs: Any
    by: str
    at: str


def reconciled(row: Case, version: int, mine: Mapping[str, Any]) -> dict[str, Any]:
    """What of `mine`, begun from that version of the case, is to be set over what it says now.

    Conflict holds by field what both changed (`both`), and the names of those that only this person
    did (`kept`).
    """
    began = _as_it_was(row, version)
    if began is None:
        raise changed_meanwhile(row, version, both={}, kept=set(_flat(row, mine)))
    merged = merge(_flat_of(began), _flat_of(row), _flat(row, mine))
    if merged.clashes:
        both = _named(row, version, merged.clashes)
        fields = {
            name: {"mine": one.mine, "now": one.theirs, "by": one.by, "at": one.at}
            for name, one in both.items()
        }
        if "citizen" in fields:  # compared by keys of ours, told by theirs
            fields["citizen"] |= {"mine": _told(mine["citizen"]), "now": _told(row.citizen)}
        now = {"version": row.version, "fields": fields}
        kept = {name for one in merged.changes for name in (PLACE if one == "place" else (one,))}
        raise changed_meanwhile(row, version, now=now, both=both, kept=kept)
    return _unflat(row, merged.changes, mine)


def _as_it_was(row: Case, version: int) -> Any:
    """The case's row as its history kept it in that version."""
    history = apps.get_model("cases", "CaseEvent").objects
    return history.filter(pgh_obj=row.pk, version=version).order_by("-pgh_id").first()


def _flat(row: Case, values: Mapping[str, Any]) -> dict[str, Any]:
    """Field by field: the type's own each by itself, a place as one, the citizen by key."""
    flat = {name: value for name, value in values.items() if name not in ("data", *PLACE)}
    if "citizen" in flat:
        flat["citizen"] = flat["citizen"].pk if flat["citizen"] else None
    if any(name in values for name in PLACE):
        place = tuple(values.get(name, getattr(row, name)) for name in PLACE)
        flat["place"] = None if place == (None, None) else place
    if "data" in values:
        said = values["data"]
        flat |= {DATA + name: said.get(name) for name in {*said, *row.data}}
    return flat


def _flat_of(row: Any) -> dict[str, Any]:
    """The same of a row, or of one that its history kept."""
    own = ("subject", "description", "priority", "language", "address", "channel")
    place = (row.latitude, row.longitude)
    return {
        **{name: getattr(row, name) for name in own},
        **{DATA + name: value for name, value in row.data.items()},
        "citizen": row.citizen_id,
        "place": None if place == (None, None) else place,
    }


def _unflat(row: Case, changes: Mapping[str, Any], mine: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    data = dict(row.data)
    for name, value in changes.items():
        if name.startswith(DATA):
            data[name.removeprefix(DATA)] = value
        elif name == "place":
            found |= dict(zip(PLACE, value or (None, None), strict=True))
        else:
            found[name] = mine[name]
    kept = {name: value for name, value in data.items() if value not in (None, "", [])}
    return {**found, "data": kept} if kept != row.data else found


def _named(row: Case, version: int, clashes: Mapping[str, Clash]) -> dict[str, Both]:
    """Each with who changed it last since then."""
    events = list(row.events.filter(data__version__gt=version).order_by("-seq"))
    found: dict[str, Both] = {}
    for name, clash in clashes.items():
        event = next((one for one in events if _touched(one, name)), events[0] if events else None)
        by, at = (event.actor_name, event.at.isoformat()) if event else ("", "")
        if name == "place":
            pairs = zip(
                PLACE, clash.mine or (None, None), clash.theirs or (None, None), strict=True
            )
            found |= {part: Both(one, other, by, at) for part, one, other in pairs}
        else:
            found[name] = Both(clash.mine, clash.theirs, by, at)
    return found


def _touched(event: Event, name: str) -> bool:
    said = event.data
    if name.startswith(DATA):
        before, after = (said.get(side, {}).get("data") or {} for side in ("before", "after"))
        own = name.removeprefix(DATA)
        return bool(before.get(own) != after.get(own))
    fields = said.get("fields", ())
    return "latitude" in fields or "longitude" in fields if name == "place" else name in fields


def _told(citizen: Citizen | None) -> str | None:
    """For the API: who the citizen is, is not told by a key of ours."""
    return str(citizen.uuid) if citizen else None

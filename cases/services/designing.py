"""A draft as its designer changes it: one thing of one list at a time, so that two disturb each other
only where they change the same thing."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from cases.designing import NEW, Item, Lot, moved, seen_of
from cases.models import CaseTypeVersion
from cases.services.catalogue import CHANGED
from cases.services.studio import change_draft, start_draft
from crm.kit.actor import Actor
from crm.kit.errors import Changed, NotFound


@transaction.atomic
def write_thing(
    actor: Actor, code: str, lot: Lot, key: str, item: Mapping[str, Any], *, seen: str
) -> None:
    """The thing says this, in a draft that is begun where there is none; a new one stands last and gets
    its code by its name. Changed when it says something else by now than what was `seen`."""
    bundle = start_draft(actor, code).bundle
    items, said = lot.items(bundle), dict(item)
    if key == NEW:
        name = str(said.get("name") or said.get("title") or "")
        items.append({"code": lot.code_for(name, bundle), **said} if lot.coded else said)
    else:
        place, there = _find(lot, bundle, key)
        if seen and seen != seen_of(there):
            raise Changed(CHANGED)
        if there == said:
            return
        items[place] = said
    change_draft(actor, code, lot.part, lot.write(bundle, items))
    if lot.part == "states" and not bundle.get("initial"):
        change_draft(actor, code, "initial", items[0].get("code"))


@transaction.atomic
def move_thing(actor: Actor, code: str, lot: Lot, key: str, by: int) -> None:
    """The thing stands a place before (-1) or after (1) where it stood."""
    _rewrite(actor, code, lot, key, lambda items, place: moved(items, place, by))


@transaction.atomic
def remove_thing(actor: Actor, code: str, lot: Lot, key: str) -> None:
    """The thing is no longer in the draft. What speaks of it says so when the draft is checked."""
    _rewrite(actor, code, lot, key, lambda items, place: items[:place] + items[place + 1 :])


@transaction.atomic
def write_part(actor: Actor, code: str, part: str, value: Any, *, seen: str) -> CaseTypeVersion:
    """A part that is no list says this. Changed when it says something else by now than was `seen`."""
    draft = start_draft(actor, code)
    there = draft.bundle.get(part)
    if seen and seen != seen_of(there):
        raise Changed(CHANGED)
    if there == value:
        return draft
    return change_draft(actor, code, part, value)


@transaction.atomic
def write_parts(actor: Actor, code: str, values: Mapping[str, Any], *, seen: str) -> None:
    """Parts that stand on one page say this. Changed when any of them says something else by now."""
    bundle = start_draft(actor, code).bundle
    if seen and seen != seen_of([bundle.get(part) for part in values]):
        raise Changed(CHANGED)
    for part, value in values.items():
        if bundle.get(part) != value:
            change_draft(actor, code, part, value)


def _find(lot: Lot, bundle: Mapping[str, Any], key: str) -> tuple[int, Item]:
    found = lot.find(bundle, key)
    if found is None:
        raise NotFound
    return found


def _rewrite(
    actor: Actor,
    code: str,
    lot: Lot,
    key: str,
    change: Callable[[list[Any], int], list[Any]],
) -> None:
    bundle = start_draft(actor, code).bundle
    items, (place, _item) = lot.items(bundle), _find(lot, bundle, key)
    changed = change(items, place)
    if changed != items:
        change_draft(actor, code, lot.part, lot.write(bundle, changed))

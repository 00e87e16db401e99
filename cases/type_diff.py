"""What differs between two bundles of a case type, in words and with the place of each difference. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.fields import ORDER, SECTIONS
from cases.parts.named import objects
from cases.workflow import PARTS
from crm.kit.errors import Text

Kind = Literal["added", "removed", "changed"]
PART_NAMES: Mapping[str, Text] = {
    "states": gettext_lazy("State"),
    "initial": gettext_lazy("First state"),
    "moves": gettext_lazy("Move"),
    "fields": gettext_lazy("Field"),
    "sections": gettext_lazy("Section"),
    "term": gettext_lazy("Term"),
    "confidentiality": gettext_lazy("Confidentiality"),
    "roles": gettext_lazy("Role"),
    "messages": gettext_lazy("Message"),
    "results": gettext_lazy("Way of ending"),
    "retention": gettext_lazy("Retention"),
}
LONGEST_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where (`moves.resolve.name`), of what kind, and in words."""

    where: str
    kind: Kind
    words: str


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Everything that differs; nothing when the two say the same, in whatever order they were kept."""
    found: list[Change] = []
    for part in (*PARTS, *sorted({*before, *after} - set(PARTS))):
        old, new = before.get(part), after.get(part)
        if part == "fields":
            found += _fields(old or {}, new or {})
        elif _listed(old) or _listed(new):
            found += _items(part, _by_code(old), _by_code(new))
            found += _order(part, old, new)
        elif not _same(old, new):
            found.append(_scalar(part, old, new))
    return found


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    sides = [_flat(side) for side in (old, new)]
    yield from _items("fields", *sides)
    before, after = (side.get(ORDER) or list(side.get("properties", {})) for side in (old, new))
    common = set(before) & set(after)
    if [name for name in before if name in common] != [name for name in after if name in common]:
        yield Change(f"fields.{ORDER}", "changed", _("The fields are asked in another order."))
    sections = [side.get(SECTIONS) for side in (old, new)]
    yield from _items("sections", *(_by_code(side) for side in sections))
    yield from _order("sections", *sections)
    known = {"properties", "required", ORDER, SECTIONS, "type"}
    for key in sorted({*old, *new} - known):
        if not _same(old.get(key), new.get(key)):
            yield _scalar(f"fields.{key}", old.get(key), new.get(key))


def _flat(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Each field with whether it is required, as one thing."""
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    return {name: {**field, "required": name in required} for name, field in properties.items()}


def _items(
    part: str, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    what = str(PART_NAMES.get(part, part))
    for code in (*before, *(code for code in after if code not in before)):
        old, new = before.get(code), after.get(code)
        item = new or old or {}
        name = {"what": what, "name": item.get("name") or item.get("title") or code}
        if old is None:
            yield Change(f"{part}.{code}", "added", _("%(what)s “%(name)s”: added.") % name)
        elif new is None:
            yield Change(f"{part}.{code}", "removed", _("%(what)s “%(name)s”: removed.") % name)
        else:
            for key in sorted({*old, *new}):
                if not _same(old.get(key), new.get(key)):
                    text = _("%(what)s “%(name)s”: %(key)s was %(before)s and is %(after)s.")
                    told = {
                        "key": key,
                        "before": _shown(old.get(key)),
                        "after": _shown(new.get(key)),
                    }
                    yield Change(f"{part}.{code}.{key}", "changed", text % {**name, **told})


def _order(part: str, old: Any, new: Any) -> Iterator[Change]:
    before, after = list(_by_code(old)), list(_by_code(new))
    if [code for code in before if code in after] != [code for code in after if code in before]:
        text = _("%(what)s: they stand in another order.") % {"what": PART_NAMES.get(part, part)}
        yield Change(part, "changed", text)


def _scalar(part: str, old: Any, new: Any) -> Change:
    kind: Kind = "added" if old is None else "removed" if new is None else "changed"
    text = _("%(what)s was %(before)s and is %(after)s.")
    told = {"what": PART_NAMES.get(part, part), "before": _shown(old), "after": _shown(new)}
    return Change(part, kind, text % told)


def _listed(value: Any) -> bool:
    return isinstance(value, list) and any(
        isinstance(one, Mapping) and "code" in one for one in value
    )


def _by_code(items: Any) -> dict[str, Mapping[str, Any]]:
    return {str(item.get("code", place)): item for place, item in objects(items)}


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and type(one) is type(other)


def _shown(value: Any) -> str:
    if value is None:
        return "—"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"“{text}”" if len(text) <= LONGEST_SHOWN else f"“{text[: LONGEST_SHOWN - 1]}…”"

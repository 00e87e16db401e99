"""What differs between two bundles of a case type, in words and with the place of each difference. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _

from cases.fields import ORDER, SECTIONS
from cases.parts.named import objects
from cases.type_words import key_name, part_name, shown
from cases.workflow import PARTS

Kind = Literal["added", "removed", "changed"]
LONGEST_SHOWN = 120
_OF_THE_HEAD = ("name", "nature")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where (`moves.resolve.name`), of what kind, and in words.

    `part` is where it stands in the bundle, `about` the thing's name, `what` is said otherwise of it:
    `before` and `after`, both as people read them, whole.
    """

    where: str
    kind: Kind
    part: str
    about: str = ""
    what: str = ""
    before: str = ""
    after: str = ""

    @property
    def words(self) -> str:
        """In one sentence."""
        name = {"what": part_name(self.part), "name": self.about}
        told = {
            **name,
            "key": self.what,
            "before": _short(self.before),
            "after": _short(self.after),
        }
        if not self.what:
            if self.kind == "added":
                return _("%(what)s “%(name)s”: added.") % name
            if self.kind == "removed":
                return _("%(what)s “%(name)s”: removed.") % name
            return self.after
        if not self.about:
            return _("%(key)s was %(before)s and is %(after)s.") % told
        return _("%(what)s “%(name)s”: %(key)s was %(before)s and is %(after)s.") % told


@dataclass(frozen=True)
class _Sides:
    """The two bundles, of which each says what its own codes mean."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def change(
        self, where: str, part: str, about: str, key: str, what: str, old: Any, new: Any
    ) -> Change:
        kind: Kind = "added" if old is None else "removed" if new is None else "changed"
        if about:  # of a thing that stays something changed
            kind = "changed"
        told = shown(part, key, old, self.before), shown(part, key, new, self.after)
        return Change(where, kind, part, about, what, *told)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Everything that differs; nothing when the two say the same, in whatever order they were kept."""
    found: list[Change] = []
    sides = _Sides(before, after)
    for part in (*PARTS, *sorted({*before, *after} - set(PARTS))):
        old, new = before.get(part), after.get(part)
        if part == "fields":
            found += _fields(sides, old or {}, new or {})
        elif part == "service":
            found += _items(sides, part, _by_place(old), _by_place(new))
        elif _listed(old) or _listed(new):
            found += _items(sides, part, _by_code(old), _by_code(new))
            found += _order(part, old, new)
        elif part == "retention" and isinstance(old, Mapping) and isinstance(new, Mapping):
            found += _inside(sides, part, part, "", old, new)
        elif not _same(old, new) and (old or new):
            found.append(sides.change(part, part, "", part, part_name(part), old, new))
    return found


def head_differences(before: Any, after: Any) -> list[Change]:
    """What differs in what is said of the type itself, name and nature."""
    return [
        Change(key, "changed", key, "", key_name(key), old, new)
        for key in _OF_THE_HEAD
        if (old := getattr(before, key)) != (new := getattr(after, key))
    ]


def _fields(sides: _Sides, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    flat = [_flat(side) for side in (old, new)]
    yield from _items(sides, "fields", *flat)
    before, after = (side.get(ORDER) or list(side.get("properties", {})) for side in (old, new))
    common = set(before) & set(after)
    if [name for name in before if name in common] != [name for name in after if name in common]:
        text = _("The fields are asked in another order.")
        yield Change(f"fields.{ORDER}", "changed", "fields", after=text)
    sections = [side.get(SECTIONS) for side in (old, new)]
    yield from _items(sides, "sections", *(_by_code(side) for side in sections))
    yield from _order("sections", *sections)
    known = {"properties", "required", ORDER, SECTIONS, "type"}
    for key in sorted({*old, *new} - known):
        if not _same(old.get(key), new.get(key)):
            values = old.get(key), new.get(key)
            yield sides.change(f"fields.{key}", "fields", "", key, key_name(key), *values)


def _flat(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Each field with whether it is required, as one thing."""
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    return {
        name: {**field, "required": name in required}
        for name, field in properties.items()
        if isinstance(field, Mapping)
    }


def _items(
    sides: _Sides,
    part: str,
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
) -> Iterator[Change]:
    for code in (*before, *(code for code in after if code not in before)):
        old, new = before.get(code), after.get(code)
        name = _name_of(part, new or old or {}, code)
        if old is None:
            yield Change(f"{part}.{code}", "added", part, name)
        elif new is None:
            yield Change(f"{part}.{code}", "removed", part, name)
        else:
            yield from _inside(sides, f"{part}.{code}", part, name, old, new)


def _inside(
    sides: _Sides,
    where: str,
    part: str,
    about: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> Iterator[Change]:
    """What one thing says otherwise; texts by language, and the like, each by itself."""
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if _same(before, after) or (before in (None, "", [], {}) and after in (None, "", [], {})):
            continue
        inner = isinstance(before, Mapping) or isinstance(after, Mapping)
        if inner and key != "x-when":
            yield from _nested(sides, f"{where}.{key}", part, about, key, before, after)
        else:
            named = key_name(key)
            yield sides.change(f"{where}.{key}", part, about, key, named, before, after)


def _nested(
    sides: _Sides, where: str, part: str, about: str, key: str, old: Any, new: Any, way: str = ""
) -> Iterator[Change]:
    before, after = (side if isinstance(side, Mapping) else {} for side in (old, new))
    for inner in sorted({*before, *after}):
        was, now = before.get(inner), after.get(inner)
        if _same(was, now):
            continue
        at = f"{way}, {key_name(inner)}" if way else key_name(inner)
        if isinstance(was, Mapping) or isinstance(now, Mapping):
            yield from _nested(sides, f"{where}.{inner}", part, about, key, was, now, at)
        else:
            what = f"{key_name(key)} ({at})"
            yield sides.change(f"{where}.{inner}", part, about, inner, what, was, now)


def _order(part: str, old: Any, new: Any) -> Iterator[Change]:
    before, after = list(_by_code(old)), list(_by_code(new))
    if [code for code in before if code in after] != [code for code in after if code in before]:
        text = _("%(what)s: they stand in another order.") % {"what": part_name(part)}
        yield Change(part, "changed", part, after=text)


def _listed(value: Any) -> bool:
    return isinstance(value, list) and any(
        isinstance(one, Mapping) and "code" in one for one in value
    )


def _by_code(items: Any) -> dict[str, Mapping[str, Any]]:
    return {str(item.get("code", place)): item for place, item in objects(items)}


def _by_place(items: Any) -> dict[str, Mapping[str, Any]]:
    """Things without a code, by their place: the first is 1."""
    return {str(place + 1): item for place, item in objects(items)}


def _name_of(part: str, item: Mapping[str, Any], code: str) -> str:
    if part == "service":
        return f"{code}. {shown(part, 'measure', item.get('measure'), {})}"
    return str(item.get("name") or item.get("title") or code)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and type(one) is type(other)


def _short(text: str) -> str:
    if text == "—":
        return text
    return f"“{text}”" if len(text) <= LONGEST_SHOWN else f"“{text[: LONGEST_SHOWN - 1]}…”"

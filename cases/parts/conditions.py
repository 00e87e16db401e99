"""When a field is asked: `x-when`, one condition or a list that must all hold. Pure.

`{"field": "tenure", "equals": "rent"}`, `{"field": "tenure", "in": ["rent", "lodger"]}` or
`{"field": "partner", "filled": true}`. A field that is not asked is neither kept nor required, and for
the conditions of others it has no value.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases.parts.named import Problem

WHEN = "x-when"
EQUALS, IN, FILLED = "equals", "in", "filled"
_OPERATORS = (EQUALS, IN, FILLED)
MOST_CONDITIONS, MOST_VALUES = 10, 60


@dataclass(frozen=True, slots=True)
class Condition:
    """Another field's value is one of these, or there is one at all."""

    field: str
    values: tuple[Any, ...] | None  # None: whether it is filled counts
    filled: bool = True

    def holds(self, value: Any) -> bool:
        """Whether it is so for the value of its field."""
        if self.values is None:
            return is_filled(value) is self.filled
        given = value if isinstance(value, list) else [value]
        return any(_same(one, wanted) for one in given for wanted in self.values)

    def written(self) -> dict[str, Any]:
        """As the page's script reads it."""
        told = {FILLED: self.filled} if self.values is None else {IN: list(self.values)}
        return {"field": self.field, **told}


def read(raw: Any) -> tuple[Condition, ...]:
    """The conditions of a checked field."""
    return tuple(
        Condition(
            one["field"],
            (one[EQUALS],) if EQUALS in one else tuple(one[IN]) if IN in one else None,
            one.get(FILLED, True),
        )
        for one in _listed(raw)
    )


def is_filled(value: Any) -> bool:
    """Whether something was said; a box that is not ticked says nothing."""
    return value is not None and value is not False and value not in ("", [])


def shown(conditions: Mapping[str, Collection[Condition]], data: Mapping[str, Any]) -> set[str]:
    """Of fields with their conditions, those that are asked when the answers are these."""
    known: dict[str, bool] = {}

    def asked(name: str, around: frozenset[str]) -> bool:
        if name in around or name not in conditions:
            return False
        if name not in known:
            known[name] = all(
                one.holds(data.get(one.field) if asked(one.field, around | {name}) else None)
                for one in conditions[name]
            )
        return known[name]

    return {name for name in conditions if asked(name, frozenset())}


def check(where: str, raw: Any, name: str, properties: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the conditions of the field of that name."""
    listed = _listed(raw)
    if not listed or len(listed) > MOST_CONDITIONS:
        text = _("Write from 1 to %(count)s conditions.")
        yield Problem(where, text % {"count": MOST_CONDITIONS})
        return
    for number, one in enumerate(listed):
        at = f"{where}[{number}]" if isinstance(raw, list) else where
        if not isinstance(one, Mapping):
            yield Problem(at, _("It is not an object."))
        else:
            yield from _check_one(at, one, name, properties)


def _check_one(
    where: str, one: Mapping[str, Any], name: str, properties: Mapping[str, Any]
) -> Iterator[Problem]:
    other = one.get("field")
    known = isinstance(other, str) and other in properties
    if other == name:
        yield Problem(f"{where}.field", _("A field cannot depend on itself."))
    elif not known:
        yield Problem(f"{where}.field", _("There is no field “%(name)s”.") % {"name": other})
    operators = [key for key in one if key != "field"]
    if len(operators) != 1 or operators[0] not in _OPERATORS:
        yield Problem(where, _("Say one of “equals”, “in” or “filled”."))
    elif operators[0] == FILLED:
        if not isinstance(one[FILLED], bool):
            yield Problem(f"{where}.{FILLED}", _("Say true or false."))
    else:
        operator = operators[0]
        values = one[operator] if operator == IN else [one[operator]]
        schema = properties[other] if known and isinstance(other, str) else None
        yield from _check_values(f"{where}.{operator}", values, other, _offered(schema))


def _check_values(
    where: str, values: Any, name: Any, offered: list[Any] | None
) -> Iterator[Problem]:
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_VALUES:
        text = _("Write a list of from 1 to %(count)s values.")
        yield Problem(where, text % {"count": MOST_VALUES})
        return
    for each in values:
        if isinstance(each, list | Mapping) or each is None:
            yield Problem(where, _("A value is a text, a number, true or false."))
        elif offered is not None and not any(_same(each, choice) for choice in offered):
            text = _("“%(name)s” never has the value “%(value)s”.")
            yield Problem(where, text % {"name": name, "value": each})


def circles(conditions: Mapping[str, Collection[Condition]]) -> list[list[str]]:
    """Fields of which each is asked depending on the next, and the last on the first."""
    found: dict[frozenset[str], list[str]] = {}

    def follow(way: list[str]) -> None:
        for one in conditions.get(way[-1], ()):
            if one.field in way:
                circle = way[way.index(one.field) :]
                found.setdefault(frozenset(circle), circle)
            elif one.field in conditions and one.field not in done:
                follow([*way, one.field])
        done.add(way[-1])

    done: set[str] = set()
    for name in conditions:
        if name not in done:
            follow([name])
    return list(found.values())


def _listed(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [raw] if raw is not None else []


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON means it: true is not 1."""
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _offered(schema: Any) -> list[Any] | None:
    """The values that a field chooses from; None when it is free."""
    if not isinstance(schema, Mapping):
        return None
    if schema.get("type") == "boolean":
        return [True, False]
    items = schema.get("items") if schema.get("type") == "array" else schema
    choices = items.get("enum") if isinstance(items, Mapping) else None
    return choices if isinstance(choices, list) else None

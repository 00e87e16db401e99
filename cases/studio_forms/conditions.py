"""On which answers a question hangs, as boxes to tick. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from cases.designing import Bundle, Item, codes_and_names, properties_of
from cases.studio_forms.base import mapping
from cases.studio_forms.kinds import LABELS, answers_of

_ANY, _NONE = "filled", "empty"


def conditions_offered(bundle: Bundle, own: Any) -> Iterator[tuple[str, str]]:
    """What a question may hang on: the answers of the others, with what is read for each."""
    for name, label in codes_and_names("campos", bundle):
        field = properties_of(bundle)[name]
        if name == own:
            continue
        if field.get("type") == "boolean":
            answers: list[tuple[str, str]] = [("true", _("yes")), ("false", _("no"))]
        else:
            labels = mapping(field.get(LABELS))
            answers = [
                (json.dumps(one), str(labels.get(str(one), one))) for one in answers_of(field)
            ]
        if not answers:
            answers = [(_ANY, _("is answered")), (_NONE, _("is not answered"))]
        for value, words in answers:
            yield f"{name}:{value}", f"{label}: {words}"


def conditions_written(raw: Any) -> list[str]:
    """The conditions of a question as the values of the form's boxes."""
    found = []
    for one in raw if isinstance(raw, list) else [raw]:
        if not isinstance(one, Mapping) or not isinstance(one.get("field"), str):
            continue
        if "filled" in one:
            found.append(f"{one['field']}:{_ANY if one['filled'] else _NONE}")
        values = one["in"] if isinstance(one.get("in"), list) else [one.get("equals")]
        found += [f"{one['field']}:{json.dumps(value)}" for value in values if value is not None]
    return found


def conditions_read(boxes: Sequence[str]) -> list[Item]:
    """The boxes as conditions: one for each question."""
    found: dict[str, Item] = {}
    for box in boxes:
        name, _colon, text = box.partition(":")
        if text in (_ANY, _NONE):
            found[name] = {"field": name, "filled": text == _ANY}
        else:
            one = found.setdefault(name, {"field": name, "in": []})
            one.setdefault("in", []).append(json.loads(text))
    return [
        {"field": one["field"], "equals": one["in"][0]} if len(one.get("in", ())) == 1 else one
        for one in found.values()
    ]

"""The extra fields of a case type: which JSON Schemas are accepted, and checking data against one.

Accepted is what a form can show and what no hostile text can turn into a bomb: an object of plain
values, without references (remote or circular) and without regular expressions. Beside JSON Schema:
`x-order` the names in the order of the form; `x-sections` [{"code", "title"}] and `x-section` of a field;
`x-when` when a field is asked (cases.parts.conditions); `x-labels` {value: what people read};
`x-i18n` {language: {"title", "description", "labels"}} of a field, {"title", "description"} of a section.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import isfinite
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from cases.parts import conditions
from cases.parts.conditions import WHEN, Condition
from cases.parts.named import Problem as Problem  # where others look for it
from cases.parts.named import check_keys, check_repeated, check_texts, in_language, objects
from crm.kit.errors import Invalid, Text

ORDER = "x-order"  # names in the order of the form: PostgreSQL's jsonb does not keep it
SECTIONS, SECTION, LABELS, I18N = "x-sections", "x-section", "x-labels", "x-i18n"
MOST_FIELDS, MOST_SECTIONS = 60, 20
LONGEST_TITLE, LONGEST_HELP = 200, 1_000
MOST_DEPTH = 8
SCALARS = frozenset({"string", "integer", "number", "boolean"})
FORMATS = frozenset({"date", "date-time", "email", "uri"})
REFUSED_KEYWORDS = frozenset(
    {"$ref", "$dynamicRef", "$id", "$anchor", "$dynamicAnchor", "pattern", "patternProperties"}
)


def _said(item: Mapping[str, Any], key: str) -> str:
    """A text of a field or section in the reader's language, else as it was written first."""
    spoken = in_language(item.get(I18N, {})) or {}
    return str(spoken.get(key) or item.get(key) or "")


@dataclass(frozen=True, slots=True)
class Field:
    """One field as a form shows it."""

    name: str
    schema: Mapping[str, Any]
    required: bool

    @property
    def label(self) -> str:
        """What people call it."""
        return _said(self.schema, "title") or self.name

    @property
    def help(self) -> str:
        """What helps to fill it in."""
        return _said(self.schema, "description")

    @property
    def type(self) -> str:
        """string, integer, number, boolean or array."""
        return str(self.schema["type"])

    @property
    def choices(self) -> list[Any]:
        """The values to choose from; empty when it is free."""
        items = self.schema.get("items", {}) if self.type == "array" else self.schema
        return list(items.get("enum", ()))

    @property
    def when(self) -> tuple[Condition, ...]:
        """When it is asked: all of these hold."""
        return conditions.read(self.schema.get(WHEN))

    def said(self, value: Any) -> Any:
        """A value as people read it: of a choice its label, all else as it is."""
        if isinstance(value, list):
            return [self.said(one) for one in value]
        spoken = in_language(self.schema.get(I18N, {})) or {}
        labels = {**self.schema.get(LABELS, {}), **spoken.get("labels", {})}
        return labels.get(str(value), value) if labels and not isinstance(value, bool) else value


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that are asked together, under a heading unless they belong to none."""

    schema: Mapping[str, Any]
    fields: tuple[Field, ...]

    @property
    def title(self) -> str:
        """Its heading."""
        return _said(self.schema, "title")

    @property
    def help(self) -> str:
        """What stands below the heading."""
        return _said(self.schema, "description")


class Fields:
    """A checked schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema

    def __iter__(self) -> Iterator[Field]:
        required = self.schema.get("required", ())
        properties = self.schema.get("properties", {})
        for name in self.schema.get(ORDER, properties):
            yield Field(name, properties[name], name in required)

    def get(self, name: str) -> Field | None:
        """The field of that name."""
        return next((field for field in self if field.name == name), None)

    def said(self, name: str, value: Any) -> Any:
        """A value as people read it; as it is when the schema no longer knows its field."""
        field = self.get(name)
        return field.said(value) if field else value

    @property
    def sections(self) -> list[Section]:
        """The fields by section: first those of none, then section by section as they are written."""
        known = [section["code"] for section in self.schema.get(SECTIONS, ())]
        place = {code: number for number, code in enumerate(known, 1)}
        at = {field.name: place.get(field.schema.get(SECTION, ""), 0) for field in self}
        sorted_ = sorted(self, key=lambda field: at[field.name])
        return [
            Section(self.schema[SECTIONS][number - 1] if number else {}, tuple(fields))
            for number, fields in groupby(sorted_, key=lambda field: at[field.name])
        ]

    @cached_property
    def _conditions(self) -> Mapping[str, tuple[Condition, ...]]:
        return {field.name: field.when for field in self}

    @property
    def conditional(self) -> bool:
        """Whether what is asked depends on what is answered."""
        return any(self._conditions.values())

    def shown(self, data: Mapping[str, Any]) -> set[str]:
        """The names of the fields that are asked when the answers are these."""
        return conditions.shown(self._conditions, data)

    def kept(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The answers without those to fields that are not asked; what the type has no field for stays,
        to be found wrong."""
        if not self.conditional:
            return dict(data)
        shown = self.shown(data)
        return {
            name: value
            for name, value in data.items()
            if name in shown or name not in self._conditions
        }

    def label_of(self, name: str) -> str:
        """What people call a field; its name when the schema no longer knows it."""
        field = self.get(name)
        return field.label if field else name

    @cached_property
    def _validator(self) -> Draft202012Validator:
        closed = {"type": "object", "additionalProperties": False, **self.schema, "required": []}
        return Draft202012Validator(closed, format_checker=Draft202012Validator.FORMAT_CHECKER)

    def errors(self, data: Mapping[str, Any]) -> dict[str, list[Text]]:
        """Field → what is wrong with its value; fields that the type does not have are wrong, those that
        are not asked are never."""
        data = self.kept(data)
        found: dict[str, list[Text]] = {}
        shown = self.shown(data)
        for name in self.schema.get("required", ()):
            if name not in data and name in shown:
                found[name] = [_("This field is required.")]
        for error in self._validator.iter_errors(dict(data)):
            for name, message in _explained(error, data):
                found.setdefault(name, []).append(message)
        for name, value in data.items():
            if not can_be_kept(name) or not can_be_kept(value):
                found.setdefault(name, []).append(_("It contains characters that cannot be kept."))
        return found

    def require_valid(self, data: Mapping[str, Any], prefix: str = "data.") -> None:
        """Raise Invalid with the errors of each field unless the data fits."""
        errors = self.errors(data)
        if errors:
            raise Invalid(errors={f"{prefix}{name}": texts for name, texts in errors.items()})


def _explained(error: ValidationError, data: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    """Which field an error is about, in our words: the library speaks English to programmers."""
    limit: Any = error.validator_value
    if error.validator == "additionalProperties":
        for name in sorted(set(data) - set(error.schema.get("properties", ()))):
            yield name, _("This case type has no such field.")
        return
    texts = {
        "type": _("The value is of the wrong kind."),
        "enum": _("Choose one of the offered values."),
        "minLength": _("Write at least %(limit)s characters."),
        "maxLength": _("Write at most %(limit)s characters."),
        "minimum": _("It must be at least %(limit)s."),
        "maximum": _("It must be at most %(limit)s."),
        "format": _("The value is not written in the expected form."),
    }
    text = texts.get(str(error.validator), _("The value is not valid."))
    yield str(error.path[0]) if error.path else "", text % {"limit": limit}


def in_order(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with the order of its fields written down, so that storing it does not lose it."""
    return (
        {ORDER: list(schema["properties"]), **schema} if schema.get("properties") else dict(schema)
    )


def can_be_kept(value: Any) -> bool:
    """Whether the database's JSON can hold it: no NUL, no half characters, no NaN or infinity."""
    if isinstance(value, list):
        return all(map(can_be_kept, value))
    if isinstance(value, Mapping):
        return all(can_be_kept(name) and can_be_kept(inner) for name, inner in value.items())
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    return True


# --- Checking a schema --------------------------------------------------------------------------


def check_fields(schema: Any) -> list[Problem]:
    """Everything that is wrong with a schema of extra fields; an empty one is fine."""
    if not isinstance(schema, Mapping):
        return [Problem("fields", _("The schema is not an object."))]
    if not schema:
        return []
    shape = list(_check_shape(schema, "fields", MOST_DEPTH))
    if shape:
        return shape
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        where = ".".join(["fields", *map(str, error.absolute_path)])
        return [
            Problem(
                where,
                _("It is not valid JSON Schema: %(problem)s") % {"problem": error.message[:200]},
            )
        ]
    return list(_check_properties(schema))


def _check_shape(value: Any, where: str, depth: int) -> Iterator[Problem]:
    """No keyword that could reach out, run for ever or recurse, however deep."""
    if depth == 0:
        yield Problem(where, _("It is nested too deeply."))
    elif isinstance(value, Mapping):
        names_are_fields = where.endswith(".properties")
        for key, inner in value.items():
            if key in REFUSED_KEYWORDS and not names_are_fields:
                text = _("The keyword “%(name)s” is not accepted.") % {"name": key}
                yield Problem(f"{where}.{key}", text)
            else:
                yield from _check_shape(inner, f"{where}.{key}", depth - 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _check_shape(inner, f"{where}[{number}]", depth - 1)


def _check_properties(schema: Mapping[str, Any]) -> Iterator[Problem]:
    if schema.get("type", "object") != "object":
        yield Problem("fields.type", _("The fields form an object."))
    properties = schema.get("properties", {})
    if len(properties) > MOST_FIELDS:
        text = _("There may be at most %(count)s fields.") % {"count": MOST_FIELDS}
        yield Problem("fields.properties", text)
    for name, field in properties.items():
        yield from _check_field(f"fields.properties.{name}", field)
        if isinstance(field, Mapping):
            yield from _check_words(f"fields.properties.{name}", name, field, schema)
    yield from _check_sections(schema.get(SECTIONS, []))
    yield from _check_conditions(properties)
    for name in set(schema.get("required", ())) - set(properties):
        text = _("“%(name)s” is required but is no field.") % {"name": name}
        yield Problem("fields.required", text)
    order = schema.get(ORDER, list(properties))
    if not isinstance(order, list) or sorted(map(repr, order)) != sorted(map(repr, properties)):
        yield Problem(f"fields.{ORDER}", _("The order must name every field once."))


def _check_field(where: str, field: Any) -> Iterator[Problem]:
    if not isinstance(field, Mapping) or not _can_be_shown(field):
        text = _("A field is a string, integer, number or boolean, or a list of fixed values.")
        yield Problem(f"{where}.type", text)
    elif field.get("format", "date") not in FORMATS:
        text = _("Unknown format. There are: %(names)s.")
        yield Problem(f"{where}.format", text % {"names": ", ".join(sorted(FORMATS))})


def _can_be_shown(field: Mapping[str, Any]) -> bool:
    if field.get("type") == "array":
        items = field.get("items")
        return isinstance(items, Mapping) and bool(items.get("enum"))
    return isinstance(field.get("type"), str) and field["type"] in SCALARS


def _check_words(
    where: str, name: str, field: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[Problem]:
    """What a field says beside JSON Schema: its section, when it is asked, its other languages."""
    sections = [section.get("code") for _place, section in objects(schema.get(SECTIONS))]
    if SECTION in field and field[SECTION] not in sections:
        text = _("There is no section “%(name)s”.") % {"name": field[SECTION]}
        yield Problem(f"{where}.{SECTION}", text)
    if WHEN in field:
        at = f"{where}.{WHEN}"
        yield from conditions.check(at, field[WHEN], name, schema.get("properties", {}))
    if not _are_texts(field.get(LABELS, {})):
        yield Problem(f"{where}.{LABELS}", _("Write a text for each value."))
    yield from _check_i18n(where, field.get(I18N, {}), {"title", "description", "labels"})


def _check_i18n(where: str, spoken: Any, known: set[str]) -> Iterator[Problem]:
    if not isinstance(spoken, Mapping):
        yield Problem(f"{where}.{I18N}", _("It is not an object."))
        return
    for language, texts in spoken.items():
        at = f"{where}.{I18N}.{language}"
        yield from check_texts(f"{where}.{I18N}", {language: "…"}, 1)  # whether there is such
        if not isinstance(texts, Mapping):
            yield Problem(at, _("It is not an object."))
            continue
        yield from check_keys(at, texts, known)
        for key, longest in (("title", LONGEST_TITLE), ("description", LONGEST_HELP)):
            text = texts.get(key, "")
            if not isinstance(text, str) or len(text) > longest:
                told = _("Write at most %(limit)s characters.") % {"limit": longest}
                yield Problem(f"{at}.{key}", told)
        if not _are_texts(texts.get("labels", {})):
            yield Problem(f"{at}.labels", _("Write a text for each value."))


def _are_texts(texts: Any) -> bool:
    return isinstance(texts, Mapping) and all(
        isinstance(text, str) and len(text) <= LONGEST_TITLE for text in texts.values()
    )


def _check_sections(sections: Any) -> Iterator[Problem]:
    where = f"fields.{SECTIONS}"
    if not isinstance(sections, list) or len(sections) > MOST_SECTIONS:
        yield Problem(where, _("Write a list of at most %(count)s.") % {"count": MOST_SECTIONS})
        return
    for number, section in enumerate(sections):
        at = f"{where}[{number}]"
        if not isinstance(section, Mapping):
            yield Problem(at, _("It is not an object."))
            continue
        yield from check_keys(at, section, {"code", "title", "description", I18N})
        for key, longest in (("code", 40), ("title", LONGEST_TITLE)):
            text = section.get(key)
            if not isinstance(text, str) or not 1 <= len(text.strip()) <= longest:
                told = _("Write from 1 to %(limit)s characters.") % {"limit": longest}
                yield Problem(f"{at}.{key}", told)
        if not isinstance(section.get("description", ""), str):
            yield Problem(f"{at}.description", _("It is not a text."))
        yield from _check_i18n(at, section.get(I18N, {}), {"title", "description"})
    yield from check_repeated(where, sections)


def _check_conditions(properties: Mapping[str, Any]) -> Iterator[Problem]:
    """No field that is asked depending on itself, by whatever way."""
    known: dict[str, tuple[Condition, ...]] = {}
    for name, field in properties.items():
        raw = field.get(WHEN) if isinstance(field, Mapping) else None
        listed = raw if isinstance(raw, list) else [raw]
        named = [one["field"] for one in listed if isinstance(one, Mapping) and "field" in one]
        known[name] = tuple(Condition(one, None) for one in named if isinstance(one, str))
    for circle in conditions.circles(known):
        if len(circle) > 1:
            text = _("The conditions go round in a circle: %(names)s.")
            told = " → ".join([*circle, circle[0]])
            yield Problem(f"fields.properties.{circle[0]}.{WHEN}", text % {"names": told})

"""The extra fields of a case type: which JSON Schemas are accepted, and checking data against one.

Accepted is what a form can show and what no hostile text can turn into a bomb: an object of plain
values, without references (remote or circular) and without regular expressions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from crm.kit.errors import Invalid, Text

ORDER = "x-order"  # names in the order of the form: PostgreSQL's jsonb does not keep it
MOST_FIELDS = 60
MOST_DEPTH = 8
SCALARS = frozenset({"string", "integer", "number", "boolean"})
FORMATS = frozenset({"date", "date-time", "email", "uri"})
REFUSED_KEYWORDS = frozenset(
    {"$ref", "$dynamicRef", "$id", "$anchor", "$dynamicAnchor", "pattern", "patternProperties"}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a definition, and where (`moves[2].to`)."""

    where: str
    message: Text
    blocks: bool = True  # else it may be published knowingly


@dataclass(frozen=True, slots=True)
class Field:
    """One field as a form shows it."""

    name: str
    schema: Mapping[str, Any]
    required: bool

    @property
    def label(self) -> str:
        """What people call it."""
        return str(self.schema.get("title") or self.name)

    @property
    def type(self) -> str:
        """string, integer, number, boolean or array."""
        return str(self.schema["type"])

    @property
    def choices(self) -> list[Any]:
        """The values to choose from; empty when it is free."""
        items = self.schema.get("items", {}) if self.type == "array" else self.schema
        return list(items.get("enum", ()))


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

    def label_of(self, name: str) -> str:
        """What people call a field; its name when the schema no longer knows it."""
        field = self.get(name)
        return field.label if field else name

    @cached_property
    def _validator(self) -> Draft202012Validator:
        closed = {"type": "object", "additionalProperties": False, **self.schema}
        return Draft202012Validator(closed, format_checker=Draft202012Validator.FORMAT_CHECKER)

    def errors(self, data: Mapping[str, Any]) -> dict[str, list[Text]]:
        """Field → what is wrong with its value; fields that the type does not have are wrong."""
        found: dict[str, list[Text]] = {}
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
    if error.validator == "required" and not error.path:
        for name in limit:
            if name not in data:
                yield name, _("This field is required.")
        return
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

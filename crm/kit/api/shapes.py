"""Declared shapes of what comes in and goes out: JSON types are taken as they are, never guessed."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from operator import attrgetter
from typing import Any

from django.db.models import IntegerChoices
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from crm.kit.forms import YEARS

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Text(serializers.CharField):
    """A string; numbers and booleans are not turned into one."""

    def to_internal_value(self, data: Any) -> str:
        """The string without white space around it."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number; a string is not one."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        whole = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
        if isinstance(data, bool) or not whole:
            self.fail("invalid")
        return super().to_internal_value(int(data))


class Number(serializers.FloatField):
    """A number; a string is not one."""

    def to_internal_value(self, data: Any) -> float:
        """The number."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """True or false and nothing else."""

    def to_internal_value(self, data: Any) -> bool:
        """The boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class FlagParameter(serializers.BooleanField):
    """`true` or `false` in a query string."""

    def to_internal_value(self, data: Any) -> bool:
        """The boolean."""
        if data not in ("true", "false"):
            self.fail("invalid", input=data)
        return bool(data == "true")


class Id(serializers.UUIDField):
    """A UUID in its canonical form."""

    def to_internal_value(self, data: Any) -> Any:
        """The UUID."""
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A point in time with its offset (RFC 3339); given back in UTC."""

    default_error_messages = {
        "offset": _("State the offset from UTC, such as 2026-03-01T09:30:00Z."),
        "range": _("The year must lie between 1800 and 2199."),
    }

    def to_internal_value(self, value: Any) -> datetime:
        """The moment, aware of its zone."""
        if not isinstance(value, str):
            self.fail("invalid", format="RFC 3339")
        try:
            naive = datetime.fromisoformat(value).tzinfo is None
        except ValueError:
            self.fail("invalid", format="RFC 3339")
        if naive:
            self.fail("offset")
        moment = super().to_internal_value(value)
        assert isinstance(moment, datetime)
        if moment.year not in YEARS:
            self.fail("range")
        return moment

    def to_representation(self, value: Any) -> str:
        """As `2026-03-01T08:30:00.123456Z`."""
        return str(value.astimezone(UTC).isoformat()).replace("+00:00", "Z")


class Day(serializers.DateField):
    """A calendar day as `2026-03-01`."""

    def to_internal_value(self, value: Any) -> Any:
        """The day."""
        if not isinstance(value, str):
            self.fail("invalid", format="2026-03-01")
        day = super().to_internal_value(value)
        if day.year not in YEARS:
            self.fail("invalid", format="2026-03-01")
        return day


class Choice(serializers.ChoiceField):
    """One of some words."""

    def to_internal_value(self, data: Any) -> Any:
        """The word."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Named(Choice):
    """A member of an enumeration of numbers, by its name in lower case."""

    def __init__(self, enum: type[IntegerChoices], **kwargs: Any) -> None:
        self.enum = enum
        names = [(member.name.lower(), str(member.name)) for member in enum]
        super().__init__(choices=names, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """The member."""
        return self.enum[super().to_internal_value(data).upper()]

    def to_representation(self, value: Any) -> str:
        """The name."""
        return self.enum(value).name.lower()


class Bag(serializers.DictField):
    """An object whose properties somebody else defines (a case type, an event)."""

    child = serializers.JSONField(allow_null=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object."""
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        return dict(data)

    def to_representation(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """As it is kept."""
        return dict(value)


class Listing(serializers.ListField):
    """A list of limited length, each item checked."""

    def __init__(self, child: Any, *, max_length: int = 100, **kwargs: Any) -> None:
        super().__init__(child=child, max_length=max_length, **kwargs)


class Input(serializers.Serializer[Any]):
    """What a request may say; a field that it does not know is refused, not ignored."""

    default_error_messages = {"unknown": _("There is no such field.")}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The checked values; all errors at once."""
        unknown: dict[str, Any] = {}
        if isinstance(data, Mapping):
            known = self.fields
            text = self.error_messages["unknown"]
            unknown = {str(name): [text] for name in data if name not in known}
        try:
            values: dict[str, Any] = super().to_internal_value(data)
        except ValidationError as error:
            found = error.detail if isinstance(error.detail, dict) else {}
            raise ValidationError({**found, **unknown}) from None
        if unknown:
            raise ValidationError(unknown)
        return values


class Filters(Input):
    """What a query string may say; an unknown parameter is refused, not ignored."""

    default_error_messages = {"unknown": _("There is no such parameter.")}


class Output(serializers.Serializer[Any]):
    """What an answer says: values of ours, so that none is checked again on its way out."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The declared fields by name; null where something on the way to a value is None."""
        shown = {}
        for name, read, convert in self._plan:
            try:
                value = read(instance)
            except AttributeError:
                value = None  # a.b of an a that is None; anything else fails below, loudly
                if not self.fields[name].allow_null:
                    raise
            shown[name] = None if value is None else convert(value)
        return shown

    @cached_property
    def _plan(self) -> list[tuple[str, Callable[[Any], Any], Callable[[Any], Any]]]:
        """How each field is read and written, found out once: a list has thousands of values."""
        return [
            (name, _reader(str(field.source)), field.to_representation)
            for name, field in self.fields.items()
        ]


def _reader(source: str) -> Callable[[Any], Any]:
    """From an object by its attributes, from a row of `values()` by the name it has there."""
    by_attribute, key = attrgetter(source), source.replace(".", "__")

    def read(instance: Any) -> Any:
        return instance[key] if isinstance(instance, dict) else by_attribute(instance)

    return read


@cache
def shape(kind: type[serializers.Serializer[Any]], *, partial: bool = False) -> Any:
    """The one serializer of a shape: it keeps no state between requests, so all share it."""
    return kind(partial=partial)


def check(kind: type[Input], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """The values that data of this shape holds; raises ValidationError."""
    values = shape(kind, partial=partial).run_validation(data)
    assert isinstance(values, dict)
    return values

"""The kinds of questions, as schemas say them. Pure."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from cases.studio_forms.base import mapping
from crm.kit.errors import Text

TEXT, LONG, CHOICE, CHOICES = "text", "long", "choice", "choices"
KINDS: Mapping[str, Text] = {
    TEXT: gettext_lazy("A short text"),
    LONG: gettext_lazy("A long text"),
    CHOICE: gettext_lazy("One of several answers"),
    CHOICES: gettext_lazy("Several of several answers"),
    "boolean": gettext_lazy("Yes or no"),
    "date": gettext_lazy("A day"),
    "integer": gettext_lazy("A whole number"),
    "number": gettext_lazy("A number with decimals, such as an amount"),
    "email": gettext_lazy("An email address"),
    "uri": gettext_lazy("A web address"),
}
SHORT_TEXT, LONGEST_TITLE, LONGEST_HELP = 200, 200, 1_000
NUMBERS, WORDS = ("integer", "number"), (TEXT, LONG)
LABELS, I18N, SECTION, WHEN = "x-labels", "x-i18n", "x-section", "x-when"
OF_KIND = (
    "type",
    "format",
    "enum",
    "items",
    LABELS,
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
)


def kind_of(field: Mapping[str, Any]) -> str:
    """The kind of question that a schema makes."""
    if field.get("type") == "array":
        return CHOICES
    if field.get("enum"):
        return CHOICE
    if field.get("type") == "string":
        if field.get("format") in KINDS:
            return str(field["format"])
        longest = field.get("maxLength")
        return TEXT if isinstance(longest, int) and longest <= SHORT_TEXT else LONG
    return str(field["type"]) if field.get("type") in KINDS else TEXT


def answers_of(field: Mapping[str, Any]) -> list[Any]:
    """The answers to choose from; none when it is free."""
    items = field.get("items") if field.get("type") == "array" else field
    found = mapping(items).get("enum")
    return list(found) if isinstance(found, list) else []

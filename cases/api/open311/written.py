"""Answers in the two forms of GeoReport v2: the same values, named once."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as Tree

from django.http import HttpResponse
from django.utils import timezone

Item = Mapping[str, Any]
TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}


def several(
    form: str, root: str, name: str, items: Sequence[Item], status: int = 200
) -> HttpResponse:
    """A list: of JSON an array, of XML `root` with a `name` for each."""
    if form == "json":
        return _answer(form, json.dumps(items, ensure_ascii=False, default=_plain), status)
    top = Tree.Element(root)
    for item in items:
        _element(top, name, item)
    return _answer(form, _xml(top), status)


def one(form: str, root: str, item: Item, status: int = 200) -> HttpResponse:
    """One thing: of JSON an object, of XML `root`."""
    if form == "json":
        return _answer(form, json.dumps(item, ensure_ascii=False, default=_plain), status)
    top = Tree.Element(root)
    for key, value in item.items():
        _element(top, key, value)
    return _answer(form, _xml(top), status)


def errors(form: str, status: int, descriptions: Sequence[str]) -> HttpResponse:
    """What went wrong, as the standard says it."""
    items = [{"code": status, "description": text} for text in descriptions]
    return several(form, "errors", "error", items, status)


# What stands inside each list of a service's definition.
_INNER = {"attributes": "attribute", "values": "value", "endpoints": "endpoint"}


def _element(parent: Tree.Element, name: str, value: Any) -> None:
    made = Tree.SubElement(parent, name)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _element(made, key, inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _element(made, _INNER.get(name, name.removesuffix("s")), inner)
    elif value is not None:
        made.text = _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(_plain(value)) if isinstance(value, datetime) else str(value)
    return "".join(c for c in text if c in "\n\t" or (c >= " " and c not in "\ufffe\uffff"))


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    return str(value)


def _xml(top: Tree.Element) -> str:
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Tree.tostring(top, encoding="unicode")


def _answer(form: str, text: str, status: int) -> HttpResponse:
    answer = HttpResponse(text, status=status, content_type=TYPES[form])
    answer["X-Content-Type-Options"] = "nosniff"
    return answer

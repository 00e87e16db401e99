"""Bodies of requests: bounded in size and depth, strict JSON, without what a database cannot keep."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _

from crm.kit.errors import DomainError, Invalid, Text

MAX_JSON_BYTES = 1024 * 1024
MAX_DEPTH = 32
FORM_OVERHEAD = 64 * 1024  # what multipart adds around its file

JSON = "application/json"
FORM = "multipart/form-data"


class Malformed(DomainError):  # noqa: N818 - named for what it says
    """The request cannot be read."""

    status = 400
    title = _("The request cannot be read")


class TooLarge(DomainError):  # noqa: N818 - named for what it says
    """The body is larger than what is taken in."""

    status = 413
    title = _("The request is too large")


class WrongMediaType(DomainError):  # noqa: N818 - named for what it says
    """The body is of another kind than this operation reads."""

    status = 415
    title = _("This kind of content is not read here")


def read_body(request: HttpRequest, media_type: str) -> Any:
    """The body as Python values; nothing at all is an empty object."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    most = MAX_JSON_BYTES if media_type == JSON else settings.FILES_MAX_BYTES + FORM_OVERHEAD
    if length > most:
        text = _("The body may hold %(bytes)s bytes at most.")
        raise TooLarge("too_large", text % {"bytes": most})
    if length == 0 and "Transfer-Encoding" in request.headers:  # what nobody measured, nobody reads
        _fail("length_required", _("State the length of the body: Content-Length."))
    if length == 0:
        return {}
    if request.content_type != media_type:
        text = _("Send the body as %(media_type)s.")
        raise WrongMediaType("unsupported_media_type", text % {"media_type": media_type})
    return _form(request) if media_type == FORM else parse_json(request.body)


def parse_json(body: bytes) -> Any:
    """The JSON value, or Malformed saying what is wrong with it."""
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_once
        )
    except UnicodeDecodeError:
        _fail("encoding", _("The body is not UTF-8."))
    except RecursionError:
        _fail("too_deep", _("The body is nested too deeply."))
    except ValueError as error:
        _fail("json", _("The body is not JSON: %(reason)s.") % {"reason": str(error)[:200]})
    # only an escape can bring in what is checked here, and only brackets can nest: most bodies skip it
    if "\\u" in text or text.count("{") + text.count("[") > MAX_DEPTH:
        _check(value)
    return value


def plain(query: QueryDict, lists: Iterable[str]) -> dict[str, Any]:
    """A query string as a dictionary; only parameters that take lists may be repeated."""
    repeatable = set(lists)
    values: dict[str, Any] = {}
    for name, given in query.lists():
        if name in repeatable:
            values[name] = given
        elif len(given) == 1:
            values[name] = given[0]
        else:
            raise Malformed(
                "repeated", _("A parameter is given twice: %(name)s.") % {"name": name[:60]}
            )
    return values


def fingerprint(request: HttpRequest) -> str:
    """A digest of what a write asks for, the same when it is sent again."""
    digest = hashlib.sha256(request.META.get("QUERY_STRING", "").encode())
    if request.content_type != FORM:
        digest.update(request.body)
        return digest.hexdigest()
    for name, given in sorted(request.POST.lists()):
        digest.update(json.dumps([name, given]).encode())
    for name, file in sorted(request.FILES.items()):
        assert isinstance(file, UploadedFile)
        digest.update(json.dumps([name, file.name]).encode())
        for chunk in file.chunks():
            digest.update(chunk)
        file.seek(0)
    return digest.hexdigest()


def _form(request: HttpRequest) -> Mapping[str, Any]:
    try:
        return {**plain(request.POST, ()), **{name: request.FILES[name] for name in request.FILES}}
    except MultiPartParserError:
        _fail("form", _("The form cannot be read."))


def _check(value: Any) -> None:
    """Refuse what PostgreSQL cannot keep (NUL), what UTF-8 cannot write (surrogates), and depth."""
    level = [value]
    for _depth in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = below
    _fail("too_deep", _("The body is nested too deeply."))


def _check_text(text: str) -> None:
    if "\0" in text:
        raise Invalid(_("A text holds the character NUL, which cannot be kept."), code="nul")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid(_("A text holds half a surrogate pair."), code="surrogate")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name is given twice in one object")
    return values


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value")


def _fail(code: str, message: Text) -> NoReturn:
    raise Malformed(code, message)

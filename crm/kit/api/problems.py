"""Everything that goes wrong, as RFC 9457 problems: what happened, why, and where in the request."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions

from crm.kit.actor import Actor
from crm.kit.api.parsing import Malformed
from crm.kit.errors import (
    DomainError,
    Invalid,
    NotFound,
    Refused,
    Text,
    from_database,
    tell_refusal,
)
from crm.kit.query import Problem
from crm.kit.web import request_id

MEDIA_TYPE = "application/problem+json"
TYPES = "/api/v1/problems/"
RETRY_AFTER = 5  # seconds until something that is not available is worth another try

log = logging.getLogger(__name__)


class Unauthenticated(DomainError):  # noqa: N818 - named for what it says
    """Nobody said who they are, or not convincingly."""

    status = 401
    title = gettext_lazy("Sign in, or send a valid API key")


class PreconditionFailed(DomainError):  # noqa: N818 - named for what it says
    """If-Match names another version than the present one."""

    status = 412
    title = gettext_lazy("It has changed in the meantime")


class NotAllowed(DomainError):  # noqa: N818 - named for what it says
    """The address exists, but not this method."""

    status = 405
    title = gettext_lazy("This method does not exist here")


class BadParameters(Invalid):
    """The query string is wrong: `errors` maps a parameter to its messages."""

    status = 400

    def __init__(
        self, message: Text | None = None, *, errors: Mapping[str, Sequence[Text]]
    ) -> None:
        super().__init__(message, code="parameters", errors=errors)


class BadExpression(BadParameters):
    """An expression in the query string is wrong: each problem says from which sign to which."""

    def __init__(self, parameter: str, problems: Sequence[Problem]) -> None:
        super().__init__(
            gettext_lazy("The expression cannot be understood."),
            errors={parameter: [problem.message for problem in problems]},
        )
        self.code = "query"
        self.parameter, self.problems = parameter, problems


class Unexpected(DomainError):  # noqa: N818 - named for what it says
    """A fault of ours."""

    status = 500
    title = gettext_lazy("Something went wrong on our side")


def problem_from_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """The problem for whatever was raised; refusals are written down, faults of ours logged."""
    request: HttpRequest = context["request"]
    problem = _understand(error)
    if problem is None:
        log.error("Unexpected error in the API", exc_info=error)
        got_request_exception.send(sender=type(context.get("view")), request=request)
        problem = Unexpected("unexpected", _("The fault was logged. Tell us the instance."))
    refused = problem if isinstance(problem, Refused) else problem.__cause__
    if isinstance(refused, Refused):  # also where it is told as one step of several acts
        actor = context.get("actor")
        tell_refusal(actor if isinstance(actor, Actor) else None, refused)
    return problem_response(request, problem)


def problem_response(request: HttpRequest, problem: DomainError) -> HttpResponse:
    """The answer that a problem makes."""
    body: dict[str, Any] = {
        "type": TYPES + problem.code,
        "title": str(problem.title),
        "status": problem.status,
        "detail": str(problem.message),
        "instance": f"urn:request:{quote(request_id(request))}",
    }
    if isinstance(problem, Invalid):
        body["errors"] = list(_errors(problem))
    for extension in ("candidates", "next", "now"):
        if extension in problem.details:
            body[extension] = problem.details[extension]
    response = HttpResponse(
        json.dumps(body, ensure_ascii=False), status=problem.status, content_type=MEDIA_TYPE
    )
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="api"'
    wait = getattr(problem, "retry_after", None)
    if wait is None and problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        wait = RETRY_AFTER
    if wait is not None:
        response["Retry-After"] = str(wait)
    return response


def problem_of_shape(detail: Any, kind: type[Invalid] = Invalid) -> Invalid:
    """What a shape found wrong, all of it, each with its place."""
    errors: dict[str, list[Any]] = {}
    for path, message in _flatten(detail, ()):
        errors.setdefault(".".join(path), []).append(message)
    return kind(_("The request does not have the form it should have."), errors=errors)


def _understand(error: Exception) -> DomainError | None:
    if isinstance(error, DomainError):
        return error
    for kinds, understand in _MEANINGS:
        if isinstance(error, kinds):
            return understand(error)
    return None


def _errors(problem: Invalid) -> Iterator[dict[str, Any]]:
    if isinstance(problem, BadExpression):
        for one in problem.problems:
            place = {"start": one.start, "end": one.end, "proposals": list(one.proposals)}
            yield {"parameter": problem.parameter, "detail": str(one.message), **place}
        return
    for field, messages in problem.errors.items():
        for message in messages:
            if isinstance(problem, BadParameters):
                yield {"parameter": field, "detail": str(message)}
            else:
                pointer = "".join(f"/{_escape(step)}" for step in field.split(".") if step)
                yield {"pointer": pointer, "detail": str(message)}


def _flatten(detail: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = () if name == "non_field_errors" else (str(name),)
            yield from _flatten(inner, path + step)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            step = () if isinstance(inner, str) else (str(index),)
            yield from _flatten(inner, path + step)
    else:
        yield path, detail


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


_MEANINGS: tuple[tuple[Any, Callable[[Any], DomainError | None]], ...] = (
    ((ObjectDoesNotExist, Http404), lambda error: NotFound()),
    (exceptions.ValidationError, lambda error: problem_of_shape(error.detail)),
    (
        (exceptions.AuthenticationFailed, exceptions.NotAuthenticated),
        lambda error: Unauthenticated("unauthenticated", str(error.detail)),
    ),
    (exceptions.PermissionDenied, lambda error: Refused("", str(error.detail))),
    (PermissionDenied, lambda error: Refused("", _("You may not do this."))),
    (
        (SuspiciousOperation, BadRequest),
        lambda error: Malformed("malformed", _("The request cannot be read.")),
    ),
    (DatabaseError, from_database),
)

"""The base of every address of the API: who asks, what is read, what is answered, all as declared."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from crm.kit.actor import Actor
from crm.kit.api import idempotency, limits
from crm.kit.api.parsing import JSON, fingerprint, plain, read_body
from crm.kit.api.problems import (
    BadParameters,
    NotAllowed,
    PreconditionFailed,
    Unauthenticated,
    problem_from_exception,
    problem_of_shape,
)
from crm.kit.api.shapes import Filters, Input, Output, Text, check, shape
from crm.kit.errors import Invalid, NotFound, Unavailable
from crm.kit.keyset import Order, Rows, cursor_at, following
from crm.kit.policy import require
from crm.kit.prepared import by_key
from crm.kit.registry import Registry
from crm.kit.web import client_ip

WRITES = frozenset({"post", "put", "patch", "delete"})
PAGE_SIZE = 50
LARGEST_PAGE = 200

narrowers: Registry[Callable[[Actor, str], Actor]] = Registry("narrowing header")
"""By header: the actor to whom only a part may be shown, from what the header says."""

H = TypeVar("H", bound=Callable[..., HttpResponseBase])
R = TypeVar("R")


class Paging(Filters):
    """Parameters of every list."""

    cursor = Text(required=False, max_length=1000, help_text="Where to go on: taken from `next`.")
    limit = serializers.IntegerField(
        required=False,
        default=PAGE_SIZE,
        min_value=1,
        max_value=LARGEST_PAGE,
        help_text="How many results at most.",
    )


@dataclass(frozen=True)
class Operation:
    """What one method of an address reads and answers; the schema says exactly this."""

    summary: str
    needs: str | None
    answers: type[Output] | None
    reads: type[Input]
    query: type[Filters]
    status: int
    paged: bool
    media_type: str
    problems: tuple[int, ...]


def operation(
    summary: str,
    *,
    needs: str | None,
    answers: type[Output] | None = None,
    reads: type[Input] = Input,
    filters: type[Filters] = Filters,
    status: int = 200,
    paged: bool = False,
    media_type: str = JSON,
    problems: tuple[int, ...] = (),
) -> Callable[[H], H]:
    """Declare a method of an address: its shapes, and the permission to hold somewhere to come in.

    Whether it may be done to one object is still the verb's to decide. `answers` None is a file.
    """
    query = type(f"Paged{filters.__name__}", (Paging, filters), {}) if paged else filters

    def declare(method: H) -> H:
        method.operation = Operation(  # type: ignore[attr-defined]
            summary, needs, answers, reads, query, status, paged, media_type, problems
        )
        return method

    return declare


class ActorAPIView(APIView):
    """One address. Its methods are declared with `operation`; every other one is answered with 405.

    With `versioned`, writes honour If-Match: it locks the row whose uuid comes first in the address
    and gives its version, which must still be the one that the caller knows.
    """

    operations: ClassVar[Mapping[str, Operation]] = {}
    narrows: ClassVar[bool] = False  # what it shows follows whom the caller attends (Actor.attends)
    versioned: ClassVar["staticmethod[[Actor, UUID], int] | None"] = None

    actor: Actor
    operation: Operation
    request: Request
    http: HttpRequest
    query: dict[str, Any]  # the query parameters, as the method declares them

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared = {name: getattr(getattr(cls, name, None), "operation", None) for name in _METHODS}
        cls.operations = {name: found for name, found in declared.items() if found}
        cls.http_method_names = [*cls.operations, *(["head"] if "get" in cls.operations else [])]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, whatever happens."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.http = request
        response: HttpResponseBase
        allowance: limits.Allowance | None = None
        try:
            self.actor = self._authenticated()
            allowance = limits.take_for(self.actor)
            response = self._answer(**kwargs)
        except Exception as error:  # noqa: BLE001 - every fault becomes a problem here
            actor = getattr(self, "actor", None)
            context = {"request": request, "view": self, "actor": actor}
            response = problem_from_exception(error, context)
        if allowance:
            for name, value in allowance.headers.items():
                response[name] = value
        if response.status_code == NotAllowed.status:
            response["Allow"] = ", ".join(name.upper() for name in self.http_method_names)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    # --- What methods use ------------------------------------------------------------------------

    def read(self) -> dict[str, Any]:
        """The body, in the shape that this method declares to read."""
        return check(self.operation.reads, self._body, partial=self.http.method == "PATCH")

    def filters(self) -> dict[str, Any]:
        """The query parameters that were given, those of paging aside."""
        return {name: value for name, value in self.query.items() if name not in _PAGING}

    def reply(
        self,
        answer: object,
        *,
        etag: int | None = None,
        location: str | None = None,
    ) -> HttpResponse:
        """The answer in the declared shape; `etag` is the version that If-Match may name."""
        answers = self.operation.answers
        assert answers is not None, "the operation declares what it answers"
        response = _json(shape(answers).to_representation(answer), self.operation.status)
        if etag is not None:
            response["ETag"] = f'"{etag}"'
        if location is not None:
            response["Location"] = location
        return response

    def page(
        self,
        rows: QuerySet[Any, R],
        order: Order,
        *,
        show: Callable[[R], object] | None = None,
        complete: Callable[[list[R]], None] | None = None,
    ) -> HttpResponse:
        """One page of the rows (objects, or `values()`), each as `show` makes of it, and the next one.

        `complete` is given the rows of the page together, for what would else be asked row by row.
        """
        found, after = self.slice(rows, order, "cursor")
        if complete is not None:
            complete(found)
        answers = self.operation.answers
        assert answers is not None, "the operation declares what it answers"
        represent = shape(answers).to_representation
        return _json(
            {
                "results": [represent(show(row) if show else row) for row in found],
                "next": self.address_with(cursor=after) if after else None,
            },
            self.operation.status,
        )

    def following(self, rows: Rows, order: Order, parameter: str = "cursor") -> Rows:
        """The rows after the cursor in this parameter."""
        try:
            return following(rows, order, self.query.get(parameter, ""))
        except Invalid as error:
            raise BadParameters(errors={parameter: [error.message]}) from error

    def slice(
        self, rows: QuerySet[Any, R], order: Order, parameter: str
    ) -> tuple[list[R], str | None]:
        """Up to `limit` rows after the cursor in this parameter, and the cursor of what follows."""
        limit = self.query["limit"]
        rows = self.following(rows, order, parameter)
        found = list(rows.order_by(*order.terms)[: limit + 1])
        if len(found) <= limit:
            return found, None
        found.pop()
        return found, cursor_after(rows.model, found[-1], order)

    def address_with(self, **parameters: str) -> str:
        """The address that was asked, with these parameters instead of what they were."""
        query = self.http.GET.copy()
        for name, value in parameters.items():
            query[name] = value
        return self.http.build_absolute_uri(f"?{query.urlencode()}")

    # --- The way in ------------------------------------------------------------------------------

    @by_key()
    def _authenticated(self) -> Actor:
        try:
            for authenticator in self.get_authenticators():
                found = authenticator.authenticate(self.request)
                if found is not None:
                    actor = found[0]
                    assert isinstance(actor, Actor)
                    return actor
            raise Unauthenticated("unauthenticated", _("Send an API key as bearer token."))
        except Exception:
            # who shows no valid key is counted by address; if nobody can count, nobody guesses
            if limits.take_for_stranger(client_ip(self.http)) is None:
                raise Unavailable("limits", _("Try again in a moment.")) from None
            raise

    def _narrow(self) -> None:
        """Let the caller be narrowed by what the request says; an address that does not heed it refuses."""
        for header, narrow in narrowers.items():
            said = self.http.headers.get(header)
            if said is None:
                continue
            if not self.narrows:
                text = _("This address does not heed the header %(header)s.")
                raise BadParameters(errors={header: [text % {"header": header}]})
            try:
                self.actor = narrow(self.actor, said)
            except NotFound as error:
                raise BadParameters(errors={header: [error.message]}) from error

    def _answer(self, **kwargs: Any) -> HttpResponseBase:
        method = (self.http.method or "").lower()
        found = self.operations.get("get" if method == "head" else method)
        if found is None:
            raise NotAllowed("method_not_allowed", _("Look at the Allow header."))
        self.operation = found
        if found.needs is not None:
            require(self.actor, found.needs)
        self._narrow()
        self.query = self._read_query(found.query)
        handler: Callable[..., HttpResponseBase] = getattr(self, method)
        if method not in WRITES:
            return handler(self.request, **kwargs)
        return self._write(handler, **kwargs)

    @by_key()
    def _write(self, handler: Callable[..., HttpResponseBase], **kwargs: Any) -> HttpResponseBase:
        self._body = read_body(self.http, self.operation.media_type)
        expected = self.http.headers.get("If-Match") if self.versioned else None
        key = self.http.headers.get(idempotency.HEADER)

        def act() -> HttpResponse:
            if expected is not None:
                self._match(expected, **kwargs)
            response = handler(self.request, **kwargs)
            assert isinstance(response, HttpResponse)
            return response

        if key is not None:
            return idempotency.once(
                self.actor,
                key,
                address=f"{self.http.method} {self.http.path}",
                fingerprint=fingerprint(self.http),
                act=act,
            )
        if expected is not None:
            with transaction.atomic():
                return act()
        return act()

    def _match(self, expected: str, **kwargs: Any) -> None:
        """Hold the row at the version that the caller knows, or tell that it has changed."""
        assert self.versioned is not None
        version = self.versioned(self.actor, next(iter(kwargs.values())))
        tags = re.findall(r'(?:W/)?"[^"]*"|\*', expected)
        if "*" not in tags and f'"{version}"' not in tags:
            raise PreconditionFailed(
                "version_changed", _("It was changed since you read it. Read it again.")
            )

    def _read_query(self, query: type[Filters]) -> dict[str, Any]:
        fields = shape(query).fields
        lists = [name for name in fields if isinstance(fields[name], serializers.ListField)]
        try:
            return check(query, plain(self.http.GET, lists))
        except ValidationError as error:
            raise problem_of_shape(error.detail, BadParameters) from None


def cursor_after(model: type[Model], row: Any, order: Order) -> str:
    """The cursor after an object or a row of `values()`."""
    if isinstance(row, dict):
        row = model(**{column: row[column] for column in order.columns})
    return cursor_at(row, order)


_METHODS = ("get", "post", "put", "patch", "delete")
_PAGING = frozenset({"cursor", "limit"})


def _json(body: Any, status: int) -> HttpResponse:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(text, status=status, content_type=JSON)

"""The schema of the API, derived from what its addresses declare: no answer that it does not name."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from crm.kit.api import idempotency
from crm.kit.api.problems import MEDIA_TYPE
from crm.kit.api.shapes import Input, shape
from crm.kit.api.view import WRITES, ActorAPIView, Operation, narrowers

PROBLEM = {
    "type": "object",
    "description": "What went wrong, as RFC 9457 says it.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "description": "Stable address of the kind of problem."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "The reason, in the language asked for."},
        "instance": {"type": "string", "description": "The request, as our logs name it."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body."},
                    "parameter": {"type": "string", "description": "Name of a query parameter."},
                    "detail": {"type": "string"},
                    "start": {"type": "integer", "description": "First wrong sign of a query."},
                    "end": {"type": "integer", "description": "The sign after the last wrong."},
                    "proposals": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "What may be written there instead.",
                    },
                },
            },
        },
        "candidates": {
            "type": "array",
            "items": {"type": "object"},
            "description": "What the new one may be a duplicate of.",
        },
        "next": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "start": {"type": "string", "format": "date-time"},
                    "end": {"type": "string", "format": "date-time"},
                },
            },
            "description": "The times that are free instead of the one asked for.",
        },
        "now": {
            "type": ["object", "null"],
            "description": "Of a conflict: what it says now.",
        },
    },
}


class Schema(AutoSchema):
    """Describes one method of an ActorAPIView from its Operation."""

    @property
    def operation(self) -> Operation:
        """What the method declares."""
        assert isinstance(self.view, ActorAPIView)
        return self.view.operations[self.method.lower()]

    def is_excluded(self) -> bool:
        """What is no ActorAPIView (the schema itself, its page) is not part of the API."""
        return not isinstance(self.view, ActorAPIView)

    def get_operation_id(self) -> str:
        """Named by the view: `AssignCase` becomes `assign_case`, with the method where it has several."""
        assert isinstance(self.view, ActorAPIView)
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in type(self.view).__name__)
        several = len(self.view.operations) > 1
        return name.strip("_") + (f"_{self.method.lower()}" if several else "")

    def get_summary(self) -> str:
        """In one line."""
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]
        """Who may call it, and what the method's docstring adds."""
        handler = getattr(self.view, self.method.lower())
        scope = self.operation.needs
        needs = f"Needs the scope `{scope}`." if scope else "Needs a valid key of any scope."
        return f"{(handler.__doc__ or '').strip()}\n\n{needs}".strip()

    def get_tags(self) -> list[str]:
        """By resource: the first part of the address."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_override_parameters(self) -> list[Any]:
        """Query parameters, and the headers that a write understands."""
        parameters: list[Any] = []
        if shape(self.operation.query).fields:
            parameters.append(self.operation.query)
        if getattr(self.view, "narrows", False):
            parameters += [
                OpenApiParameter(
                    header,
                    OpenApiTypes.UUID,
                    OpenApiParameter.HEADER,
                    description="The mandate by which somebody asks: only what it lets be told is shown.",
                )
                for header in narrowers
            ]
        if self.method.lower() in WRITES:
            parameters.append(
                OpenApiParameter(
                    idempotency.HEADER,
                    {"type": "string", "pattern": idempotency.PATTERN, "maxLength": 255},
                    OpenApiParameter.HEADER,
                    description="Sent again with the same key, the write happens once.",
                )
            )
            if self._versioned:
                parameters.append(
                    OpenApiParameter(
                        "If-Match",
                        OpenApiTypes.STR,
                        OpenApiParameter.HEADER,
                        description="The ETag last read: the write fails if it has changed since.",
                    )
                )
        return parameters

    def get_request_serializer(self) -> Any:
        """The body; none where nothing may be said."""
        reads = self.operation.reads
        return reads if shape(reads).fields else None

    def get_response_serializers(self) -> Any:
        """The answer; the base class asks for it to find out about lists, which are declared here."""
        return self.operation.answers or {}

    def get_auth(self) -> list[dict[str, Any]]:
        """A key or a session, not both."""
        return [{name: scopes} for needed in super().get_auth() for name, scopes in needed.items()]

    def map_parsers(self) -> list[str]:
        """The media type of the body."""
        return [self.operation.media_type]

    def _map_serializer_field(
        self, field: Any, direction: str, bypass_extensions: bool = False
    ) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if isinstance(field, serializers.FileField) and direction == "request":
            return {"type": "string", "format": "binary"}
        return schema

    def _map_serializer(
        self, serializer: Any, direction: Any, bypass_extensions: Any = False
    ) -> Any:
        schema = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if isinstance(serializer, Input):
            schema["additionalProperties"] = False
        return schema

    @property
    def _versioned(self) -> bool:
        return bool(getattr(self.view, "versioned", None))

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        operation = self.operation
        bodies = {str(operation.status): self._success(operation)}
        for status in sorted(self._problem_statuses(operation)):
            bodies[str(status)] = self._problem(status)
        return bodies

    def _success(self, operation: Operation) -> dict[str, Any]:
        if operation.status == HTTPStatus.NO_CONTENT:
            return {"description": "Done"}
        if operation.answers is None:
            return {"description": "The file", "content": {"*/*": {"schema": {"type": "string"}}}}
        schema = self.resolve_serializer(operation.answers, "response").ref
        if operation.paged:
            schema = {
                "type": "object",
                "required": ["results", "next"],
                "properties": {
                    "results": {"type": "array", "items": schema},
                    "next": {"type": ["string", "null"], "format": "uri"},
                },
            }
        body: dict[str, Any] = {
            "description": HTTPStatus(operation.status).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        if self._versioned and not operation.paged:
            body["headers"] = {"ETag": {"schema": {"type": "string"}}}
        return body

    def _problem(self, status: int) -> dict[str, Any]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name="Problem", type=ResolvedComponent.SCHEMA, schema=PROBLEM, object="Problem"
        )
        self.registry.register_on_missing(component)
        body: dict[str, Any] = {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": component.ref}},
        }
        if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            body["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
        return body

    def _problem_statuses(self, operation: Operation) -> set[int]:
        statuses = {400, 401, 403, 429, 503, *operation.problems}
        if "{" in self.path:
            statuses.add(404)
        if self.method.lower() in WRITES:
            statuses |= {409, 413, 415, 422}
            if self._versioned:
                statuses.add(412)
        return statuses


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How callers say who they are."""

    target_class = "crm.accounts.authentication.ApiAuthentication"
    name = ["apiKey", "session"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """A key for systems; the console's session for a person who tries things out."""
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key of one organisation."},
            {
                "type": "apiKey",
                "in": "cookie",
                "name": "sessionid",
                "description": "The console's session; writes add the header X-CSRFToken.",
            },
        ]

"""The API at /api/v1/: every room's addresses, the schema and its documentation."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from crm.kit.api import limits
from crm.kit.api.problems import problem_response
from crm.kit.errors import NotFound, TooMany
from crm.kit.web import client_ip


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The API in OpenAPI 3.1: JSON, or YAML by `?format=yaml` or Accept. It is the same for everybody."""
    try:
        limits.take_for_stranger(client_ip(request))
    except TooMany as error:
        return problem_response(request, error)
    wanted = request.GET.get("format")
    accepted = request.get_preferred_type([_JSON, "application/json", _YAML, "text/yaml"])
    as_yaml = wanted == "yaml" or (wanted is None and accepted in {_YAML, "text/yaml"})
    return HttpResponse(written(as_yaml), content_type=_YAML if as_yaml else _JSON)


@cache
def written(as_yaml: bool) -> bytes:
    """The schema, made once: it changes with the code only, and its language is English."""
    renderer = OpenApiYamlRenderer() if as_yaml else OpenApiJsonRenderer()
    with override("en"):
        described = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
        written = renderer.render(described)
    return bytes(written)


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """The schema to read and try out in a browser; every file of it comes from this server."""
    return render(request, "api/documentation.html", {"language": get_language()})


@csrf_exempt
def no_such_address(request: HttpRequest) -> HttpResponse:
    """Below /api/v1/ every answer is a problem, also where nothing is."""
    problem = NotFound(_("There is no such address. Addresses of the API end with a slash."))
    return problem_response(request, problem)


urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", schema, name="api-schema"),
    path("docs/", documentation, name="api-documentation"),
    path("", include("cases.api")),
    path("", include("channels_app.api")),
    path("", include("scheduling.api")),
    path("", include("crm.notices.api")),
    path("", include("crm.citizens.api")),
    path("", include("crm.organisations.api")),
    re_path(r"", no_such_address),
]

_JSON = OpenApiJsonRenderer.media_type
_YAML = OpenApiYamlRenderer.media_type

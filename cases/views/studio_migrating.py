"""Open cases on their way to another version of their type: tried, started, followed, its failures."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from cases.models import VersionMigration
from cases.permissions import PUBLISH_CASE_TYPE
from cases.services import versions
from cases.services.versions import DryRun, Way
from cases.studio_forms.migrating import WayForm
from cases.views.studio import GET_OR_POST, page, studio_of
from crm.audit.record import record
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.csvfile import download
from crm.kit.errors import Conflict, Invalid, NotFound

HERE = "casos"
LATEST, FIRST_REFUSED = 20, 50


@require_GET
@needs(PUBLISH_CASE_TYPE)
def migrations(request: ActorRequest, code: str) -> HttpResponse:
    """On which versions open cases stand, and the migrations that there were."""
    studio = studio_of(request, code, HERE)
    counts = versions.open_cases_by_version(request.actor, code)
    rows = list(studio.row.versions.exclude(number=0).order_by("-number"))
    newest = rows[0].number if rows else 0
    context: dict[str, Any] = {
        "rows": [{"version": row, "open": counts.get(row.number, 0)} for row in rows],
        "newest": newest,
        "left": sum(count for number, count in counts.items() if number != newest),
        "others": [
            (row.number, other.number)
            for row in rows
            for other in rows
            if counts.get(row.number) and other.number not in (row.number, newest)
        ],
        "latest": list(versions.migrations_of(request.actor, code)[:LATEST]),
    }
    return page(request, studio, "migrations", **context)


@require_http_methods(GET_OR_POST)
@needs(PUBLISH_CASE_TYPE)
def migrate(request: ActorRequest, code: str, source: int, target: int) -> HttpResponse:
    """What becomes of each state and field; tried dry as often as one likes, then started."""
    studio = studio_of(request, code, HERE)
    ways = versions.ways_between(request.actor, code, source, target)
    again = request.GET.get("como", "")
    way = _way_of(request.actor, code, again) if again else None
    form = WayForm(request.POST or None, ways=ways, way=way)
    dry: DryRun | None = None
    status = HTTPStatus.OK
    if request.method == "POST" and form.is_valid():
        try:
            if "start" in request.POST:
                started = versions.start_migration(request.actor, code, source, target, form.way())
                messages.success(request, _("The cases are on their way."))
                return HttpResponseRedirect(
                    reverse("cases:studio_migration", args=[code, started.uuid])
                )
            dry = versions.try_migration(request.actor, code, source, target, form.way())
        except (Invalid, Conflict) as error:
            form.refused(error)
            status = HTTPStatus(error.status)
    elif request.method == "GET":
        dry = versions.try_migration(request.actor, code, source, target, way)
    if form.errors and status == HTTPStatus.OK:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    context: dict[str, Any] = {"ways": ways, "form": form, "dry": dry, "first": FIRST_REFUSED}
    return page(request, studio, "migrate", status, **context)


def _way_of(actor: Actor, code: str, uuid: str) -> Way | None:
    """The way that a migration before went: what was typed for it need not be typed again."""
    try:
        row = versions.migrations_of(actor, code).filter(uuid=UUID(uuid)).first()
    except ValueError:
        return None
    return Way(states=row.states, fields=row.fields, fill=row.fill) if row else None


@require_GET
@needs(PUBLISH_CASE_TYPE)
def migration(request: ActorRequest, code: str, migration: UUID) -> HttpResponse:
    """How far it is; at the end what went and what stayed, and why."""
    studio = studio_of(request, code, HERE)
    row = _migration(request.actor, code, migration)
    found: dict[str, list[str]] = {}
    for reference, reason in versions.refusals_of(request.actor, row):
        found.setdefault(reason, []).append(reference)
    context: dict[str, Any] = {
        "migration": row,
        "progress": versions.progress(row),
        "ended": row.total - row.done - row.refused,
        "reasons": sorted(found.items(), key=lambda one: -len(one[1])),
        "first": FIRST_REFUSED,
        "told": told_way(row),
    }
    return page(request, studio, "migration", **context)


def told_way(row: VersionMigration) -> list[str]:
    """What was said of states and fields, in words."""
    before, after = versions.workflows_of(row)
    told = [f"{before.name_of(old)} → {after.name_of(new)}" for old, new in row.states.items()]
    for old, new in row.fields.items():
        goal = after.fields.label_of(new) if new else _("left behind")
        told.append(f"{before.fields.label_of(old)} → {goal}")
    for name, value in row.fill.items():
        words: Any = after.fields.said(name, value)
        told.append(f"{after.fields.label_of(name)} = {words}")
    return told


@require_GET
@needs(PUBLISH_CASE_TYPE)
def migration_progress(request: ActorRequest, code: str, migration: UUID) -> JsonResponse:
    """The figures alone."""
    return JsonResponse(versions.progress(_migration(request.actor, code, migration)))


@require_GET
@needs(PUBLISH_CASE_TYPE)
def refusals(request: ActorRequest, code: str, migration: UUID) -> HttpResponseBase:
    """The cases that stayed, and why, as a file that a spreadsheet can open without harm."""
    row = _migration(request.actor, code, migration)
    record(request.actor, "exported", row, refused=row.refused)
    found = versions.refusals_of(request.actor, row)
    return download("casos-que-se-quedan.csv", [_("Case number"), _("Reason")], found)


def _migration(actor: Actor, code: str, uuid: UUID) -> VersionMigration:
    row = versions.migrations_of(actor, code).filter(uuid=uuid).first()
    if row is None:
        raise NotFound
    return row

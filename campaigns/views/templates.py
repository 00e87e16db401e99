"""Pages of templates."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from campaigns.forms import TemplateForm
from campaigns.models import Template
from campaigns.permissions import DESIGN_CAMPAIGN, VIEW_CAMPAIGN
from campaigns.rendering import KNOWN, TYPES, Filling, placeholders
from campaigns.rendering import render as rendered
from campaigns.services.templates import latest, save_template
from crm.kit.access import ActorRequest, needs
from crm.organisations.models import Organisation

SHOWN = 200


@require_GET
@needs(VIEW_CAMPAIGN)
def index(request: ActorRequest) -> HttpResponse:
    """The organisation's templates."""
    rows = Template.objects.for_actor(request.actor).filter(archived_at=None).order_by("name")
    rows = rows.prefetch_related("versions")
    shown = [(row, max(row.versions.all(), key=lambda one: one.number)) for row in rows[:SHOWN]]
    context = {"templates": shown, "may": request.actor.holds(DESIGN_CAMPAIGN)}
    return render(request, "campaigns/templates.html", context)


@require_http_methods(["GET", "POST"])
@needs(DESIGN_CAMPAIGN)
def new(request: ActorRequest) -> HttpResponse:
    """A new template."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@needs(DESIGN_CAMPAIGN)
def edit(request: ActorRequest, template: UUID) -> HttpResponse:
    """Change a template: what is saved is a new version."""
    mine = Template.objects.for_actor(request.actor).filter(archived_at=None)
    return _edit(request, mine.get_or_refuse(uuid=template))


def _edit(request: ActorRequest, row: Template | None) -> HttpResponse:
    actor = request.actor
    organisation = Organisation.objects.for_actor(actor).get(pk=actor.organisation_id)
    form = TemplateForm(
        request.POST or None, languages=organisation.languages or ["es"], template=row
    )
    status = HTTPStatus.OK
    if request.method == "POST":
        uuid = row.uuid if row else None
        status = form.saved(
            lambda: save_template(actor, form.cleaned_data["name"], form.texts(), uuid)
        )
        if status == HTTPStatus.OK:
            return redirect("campaigns:templates")
    context: dict[str, Any] = {
        "form": form,
        "template": row,
        "known": KNOWN,
        "types": TYPES,
        "previews": _previews(row, organisation),
    }
    return render(request, "campaigns/template.html", context, status=status)


def _previews(row: Template | None, organisation: Organisation) -> list[Any]:
    """The saved words, filled in with made-up values."""
    version = latest(row) if row else None
    if version is None:
        return []
    examples = {**_EXAMPLES, "organisation": organisation.name}
    samples = {"date": timezone.localdate().isoformat(), "number": "1234.5", "link": "https://…"}
    values = {
        hole.name: examples.get(hole.name) or samples.get(hole.type, hole.name)
        for hole in placeholders(version.texts)
    }
    return [
        rendered(version.texts, code, Filling(values, lambda _target: "#"))
        for code in version.texts
    ]


_EXAMPLES = {"name": "María", "full_name": "María Ejemplo Prueba", "municipality": "Villaejemplo"}

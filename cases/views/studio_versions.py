"""What became of a case type over time: its versions, what differs between two, and types as text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from cases.designing import LOTS
from cases.models import CaseTypeVersion
from cases.permissions import PUBLISH_CASE_TYPE
from cases.services import carrying
from cases.services.carrying import Preview
from cases.services.versions import open_cases_by_version
from cases.studio_forms.text import ImportForm
from cases.type_diff import Change
from cases.type_texts import LONGEST
from cases.type_words import part_name
from cases.views.studio import GET_OR_POST, Studio, page, studio_of
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid, NotFound

VERSIONS, DRAFT = "versiones", "borrador"


@dataclass
class Thing:
    """What was added, taken out or said otherwise of one thing."""

    name: str
    kind: str
    changes: list[Change] = field(default_factory=list)


@dataclass
class Group:
    """The differences in one part of the bundle."""

    title: Any
    things: list[Thing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def grouped(changes: Iterable[Change]) -> list[Group]:
    """Differences as the page tells them: part by part, thing by thing."""
    titles: dict[str, Any] = {lot.part: lot.title for lot in LOTS.values()}
    titles |= {"sections": LOTS["secciones"].title, "fields": LOTS["campos"].title}
    found: dict[str, Group] = {}
    for change in changes:
        group = found.setdefault(
            change.part, Group(titles.get(change.part, part_name(change.part)))
        )
        if not change.about and not change.what:
            group.notes.append(change.after)
            continue
        same = [one for one in group.things if one.name == change.about and one.kind == "changed"]
        if change.what and same:
            same[0].changes.append(change)
        else:
            group.things.append(Thing(change.about, change.kind, [change] if change.what else []))
    return list(found.values())


@require_GET
@needs(PUBLISH_CASE_TYPE)
def versions(request: ActorRequest, code: str) -> HttpResponse:
    """Every version, how many open cases stand on it, and what differs between two of them."""
    studio = studio_of(request, code, VERSIONS)
    rows = list(studio.row.versions.exclude(number=0).order_by("-number"))
    offered = _offered(studio, rows)
    before, after = _chosen(request, offered)
    changes = None
    if before and after:
        number = None if after == DRAFT else int(after)
        changes = carrying.compare(request.actor, code, int(before), number)
    open_cases = open_cases_by_version(request.actor, code)
    context: dict[str, Any] = {
        "rows": [{"version": row, "open": open_cases.get(row.number, 0)} for row in rows],
        "offered": offered,
        "before": before,
        "after": after,
        "compared": changes is not None,
        "groups": grouped(changes or ()),
        "count": len(changes or ()),
    }
    return page(request, studio, "versions", **context)


def _offered(studio: Studio, rows: Sequence[CaseTypeVersion]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [(DRAFT, _("The draft"))] if studio.draft else []
    for row in rows:
        text = _("Version %(number)s, %(status)s")
        told = {"number": row.number, "status": str(row.get_status_display()).lower()}
        found.append((str(row.number), text % told))
    return found


def _chosen(request: ActorRequest, offered: Sequence[tuple[str, Any]]) -> tuple[str, str]:
    """Which two: those asked for, else the newest against the one before it; "" where there are no two."""
    known = [value for value, _label in offered]
    if len(known) < 2:
        return "", ""
    before, after = request.GET.get("antes", ""), request.GET.get("despues", "")
    after = after if after in known else known[0]
    kept = [one for one in known if one != DRAFT]
    usual = next((one for one in kept if one != after), kept[0])
    return before if before in kept else usual, after


@require_GET
@needs(PUBLISH_CASE_TYPE)
def export(request: ActorRequest, code: str) -> HttpResponse:
    """A version, or the draft, as a file of readable text."""
    asked = request.GET.get("version", "")
    if asked and asked != DRAFT and not (asked.isascii() and asked.isdigit() and len(asked) < 6):
        raise NotFound
    number = int(asked) if asked and asked != DRAFT else None
    text = carrying.export_text(request.actor, code, number=number, draft=asked == DRAFT)
    name = f"{code}-{asked}.yaml" if asked else f"{code}.yaml"
    return HttpResponse(
        text,
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(GET_OR_POST)
@needs(PUBLISH_CASE_TYPE)
def import_type(request: ActorRequest) -> HttpResponse:
    """A type comes in as text: first what it would do, with line and word of what is wrong; then it is
    the draft."""
    form = ImportForm(request.POST or None, request.FILES or None)
    preview: Preview | None = None
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        try:
            preview = carrying.look_at_text(request.actor, text)
            if "keep" in request.POST:
                draft = carrying.import_text(request.actor, text)
                told = _(
                    "The text is the draft of “%(name)s” now. Nothing holds before you publish."
                )
                messages.success(request, told % {"name": draft.case_type.name})
                return HttpResponseRedirect(reverse("cases:type", args=[draft.case_type.code]))
        except Invalid as error:
            form.refused(error)
        form.show(text)
    context: dict[str, Any] = {
        "form": form,
        "preview": preview,
        "groups": grouped(preview.changes) if preview else [],
        "blocking": sum(one.problem.blocks for one in preview.problems) if preview else 0,
        "max_size": f"{LONGEST // 1024} KB",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "cases/studio/import.html", context, status=status)

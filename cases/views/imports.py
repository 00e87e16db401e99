"""Pages of bulk loads: upload, map the columns, try, load, see what was refused."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases.imports.load import Turner, problem_lines
from cases.imports.mapping import (
    PRIORITIES,
    BadMapping,
    BadRow,
    Binding,
    FileShape,
    build,
    open_mapping,
    ready_names,
)
from cases.imports.reader import guess_shape, open_rows, shown
from cases.imports.wizard import ColumnsForm, UploadForm, initial, to_toml
from cases.models import Case, Import
from cases.permissions import IMPORT_CASES
from cases.selectors import case_types
from cases.services import imports as services
from crm.audit.record import record
from crm.citizens.models import Channel
from crm.kit.access import ActorRequest, needs
from crm.kit.csvfile import stream
from crm.kit.errors import Invalid
from crm.kit.policy import require
from crm.organisations.models import Unit

SAMPLE, TRIED = 4, 12  # rows shown as they are, rows shown as cases


@require_GET
@needs(IMPORT_CASES)
def index(request: ActorRequest) -> HttpResponse:
    """The organisation's imports, newest first."""
    loads = Import.objects.for_actor(request.actor).select_related("unit").order_by("-pk")[:50]
    return render(request, "cases/imports/index.html", {"imports": loads})


@require_http_methods(["GET", "POST"])
@needs(IMPORT_CASES)
def new(request: ActorRequest) -> HttpResponse:
    """Upload a file: a draft whose columns are mapped next."""
    units = Unit.objects.for_actor(request.actor).filter(closed_on=None).order_by("name")
    choices = [(str(unit.uuid), unit.name) for unit in units]
    form = UploadForm(
        request.POST or None, request.FILES or None, ready=ready_names(), units=choices
    )
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        unit = units.filter(uuid=asked["unit"]).first() if asked["unit"] else None
        try:
            load = services.keep_upload(
                request.actor, asked["file"].chunks(), asked["file"].name, unit
            )
            if asked["ready"]:
                services.map_columns(request.actor, load.uuid, open_mapping(asked["ready"]).raw)
        except Invalid as error:
            form.add_error("file", str(error.message))
        else:
            return redirect("cases:import_columns", load.uuid)
    status = 422 if form.errors else 200
    return render(request, "cases/imports/new.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@needs(IMPORT_CASES)
def columns(request: ActorRequest, load: UUID) -> HttpResponse:
    """Say which column is what, and see the first rows as cases."""
    row = _fetch(request, load)
    if row.status != Import.Status.DRAFT:
        return redirect("cases:import", row.uuid)
    path = Path(row.file_path)
    shape = build(row.mapping).file if row.mapping else guess_shape(path)
    header, sample = _sample(request, path, shape)
    form = ColumnsForm(
        request.POST or None,
        initial=initial(row.mapping, shape),
        header=header,
        base=row.mapping,
        offers={
            "type": [(kind.code, kind.name) for kind in case_types(request.actor)],
            "channel": [(channel.value, str(channel.label)) for channel in Channel],
            "priority": [
                (code, str(Case.Priority(rank).label)) for code, rank in PRIORITIES.items()
            ],
        },
    )
    if request.method == "POST" and form.is_valid():
        raw = form.mapping()
        if "case_type" in row.mapping:
            raw["case_type"] = row.mapping["case_type"]
        try:
            row = services.map_columns(request.actor, row.uuid, raw)
        except BadMapping as error:
            field = _form_field(form, error)
            form.add_error(field, str(error.reason if field else error.message))
        else:
            return redirect("cases:import_columns", row.uuid)
    context = {
        "load": row,
        "form": form,
        "header": header,
        "sample": sample,
        "tried": _tried(request, row) if row.mapping and not form.errors else [],
    }
    status = 422 if form.errors else 200
    return render(request, "cases/imports/columns.html", context, status=status)


@require_GET
@needs(IMPORT_CASES)
def detail(request: ActorRequest, load: UUID) -> HttpResponse:
    """How far an import got, live, and what it refused."""
    row = _fetch(request, load)
    context = {
        "load": row,
        "running": row.status == Import.Status.LOADING,
        "problems": row.problems.order_by("row")[:50],
        "draft": _draft_of(request, row) if row.dry_run else None,
    }
    template = "cases/imports/_progress.html" if request.htmx else "cases/imports/detail.html"
    return render(request, template, context)


@require_POST
@needs(IMPORT_CASES)
def start(request: ActorRequest, load: UUID) -> HttpResponse:
    """Try every row, or load."""
    dry_run = request.POST.get("try") == "1"
    row = services.start_import(request.actor, load, dry_run=dry_run)
    return redirect("cases:import", row.uuid)


@require_POST
@needs(IMPORT_CASES)
def cancel(request: ActorRequest, load: UUID) -> HttpResponse:
    """Stop where it is."""
    return redirect("cases:import", services.cancel_import(request.actor, load).uuid)


@require_GET
@needs(IMPORT_CASES)
def problems(request: ActorRequest, load: UUID) -> HttpResponseBase:
    """The file of rows not imported."""
    row = _fetch(request, load)
    record(request.actor, "exported", row, problems=row.bad)
    return stream(f"errores-{row.pk}.csv", problem_lines(row))


@require_GET
@needs(IMPORT_CASES)
def mapping(request: ActorRequest, load: UUID) -> HttpResponse:
    """The mapping as a TOML file, for the command line."""
    row = _fetch(request, load)
    record(request.actor, "exported", row, mapping=True)
    return HttpResponse(
        to_toml(row.mapping) if row.mapping else "",
        content_type="application/toml; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="mapping.toml"'},
    )


def _fetch(request: ActorRequest, load: UUID) -> Import:
    row = Import.objects.for_actor(request.actor).select_related("unit").get_or_refuse(uuid=load)
    require(request.actor, IMPORT_CASES, row)
    return row


def _draft_of(request: ActorRequest, trial: Import) -> Import | None:
    """What a trial tried, as long as it waits to be loaded."""
    drafts = Import.objects.for_actor(request.actor).filter(status=Import.Status.DRAFT)
    return drafts.filter(file_path=trial.file_path).first()


def _sample(request: ActorRequest, path: Path, shape: FileShape) -> tuple[Sequence[str], list[Any]]:
    """The file's header and first rows, read with the encoding and separator just typed, if they do."""
    typed = replace(
        shape,
        encoding=request.POST.get("encoding", shape.encoding),
        delimiter=request.POST.get("delimiter", shape.delimiter),
    )
    with suppress(LookupError, TypeError, ValueError, Invalid):
        return _first_rows(path, typed)
    return _first_rows(path, shape)


def _first_rows(path: Path, shape: FileShape) -> tuple[Sequence[str], list[Any]]:
    with open_rows(path, shape) as (header, rows):
        wanted = (row for row in islice(rows, SAMPLE) if isinstance(row, list))
        return header, [list(map(shown, row)) for row in wanted]


def _form_field(form: ColumnsForm, error: BadMapping) -> str | None:
    """The form's field for a place in the mapping; None: the form as a whole."""
    section, _dot, name = str(error.details.get("where", "")).partition(".")
    candidates = [f"{name.partition('.')[0]}-column", name, section]
    return next((field for field in candidates if field in form.fields), None)


def _tried(request: ActorRequest, row: Import) -> list[dict[str, Any]]:
    """The first rows as the cases that they would be, or why they would not."""
    mapping = build(row.mapping)
    found: list[dict[str, Any]] = []
    with open_rows(Path(row.file_path), mapping.file) as (header, rows):
        binding, turner = Binding(mapping, header), Turner(request.actor, row)
        for number, cells in enumerate(islice(rows, TRIED), start=1):
            try:
                if isinstance(cells, str):
                    raise BadRow(cells)
                case = binding.turn(cells)
                *_row, state = turner.turn(number, case)
                found.append({"number": number, "case": case, "state": state})
            except BadRow as problem:
                found.append({"number": number, "problem": str(problem) or _("Not readable")})
    return found

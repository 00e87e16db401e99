"""Imports: made from a file and a mapping, gone on with after a kill."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.imports.load import bundle_of
from cases.imports.mapping import BadMapping, Binding, ImportMapping, build
from cases.imports.reader import count_lines, open_rows
from cases.models import CaseType, Import
from cases.permissions import IMPORT_CASES
from cases.services.catalogue import create_case_type
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.models import uuid7
from crm.kit.policy import require
from crm.kit.tasks import enqueue
from crm.organisations.models import Unit

KEPT = timedelta(days=30)
LONGEST_UPLOAD = timedelta(days=1)


@transaction.atomic
def prepare_import(
    actor: Actor,
    mapping: ImportMapping,
    path: Path,
    *,
    name: str | None = None,
    unit: Unit | None = None,
    dry_run: bool = False,
) -> Import:
    """There is an import of this file: the one that did not finish, if there is one, else a new one.

    The mapping's case type exists afterwards, if the mapping brings its definition.
    """
    require(actor, IMPORT_CASES, unit)
    if not path.is_file():
        raise Invalid(_("There is no file %(name)s.") % {"name": path.name})
    digest = _digest(path)
    unfinished = (
        Import.objects.for_actor(actor)
        .filter(
            source=mapping.source,
            file_sha256=digest,
            dry_run=dry_run,
            status__in=Import.UNFINISHED,
        )
        .order_by("-pk")
        .first()
    )
    if mapping.case_type is not None:
        _make_case_type(actor, mapping.case_type)
    if unfinished is not None and unfinished.mapping == mapping.raw:
        unfinished.file_path = str(path)
        unfinished.save(update_fields=["file_path", "updated_at"])
        return unfinished
    load = Import.objects.create(
        organisation_id=actor.organisation_id,
        source=mapping.source,
        mapping=dict(mapping.raw),
        file_name=(name or path.name)[:200],
        file_path=str(path),
        file_sha256=digest,
        unit=unit,
        dry_run=dry_run,
        requested_by_id=actor.user_id,
        requested_by_name=actor.name,
    )
    record(actor, IMPORT_CASES, load, sha256=digest, dry_run=dry_run)
    return load


@transaction.atomic
def keep_upload(actor: Actor, chunks: Iterable[bytes], name: str, unit: Unit | None) -> Import:
    """There is a draft of an import with the uploaded file, whose columns are still to be mapped."""
    require(actor, IMPORT_CASES, unit)
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / uuid7().hex
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            digest.update(chunk)
            file.write(chunk)
    if size == 0:
        path.unlink()
        raise Invalid(errors={"file": [_("The file is empty.")]})
    try:
        total = count_lines(path)
    except BadMapping:
        path.unlink()
        raise
    load = Import.objects.create(
        organisation_id=actor.organisation_id,
        source="",
        file_name=name[:200],
        file_path=str(path),
        file_sha256=digest.hexdigest(),
        unit=unit,
        total=total,
        requested_by_id=actor.user_id,
        requested_by_name=actor.name,
    )
    record(actor, IMPORT_CASES, load, sha256=load.file_sha256, size=size)
    return load


@transaction.atomic
def map_columns(actor: Actor, load: UUID, raw: Mapping[str, Any]) -> Import:
    """The draft has this mapping, which fits its file; BadMapping says where it does not."""
    row = fetch_import(actor, load)
    if row.status != Import.Status.DRAFT:
        raise Conflict("import_started", _("This import has started: its mapping stays."))
    mapping = build(raw)
    with open_rows(Path(row.file_path), mapping.file) as (header, _rows):
        Binding(mapping, header)
    row.mapping = dict(mapping.raw)
    row.source = mapping.source
    row.save(update_fields=["mapping", "source", "updated_at"])
    return row


@transaction.atomic
def start_import(actor: Actor, load: UUID, *, dry_run: bool = False) -> Import:
    """A worker carries the import out; as a dry run it checks every row and leaves the draft."""
    row = fetch_import(actor, load)
    if not row.mapping:
        raise Conflict("import_unmapped", _("Say first which column is what."))
    if row.status not in {Import.Status.DRAFT, Import.Status.FAILED}:
        raise Conflict("import_started", _("This import has started."))
    if not Path(row.file_path).is_file():
        raise Conflict("import_file_gone", _("Its file is no longer kept: upload it again."))
    mapping = build(row.mapping)
    if mapping.case_type is not None:
        _make_case_type(actor, mapping.case_type)
    if dry_run:
        row = Import(**{**_columns(row), "dry_run": True})
    row.status = Import.Status.LOADING
    row.save()
    record(actor, IMPORT_CASES, row, started=True, dry_run=dry_run)
    enqueue("cases.run_import", row.pk)
    return row


def _folder() -> Path:
    """Where uploads lie until they are loaded; files named on the command line lie elsewhere."""
    return Path(settings.MEDIA_ROOT) / "imports"


def _columns(load: Import) -> dict[str, Any]:
    """What a trial run of a draft takes over from it."""
    names = (
        "organisation_id source mapping file_name file_path file_sha256 unit_id total "
        "requested_by_id requested_by_name"
    )
    return {name: getattr(load, name) for name in names.split()}


@transaction.atomic
def cancel_import(actor: Actor, load: UUID) -> Import:
    """No further row is loaded; what was loaded stays."""
    row = fetch_import(actor, load)
    if row.status in Import.UNFINISHED:
        row.status = Import.Status.CANCELLED
        row.finished_at = timezone.now()
        row.save(update_fields=["status", "finished_at", "updated_at"])
        record(actor, IMPORT_CASES, row, cancelled=True)
    return row


def forget_files() -> int:
    """Uploads that no import names after a day, or with which nothing was done for KEPT, are gone; how
    many. Drafts of them are cancelled: what was loaded stays, and why rows were refused."""
    now = timezone.now()
    gone = 0
    for path in _folder().glob("*"):
        loads = Import.objects.unscoped("files of all organisations").filter(file_path=str(path))
        age = now.timestamp() - path.stat().st_mtime
        idle = not loads.filter(updated_at__gte=now - KEPT).exists()
        if age < LONGEST_UPLOAD.total_seconds() or (loads.exists() and not idle):
            continue
        loads.filter(status=Import.Status.DRAFT).update(
            status=Import.Status.CANCELLED, finished_at=now
        )
        path.unlink(missing_ok=True)
        gone += 1
    return gone


def fetch_import(actor: Actor, load: UUID) -> Import:
    """The import, locked until the transaction ends."""
    row = Import.objects.for_actor(actor).select_for_update().get_or_refuse(uuid=load)
    require(actor, IMPORT_CASES, row)
    return row


def _make_case_type(actor: Actor, definition: Mapping[str, Any]) -> None:
    code = str(definition.get("code", ""))
    if CaseType.objects.for_actor(actor).filter(code=code).exists():
        return
    create_case_type(
        actor,
        code=code,
        name=str(definition.get("name", code)),
        nature=str(definition.get("nature", CaseType.Nature.INCIDENT)),
        bundle=bundle_of(definition),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Figures, and the cases behind them, as files: asked for with a reason, made by a worker, kept a week."""

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from cases.models import Case
from cases.workflow import of_version
from crm.accounts.actors import actor_for
from crm.accounts.models import User
from crm.audit.record import record
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, DomainError, Invalid, Refused
from crm.kit.files import discard, held, store
from crm.kit.policy import require
from crm.kit.tasks import enqueue
from crm.organisations.models import Organisation
from reporting.asking import Asked, asked_by
from reporting.board import Board, organisations
from reporting.failures import NO_RIGHTS, TOO_MANY, words_of
from reporting.leases import claim, end, give_up, hold
from reporting.metrics import UNIT_NAMES, Unit
from reporting.models import CaseFact, Export, Status
from reporting.narrowing import NAMES, narrowed
from reporting.news import tell_export
from reporting.permissions import VIEW_REPORT
from reporting.spreadsheet import Share, Table, Value, write_csv, write_xlsx
from reporting.told import lost, told_by

KEPT = timedelta(days=7)
MOST_CASES = 50_000
TOLD = "told"  # beside what was asked, of a made file: how far its asker's rights were used
_BATCH = 500
_TOLD = timedelta(seconds=0.5)

log = logging.getLogger(__name__)
Cells = Sequence["Value | Share"]
_Plain = tuple[str, Sequence[str], list[Cells]]  # name, header, rows


@transaction.atomic
def ask_export(
    actor: Actor, subject: str, form: str, query: Mapping[str, list[str]], *, purpose: str
) -> Export:
    """A file with what this address shows is being made for the actor, who says what for."""
    require(actor, VIEW_REPORT)
    purpose = " ".join(purpose.split())[:240]
    errors: dict[str, list[Any]] = {}
    if form not in Export.Form.values:
        errors["form"] = [_("Choose one of the offered values.")]
    if subject not in Export.Subject.values:
        errors["subject"] = [_("Choose one of the offered values.")]
    if not purpose:
        errors["purpose"] = [_("This field is required.")]
    if errors:
        raise Invalid(errors=errors)
    if actor.user_id is None:
        raise Invalid(_("Files are made for people; connected systems read by the API."))
    asked = asked_by(actor, query)
    kept = asked.kept
    if subject == Export.Subject.CASES:
        given = {name: query[name][0] for name in NAMES if query.get(name)}
        kept |= {name: [value] for name, value in narrowed(asked, given).given.items()}
    export = Export.objects.create(
        organisation_id=actor.organisation_id,
        subject=subject,
        form=form,
        query=kept,
        language=get_language() or settings.LANGUAGE_CODE,
        purpose=purpose,
        requested_by_id=actor.user_id,
        requested_by_name=actor.name[:200],
    )
    record(actor, VIEW_REPORT, export, purpose=purpose, asked=kept, form=form)
    enqueue("reporting.make_export", export.pk)
    return export


@transaction.atomic
def download_export(actor: Actor, export: UUID) -> Export:
    """A finished file of the actor's own goes out, and that is written down with its reason.

    Refused when it tells of more than the actor may see now: roles change in the week that it is kept.
    """
    row = Export.objects.for_actor(actor).get_or_refuse(uuid=export)
    require(actor, VIEW_REPORT)
    if row.status != Status.DONE:
        raise Conflict("export_not_ready", _("The file is still being made."))
    right = lost(actor, row.query.get(TOLD), row.requested_by)
    if right:
        text = _("The file tells of more than your roles reach now. Ask for another one.")
        raise Refused(right, text, row)
    record(actor, "exported", row, purpose=row.purpose, sha256=row.sha256, rows=row.done)
    return row


def file_name(export: Export) -> str:
    """How the file is called when it is saved."""
    return f"{export.subject}-{export.created_at:%Y%m%d-%H%M}.{export.form}"


# --- For workers --------------------------------------------------------------------------------


def make_export(pk: int) -> None:
    """A file that was asked for is made and kept, or it is said why not. Safe to run twice."""
    export = claim(Export, pk)
    if export is None:
        return
    organisation = Organisation.objects.unscoped("of the export").get(pk=export.organisation_id)
    user = export.requested_by
    actor = actor_for(user, organisation, Origin(Door.TASK)) if user else None
    if actor is None or not actor.holds(VIEW_REPORT):
        end(export, Status.FAILED, error=NO_RIGHTS)
        return
    try:
        told = told_by(asked_by(actor, export.query), export, user)
        with translation.override(export.language), tempfile.TemporaryFile() as file:
            _write(file, export, actor, user)
            file.seek(0)
            kept = store(iter(lambda: file.read(65_536), b""), file_name(export))
    except _LostError:
        return
    except DomainError as error:
        give_up(export, error.code)
    except Exception:
        log.exception("Export %s could not be made", export.uuid)
        give_up(export, "export_failed")
    else:
        _finish(export, told, kept.path, kept.sha256, kept.size)


@transaction.atomic
def _finish(export: Export, told: dict[str, Any], path: str, sha256: str, size: int) -> None:
    done = end(
        export,
        Status.DONE,
        query={**export.query, TOLD: told},
        path=path,
        sha256=sha256,
        size=size,
        done=export.done,
        total=export.done,
        finished_at=timezone.now(),
        error="",
    )
    if done:
        tell_export(export)


def forget_exports() -> int:
    """Exports older than a week are gone, their bytes too unless something else has the same."""
    rows = Export.objects.unscoped("old ones, whoever asked")
    gone = list(rows.filter(created_at__lt=timezone.now() - KEPT)[:500])
    for export in gone:
        export.delete()
        if export.path and not held(export.sha256):  # an export may have been sent to a citizen
            discard(export.path)
    return len(gone)


class _LostError(Exception):
    """Somebody else has the work now."""


class _Progress:
    """Counts the rows written, and keeps the lease; at most twice a second."""

    def __init__(self, export: Export, total: int) -> None:
        self._export, self._told = export, timezone.now()
        self._hold(total=total)

    def __call__(self, rows: Iterator[Cells]) -> Iterator[Cells]:
        for row in rows:
            self._export.done += 1
            yield row
            if timezone.now() - self._told > _TOLD:
                self._told = timezone.now()
                self._hold()

    def _hold(self, **changes: Any) -> None:
        if not hold(self._export, done=self._export.done, **changes):
            raise _LostError


def _write(file: IO[bytes], export: Export, actor: Actor, user: User | None) -> None:
    export.done = 0
    asked = asked_by(actor, export.query)
    if export.subject == Export.Subject.CASES:
        tables = [_cases(export, asked)]
    else:
        tables = _figures(export, asked, user)
    if export.form == Export.Form.XLSX:
        write_xlsx(file, tables)
    else:
        write_csv(file, tables[0] if len(tables) == 1 else _one_below_another(tables))


# --- What the files hold ----------------------------------------------------------------------------


def _cases(export: Export, asked: Asked) -> Table:
    """The cases behind a figure, those that the asker may see: no word about any citizen."""
    given = {name: values[0] for name, values in export.query.items() if name in NAMES}
    rows = narrowed(asked, given).cases()
    total = rows.count()
    if total > MOST_CASES:
        raise Invalid(words_of(TOO_MANY), code=TOO_MANY)
    header = [
        *(_("Case number"), _("Case type"), _("Unit"), _("Channel"), _("State")),
        *(_("Opened"), _("Due date"), _("Ended"), _("Outcome"), _("District")),
        *(_("First answer (minutes)"), _("Resolution (minutes)"), _("Clock of the times")),
        _("Late"),
    ]
    progress = _Progress(export, total)
    return Table(str(_("Cases")), [str(word) for word in header], progress(_case_rows(asked, rows)))


def _case_rows(asked: Asked, rows: Any) -> Iterator[Cells]:
    zone = asked.now.tzinfo

    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(zone).replace(tzinfo=None) if moment else None

    found = rows.select_related("case_type", "type_version", "unit").defer("search", "description")
    ordered = found.order_by("-opened_at", "-pk")
    for start in range(0, MOST_CASES, _BATCH):
        batch: list[Case] = list(ordered[start : start + _BATCH])
        told = CaseFact.objects.for_actor(asked.actor).select_related("district")
        facts = {fact.pk: fact for fact in told.filter(pk__in=[case.pk for case in batch])}
        for case in batch:
            fact = facts.get(case.pk)
            yield (
                case.reference,
                case.case_type.name,
                case.unit.name,
                asked.channel_name(case.channel),
                of_version(case.type_version.bundle).name_of(case.state),
                local(case.opened_at),
                local(case.due_at),
                local(case.closed_at),
                case.outcome,
                fact.district.name if fact and fact.district else None,
                fact.answer_minutes if fact else None,
                fact.solved_minutes if fact else None,
                _clock(fact),
                fact.ended_late if fact else None,
            )
        if len(batch) < _BATCH:
            return


def _clock(fact: CaseFact | None) -> str | None:
    if fact is None or fact.answer_minutes is None:
        return None
    natural = fact.answer_natural or fact.solved_natural
    return _("natural time") if natural else _("opening hours")


def _figures(export: Export, asked: Asked, user: User | None) -> list[Table]:
    """Everything that the board shows."""
    board = Board(asked)
    plain: list[_Plain] = [
        (
            _("Figures"),
            [_("Figure"), _("Value"), _("Counted in"), _("Compared with"), _("Meaning")],
            [
                (
                    str(one.metric.name),
                    _exact(one.metric.unit, one.value),
                    str(one.note or UNIT_NAMES[one.metric.unit])
                    if one.metric.unit is not Unit.MINUTES
                    else " · ".join(filter(None, [str(_("minutes")), one.note])),
                    _exact(one.metric.unit, one.before),
                    str(one.metric.meaning),
                )
                for one in board.figures
            ],
        ),
        (
            _("Over time"),
            [_("From"), _("Until"), _("Cases opened"), _("Cases resolved"), _("Backlog")],
            [
                (first, last, opened, ended, left)
                for (_word, first, last), (_label, (opened, ended)), (_same, (left,)) in zip(
                    board.buckets, board.flow.rows, board.stock.rows, strict=True
                )
            ],
        ),
        *_barred(board),
        (
            _("By unit"),
            [_("Unit"), _("Cases opened"), _("Cases resolved"), _("Open now"), _("Overdue share")],
            [
                (str(row.name), *row.values[:3], _exact(Unit.SHARE, row.values[3]))
                for row in board.units
            ],
        ),
        (
            _("By hour"),
            [_("Weekday"), *(str(hour) for hour in range(24))],
            [(day, *(cell.value for cell in cells)) for day, cells in board.heat],
        ),
    ]
    others = organisations(asked, user)
    if others:
        plain.append(_beside(others))
    progress = _Progress(export, sum(len(rows) for _name, _header, rows in plain))
    return [
        Table(str(name), [str(word) for word in header], progress(iter(rows)))
        for name, header, rows in plain
    ]


def _barred(board: Board) -> Iterator[_Plain]:
    """What is shown as bars."""
    for title, head, shown in (
        (_("By case type"), _("Case type"), board.types),
        (_("By channel"), _("Channel"), board.channels),
        (_("By district"), _("District"), board.districts),
        (_("Age of what is open"), _("Age"), board.ages),
    ):
        if shown:
            yield title, [head, _("Cases")], [(str(bar.name), bar.value) for bar in shown]


def _beside(others: Sequence[Any]) -> _Plain:
    kinds = (Unit.CASES, Unit.CASES, Unit.CASES, Unit.MINUTES, Unit.SHARE)
    return (
        _("By organisation"),
        [
            *(_("Organisation"), _("Cases opened"), _("Cases resolved"), _("Backlog")),
            *(_("Resolution, median"), _("Overdue share")),
        ],
        [
            (str(row.name), *(_exact(kind, v) for kind, v in zip(kinds, row.values, strict=True)))
            for row in others
        ],
    )


def _exact(unit: Unit, value: float | None) -> "Value | Share":
    if value is None:
        return None
    return Share(value) if unit is Unit.SHARE else value


def _one_below_another(tables: Sequence[Table]) -> Table:
    """Several tables in the one that a CSV file holds: each row begins with the name of its own."""

    def rows() -> Iterator[Cells]:
        for table in tables:
            yield (table.name, *table.header)
            for row in table.rows:
                yield (table.name, *row)

    return Table("", [str(_("Table")), str(_("What it holds"))], rows())

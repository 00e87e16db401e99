"""Open cases go from one version of their type to another: tried dry, then one by one, resumably."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cases.fields import Field
from cases.models import (
    Case,
    CaseType,
    CaseTypeVersion,
    EventKind,
    StateCategory,
    VersionMigration,
    VersionMigrationRefusal,
)
from cases.permissions import PUBLISH_CASE_TYPE
from cases.services.clocks import renew_clock
from cases.services.writing import write
from cases.timeline import shown
from cases.workflow import Workflow, of_version
from crm.accounts.actors import actor_for, actor_for_client
from crm.accounts.services.api_clients import in_force
from crm.audit.record import record
from crm.kit.actor import Actor, Door, Kind, Origin
from crm.kit.errors import Conflict, DomainError, Invalid, NotFound, Refused, Text
from crm.kit.policy import decide, require
from crm.kit.tasks import enqueue

log = structlog.get_logger(__name__)
TASK = "cases.migrate_cases"
BATCH, MOST_PREVIEWED = 500, 500
_RUNNING = VersionMigration.Status.RUNNING


@dataclass(frozen=True, kw_only=True)
class Way:
    """What becomes of what the new version calls otherwise: old state → new state; old field → new field,
    or None to leave it behind; and what a new field holds where nobody has said anything yet."""

    states: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str | None] = field(default_factory=dict)
    fill: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many open cases are in a state, and where they go; "" when that state has no counterpart."""

    code: str
    name: str
    cases: int
    target: str


@dataclass(frozen=True)
class DryRun:
    """What a migration would do now, of all cases by state, and of the first of them one by one."""

    source: CaseTypeVersion
    target: CaseTypeVersion
    states: list[StateCount]
    fields_without_counterpart: list[str]
    looked_at: int
    refusals: list[tuple[Case, Text]]

    @property
    def total(self) -> int:
        """Open cases of the old version."""
        return sum(state.cases for state in self.states)

    @property
    def reasons(self) -> list[tuple[str, list[str]]]:
        """The refusals by their reason, the commonest first: the numbers of the cases."""
        found: dict[str, list[str]] = {}
        for case, reason in self.refusals:
            found.setdefault(str(reason), []).append(case.reference)
        return sorted(found.items(), key=lambda one: -len(one[1]))


@dataclass(frozen=True)
class Ways:
    """What a way between two versions has to say: of which states and fields, and from what to choose."""

    source: CaseTypeVersion
    target: CaseTypeVersion
    states: list[StateCount]
    """Those in which open cases stand."""
    goals: list[tuple[str, str]]
    """The states of the new version in which work goes on: code and name."""
    gone: list[tuple[str, str]]
    """The fields that the new version does not know: name and label."""
    before: Workflow
    after: Workflow

    @property
    def new(self) -> list[str]:
        """The fields that only the new version has, or that only it requires."""
        return [one.name for one in self.after.fields if self._is_new(one)]

    def _is_new(self, one: Field) -> bool:
        known = self.before.fields.get(one.name)
        if known is None:
            return True
        return one.required and not (known.required and known.when == one.when)


@dataclass(frozen=True, slots=True)
class _Carried:
    """A case as it would be in the new version; what nobody asks any more is `left`, in words."""

    state: str
    data: dict[str, Any]
    left: list[tuple[str, str]]


def ways_between(actor: Actor, code: str, source: int, target: int) -> Ways:
    """What has to be said before the open cases of one version can go to another."""
    old, new = _versions(actor, code, source, target)
    before, after = of_version(old.bundle), of_version(new.bundle)
    goals = [(one, state.name) for one, state in after.states.items() if not _ended(after, one)]
    gone = [(one.name, one.label) for one in before.fields if after.fields.get(one.name) is None]
    return Ways(old, new, _counts(old, before, after, Way()), goals, gone, before, after)


def try_migration(
    actor: Actor, code: str, source: int, target: int, way: Way | None = None
) -> DryRun:
    """What would happen, without doing anything."""
    way = way or Way()
    old, new = _versions(actor, code, source, target)
    before, after = of_version(old.bundle), of_version(new.bundle)
    _check_way(before, after, way)
    states = _counts(old, before, after, way)
    gone = [
        one.name
        for one in before.fields
        if one.name not in way.fields and after.fields.get(one.name) is None
    ]
    looked = list(_open_cases(old).order_by("pk")[:MOST_PREVIEWED])
    return DryRun(old, new, states, gone, len(looked), list(_refusals(looked, before, after, way)))


@transaction.atomic
def start_migration(
    actor: Actor, code: str, source: int, target: int, way: Way | None = None
) -> VersionMigration:
    """A worker takes the open cases of the old version to the new one; one such at a time."""
    way = way or Way()
    if actor.kind is Kind.SYSTEM:
        text = _("Only a person or a connected system has cases migrated.")
        raise Refused(PUBLISH_CASE_TYPE, text)
    person = actor.kind is Kind.USER
    old, new = _versions(actor, code, source, target)
    _check_way(of_version(old.bundle), of_version(new.bundle), way)
    if VersionMigration.objects.for_actor(actor).filter(source=old, status=_RUNNING).exists():
        text = _("The cases of this version are being migrated already.")
        raise Conflict("migration_running", text)
    migration = VersionMigration.objects.create(
        organisation_id=actor.organisation_id,
        case_type=old.case_type,
        source=old,
        target=new,
        states=dict(way.states),
        fields=dict(way.fields),
        fill=dict(way.fill),
        total=_open_cases(old).count(),
        requested_by_id=actor.id if person else None,
        client_id=None if person else actor.id,
    )
    told: dict[str, Any] = {"version": new.number, "cases": migration.total}
    record(actor, PUBLISH_CASE_TYPE, migration, change="migration_started", **told)
    enqueue(TASK, str(migration.uuid))
    return migration


def migrations_of(actor: Actor, code: str) -> QuerySet[VersionMigration]:
    """The migrations of a type, newest first, with what stayed behind."""
    require(actor, PUBLISH_CASE_TYPE)
    kind = CaseType.objects.for_actor(actor).get_or_refuse(code=code)
    rows = VersionMigration.objects.for_actor(actor).filter(case_type=kind)
    return rows.select_related("source", "target", "requested_by", "client").order_by("-pk")


def open_cases_by_version(actor: Actor, code: str) -> dict[int, int]:
    """How many cases are open by each version of a type; of whoever designs types, who may see none."""
    require(actor, PUBLISH_CASE_TYPE)
    kind = CaseType.objects.for_actor(actor).get_or_refuse(code=code)
    rows = Case.objects.unscoped("whoever designs types need see no case").filter(
        organisation=kind.organisation_id, case_type=kind, category__lt=StateCategory.RESOLVED
    )
    counted = rows.values_list("type_version__number").annotate(count=Count("pk")).order_by()
    return dict(counted)


def refusals_of(actor: Actor, migration: VersionMigration) -> list[tuple[str, str]]:
    """The numbers of the cases that stayed, and why; of whoever designs types, who may see no case."""
    require(actor, PUBLISH_CASE_TYPE, migration)
    rows = VersionMigrationRefusal.objects.unscoped("of a migration of the actor's organisation")
    rows = rows.filter(migration=migration).order_by("pk")
    return list(rows.values_list("case__reference", "reason"))


# --- Running ------------------------------------------------------------------------------------


def run_migration(uuid: UUID) -> None:
    """Every open case of the old version has been tried once, each in its own transaction.

    A case and the mark that it was tried are committed together: killed anywhere, it goes on with the
    next; two workers on one migration take turns and do nothing twice.
    """
    while True:
        rows = VersionMigration.objects.unscoped("a worker serves every organisation")
        row = rows.select_related("source__case_type").filter(uuid=uuid, status=_RUNNING).first()
        if row is None:
            return
        waiting = _open_cases(row.source).filter(pk__gt=row.after).order_by("pk")
        keys = list(waiting.values_list("pk", flat=True)[:BATCH])
        for key in keys or [0]:  # 0: none is left
            if not _step(uuid, key):
                return


def stalled_migrations() -> list[UUID]:
    """Those whose worker died: they have not moved for a minute."""
    rows = VersionMigration.objects.unscoped("a sweeper serves every organisation").filter(
        status=_RUNNING, updated_at__lt=timezone.now() - timedelta(minutes=1)
    )
    return list(rows.values_list("uuid", flat=True))


@transaction.atomic
def _step(uuid: UUID, key: int) -> bool:
    """One case has been tried, unless another worker was faster; whether the migration goes on."""
    row = (
        VersionMigration.objects.unscoped("a worker serves every organisation")
        .select_for_update(of=("self",))
        .select_related("source", "target", "case_type", "organisation", "requested_by")
        .select_related("client__organisation")
        .get(uuid=uuid)
    )
    if row.status != _RUNNING:
        return False
    actor = _actor_of(row)
    if actor is None or not decide(actor, PUBLISH_CASE_TYPE, row.case_type):
        return _finish(row, VersionMigration.Status.FAILED)
    if not key:
        told: dict[str, Any] = {
            "done": row.done,
            "refused": row.refused,
            "version": row.target.number,
        }
        record(actor, PUBLISH_CASE_TYPE, row, change="migration_finished", **told)
        return _finish(row, VersionMigration.Status.DONE)
    if key <= row.after:
        return True
    language = row.requested_by.language if row.requested_by else None
    with translation.override(language or translation.get_language()):
        refusal = _try(actor, row, key)
    row.after = key
    row.done += refusal is None
    row.refused += bool(refusal)
    row.save(update_fields=["after", "done", "refused", "updated_at"])
    return True


def _actor_of(row: VersionMigration) -> Actor | None:
    """Who asked for it, with the rights of now."""
    origin = Origin(Door.TASK, request_id=str(row.uuid))
    if row.client is not None:
        return actor_for_client(row.client, origin) if in_force(row.client) else None
    assert row.requested_by is not None
    return actor_for(row.requested_by, row.organisation, origin)


def workflows_of(migration: VersionMigration) -> tuple[Workflow, Workflow]:
    """What the cases were worked by, and what they are worked by now."""
    return of_version(migration.source.bundle), of_version(migration.target.bundle)


def progress(migration: VersionMigration) -> dict[str, Any]:
    """How far it is, as the component « progress » follows it."""
    return {
        "done": migration.done + migration.refused,
        "total": migration.total,
        "finished": migration.status != _RUNNING,
    }


def _finish(row: VersionMigration, status: VersionMigration.Status) -> bool:
    row.status = status
    row.save(update_fields=["status", "updated_at"])
    return False


def _try(actor: Actor, row: VersionMigration, key: int) -> Text | None:
    """None when it was done, "" when it needed nothing, else why it stays."""
    try:
        with transaction.atomic():
            return None if _migrate(actor, row, key) else ""
    except DomainError as error:
        reason = error.in_a_line
    except (OperationalError, InterfaceError):  # not the case's fault: the sweeper comes again
        raise
    except Exception:  # one case that nobody foresaw must not hold up the others for ever
        log.exception("case_migration_failed", migration=str(row.uuid), case=key)
        reason = _("Something failed; it was left as it is.")
    VersionMigrationRefusal.objects.create(migration=row, case_id=key, reason=reason[:400])
    return reason


def _migrate(actor: Actor, row: VersionMigration, key: int) -> bool:
    case = (
        _open_cases(row.source)
        .select_related("unit__organisation", "type_version", "case_type")
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=key)
        .first()
    )
    if case is None:  # it has ended meanwhile, and stays as it was worked
        return False
    before, after = of_version(row.source.bundle), of_version(row.target.bundle)
    way = Way(states=row.states, fields=row.fields, fill=row.fill)
    carried = _carried(case, before, after, way)
    target = after.states[carried.state]
    told = {
        "version_before": row.source.number,
        "version_after": row.target.number,
        "from": case.state,
        "from_name": before.said_of(case.state),
        "to": target.code,
        "to_name": target.said,
        "category": target.category,
        "left": carried.left,
    }
    case.type_version, case.data = row.target, carried.data
    case.state, case.category = target.code, target.category
    changed = ["type_version", "data", "state", "category"]
    if after.term is None and case.due_at is not None:
        case.due_at = None
        changed.append("due_at")
    kind = EventKind.MIGRATED
    write(actor, PUBLISH_CASE_TYPE, case, kind, told, changed=tuple(changed))
    renew_clock(actor, case, _("Its case type has another version."))
    return True


# --- Inside -------------------------------------------------------------------------------------


def _versions(
    actor: Actor, code: str, source: int, target: int
) -> tuple[CaseTypeVersion, CaseTypeVersion]:
    require(actor, PUBLISH_CASE_TYPE)
    kind = CaseType.objects.for_actor(actor).get_or_refuse(code=code)
    rows = kind.versions.exclude(status=CaseTypeVersion.Status.DRAFT).select_related("case_type")
    known = {row.number: row for row in rows}
    if source not in known or target not in known:
        raise NotFound(_("This case type has no such version."))
    if source == target:
        raise Invalid(errors={"target": [_("They are of this version already.")]})
    return known[source], known[target]


def _counts(
    version: CaseTypeVersion, before: Workflow, after: Workflow, way: Way
) -> list[StateCount]:
    counts = dict(_open_cases(version).values_list("state").annotate(count=Count("pk")).order_by())

    def goal(state: str) -> str:
        target = way.states.get(state, state)
        return target if target in after.states and not _ended(after, target) else ""

    return [
        StateCount(state, before.name_of(state), counts[state], goal(state))
        for state in (*before.states, *sorted(set(counts) - set(before.states)))
        if state in counts
    ]


def _open_cases(version: CaseTypeVersion) -> QuerySet[Case]:
    return Case.objects.unscoped("whoever designs types need see no case").filter(
        organisation=version.case_type.organisation_id,
        case_type=version.case_type_id,
        type_version=version,
        category__lt=StateCategory.RESOLVED,
    )


def _check_way(before: Workflow, after: Workflow, way: Way) -> None:
    errors: dict[str, list[Text]] = {}
    for old, new in way.states.items():
        if not isinstance(new, str) or new not in after.states:
            errors[f"states.{old}"] = [_("There is no state “%(code)s”.") % {"code": new}]
        elif _ended(after, new) and not _ended(before, old):
            text = _("A migration ends no work: choose a state in which it goes on.")
            errors[f"states.{old}"] = [text]
    errors |= _wrong_fields(after, way)
    if errors:
        raise Invalid(errors=errors)


def _wrong_fields(after: Workflow, way: Way) -> dict[str, list[Text]]:
    errors: dict[str, list[Text]] = {}
    named = {f"fields.{old}": new for old, new in way.fields.items() if new is not None}
    named |= {f"fill.{name}": name for name in way.fill}
    for where, name in named.items():
        if not isinstance(name, str) or after.fields.get(name) is None:
            errors[where] = [_("There is no field “%(name)s”.") % {"name": name}]
    for name, texts in after.fields.errors(way.fill).items():
        if name in way.fill:
            errors.setdefault(f"fill.{name}", texts)
    return errors


def _ended(workflow: Workflow, code: str) -> bool:
    state = workflow.states.get(code)
    return state is not None and state.category >= StateCategory.RESOLVED


def _refusals(
    cases: list[Case], before: Workflow, after: Workflow, way: Way
) -> Iterator[tuple[Case, Text]]:
    for case in cases:
        try:
            _carried(case, before, after, way)
        except DomainError as error:
            yield case, error.in_a_line


def _carried(case: Case, before: Workflow, after: Workflow, way: Way) -> _Carried:
    """The case as it would be; Invalid says why it must stay."""
    state = way.states.get(case.state, case.state)
    if state not in after.states or _ended(after, state):
        text = _("Its state “%(name)s” has no counterpart.") % {"name": before.name_of(case.state)}
        raise Invalid(errors={"state": [text]})
    data: dict[str, Any] = {}
    left: dict[str, Any] = {}
    for name, value in case.data.items():
        to = way.fields.get(name, name)
        if to is not None and after.fields.get(to) is not None:
            data[to] = value
        elif name in way.fields:
            left[name] = value
        else:
            text = _(
                "Its field “%(name)s” has no counterpart: say which field takes it, or leave it behind."
            )
            raise Invalid(errors={name: [text % {"name": before.fields.label_of(name)}]})
    data = {**{name: value for name, value in way.fill.items() if name not in data}, **data}
    kept = after.fields.kept(data)
    errors = {
        name: [f"{after.fields.label_of(name)}: {text}" for text in texts]
        for name, texts in after.fields.errors(kept).items()
    }
    if errors:
        raise Invalid(errors=errors)
    unasked = {name: value for name, value in data.items() if name not in kept}
    told = [
        (before.fields.label_of(name), before.fields.said(name, value))
        for name, value in left.items()
    ]
    told += [
        (after.fields.label_of(name), after.fields.said(name, value))
        for name, value in unasked.items()
    ]
    return _Carried(state, kept, [(label, shown(value)) for label, value in told])

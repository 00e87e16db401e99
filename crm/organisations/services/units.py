"""The tree of units: made, changed, moved, closed and merged. Every change locks the organisation,
so that two at a time cannot make a cycle, and raises `units_version`, by which the tree is cached."""

import re
from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, Text
from crm.kit.policy import require
from crm.organisations import dir3
from crm.organisations.models import Organisation, Unit, WorkingCalendar
from crm.organisations.permissions import MANAGE_UNITS
from crm.organisations.ports import closing_checks, movers
from crm.organisations.selectors import unit_tree

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@transaction.atomic
def create_unit(
    actor: Actor,
    parent_id: UUID,
    *,
    name: str,
    code: str,
    dir3_code: str = "",
    calendar: WorkingCalendar | None = None,
) -> Unit:
    """There is a new unit right below another that is open."""
    organisation = _lock(actor)
    parent = _open_unit(actor, parent_id)
    require(actor, MANAGE_UNITS, parent)
    unit = Unit(organisation=organisation, parent=parent, valid_from=timezone.localdate())
    _fill(unit, name=name, code=code, dir3_code=dir3_code, calendar=calendar)
    unit.save()
    _tree_changed(organisation)
    record(actor, MANAGE_UNITS, unit, act="created", code=unit.code, parent=parent.code)
    return unit


@transaction.atomic
def change_unit(
    actor: Actor,
    unit_id: UUID,
    *,
    name: str,
    code: str,
    dir3_code: str = "",
    calendar: WorkingCalendar | None = None,
    seen: str = "",
) -> Unit:
    """The unit has this name, these codes and this calendar; what it had stays in its history.

    `seen` is its `updated_at` as it was corrected; Changed when it is another by now.
    """
    organisation = _lock(actor)
    unit = _open_unit(actor, unit_id)
    require(actor, MANAGE_UNITS, unit)
    if seen and seen != unit.updated_at.isoformat():
        raise Changed(_("Somebody else has changed this. Compare before saving again."))
    before = _facts(unit)
    _fill(unit, name=name, code=code, dir3_code=dir3_code, calendar=calendar)
    after = _facts(unit)
    changed = [fact for fact in after if after[fact] != before[fact]]
    if changed:
        unit.save()
        _tree_changed(organisation)
        record(
            actor,
            MANAGE_UNITS,
            unit,
            act="changed",
            before={fact: before[fact] for fact in changed},
            after={fact: after[fact] for fact in changed},
        )
    return unit


@transaction.atomic
def move_unit(actor: Actor, unit_id: UUID, parent_id: UUID) -> Unit:
    """The unit, with all below it, hangs under another; never under itself or what is below it."""
    organisation = _lock(actor)
    unit, parent = _open_unit(actor, unit_id), _open_unit(actor, parent_id)
    require(actor, MANAGE_UNITS, unit)
    require(actor, MANAGE_UNITS, parent)
    _refuse_root(unit)
    if parent.pk in unit_tree(organisation).below([unit.pk]):
        raise _at("parent", _("A unit cannot hang under itself or under a unit below it."))
    before = unit.parent
    assert before is not None
    if before != parent:
        unit.parent = parent
        unit.save()
        _tree_changed(organisation)
        record(actor, MANAGE_UNITS, unit, act="moved", before=before.code, after=parent.code)
    return unit


@transaction.atomic
def close_unit(actor: Actor, unit_id: UUID, *, on: date | None = None) -> Unit:
    """The unit takes no more work, since that day or today; it and its closed cases stay."""
    organisation = _lock(actor)
    unit = _open_unit(actor, unit_id)
    require(actor, MANAGE_UNITS, unit)
    _refuse_root(unit)
    _refuse_open_children(unit)
    reasons = [reason for check in closing_checks.values() if (reason := check(unit))]
    if reasons:
        raise Invalid(
            _("The unit cannot be closed yet. Move what it holds, or merge it with another."),
            code="unit_in_use",
            errors={"": reasons},
        )
    _close(unit, on or timezone.localdate())
    _tree_changed(organisation)
    record(actor, MANAGE_UNITS, unit, act="closed", on=str(unit.closed_on))
    return unit


@transaction.atomic
def merge_units(actor: Actor, unit_id: UUID, into_id: UUID) -> Unit:
    """The unit is closed and points to another, where all that it held lies from now on."""
    organisation = _lock(actor)
    unit, into = _open_unit(actor, unit_id), _open_unit(actor, into_id)
    require(actor, MANAGE_UNITS, unit)
    require(actor, MANAGE_UNITS, into)
    _refuse_root(unit)
    if unit == into:
        raise _at("into", _("Choose another unit: one cannot be merged with itself."))
    _refuse_open_children(unit)
    moved = {name: movers[name](actor, unit, into) for name in movers}
    unit.merged_into = into
    _close(unit, timezone.localdate())
    _tree_changed(organisation)
    record(actor, MANAGE_UNITS, unit, act="merged", into=into.code, moved=moved)
    return unit


def _lock(actor: Actor) -> Organisation:
    return Organisation.objects.for_actor(actor).select_for_update().get()


def _open_unit(actor: Actor, unit_id: UUID) -> Unit:
    unit = (
        Unit.objects.for_actor(actor)
        .select_related("parent", "calendar")
        .get_or_refuse(uuid=unit_id)
    )
    if unit.closed_on is not None:
        raise Conflict("unit_closed", _("The unit is closed."))
    return unit


def _tree_changed(organisation: Organisation) -> None:
    organisation.units_version += 1
    organisation.save(update_fields=["units_version", "updated_at"])


def _close(unit: Unit, on: date) -> None:
    if on > timezone.localdate() or (unit.valid_from is not None and on < unit.valid_from):
        raise _at("on", _("Choose a day between the unit's first day and today."))
    unit.closed_on = on
    unit.save()


def _refuse_root(unit: Unit) -> None:
    if unit.parent is None:
        raise Invalid(_("The first unit of an organisation stays where it is."), code="unit_root")


def _refuse_open_children(unit: Unit) -> None:
    if unit.children.filter(closed_on=None).exists():
        raise Invalid(
            _("It has open units below. Move or close them first."), code="unit_has_children"
        )


def _fill(
    unit: Unit, *, name: str, code: str, dir3_code: str, calendar: WorkingCalendar | None
) -> None:
    """Set what people type, checked; Invalid names each wrong field."""
    unit.name, unit.code, unit.calendar = " ".join(name.split()), code.strip(), calendar
    errors: dict[str, list[Text]] = {}
    if not 1 <= len(unit.name) <= 200:
        errors["name"] = [_("Write a name of at most 200 characters.")]
    if not _CODE.fullmatch(unit.code):
        errors["code"] = [_("Use letters, digits, dots and dashes, at most 40.")]
    try:
        unit.dir3_code = dir3.normalise(dir3_code) if dir3_code.strip() else ""
    except Invalid as error:
        errors["dir3_code"] = [error.message]
    others = Unit.objects.unscoped("codes are unique in the organisation").filter(
        organisation=unit.organisation_id
    )
    others = others.exclude(pk=unit.pk)
    if "code" not in errors and others.filter(code=unit.code).exists():
        errors["code"] = [_("Another unit has this code.")]
    if unit.dir3_code and others.filter(dir3_code=unit.dir3_code).exists():
        errors["dir3_code"] = [_("Another unit has this DIR3 code.")]
    if calendar is not None and calendar.organisation_id not in (None, unit.organisation_id):
        errors["calendar"] = [_("Choose one of the calendars of the list.")]
    if errors:
        raise Invalid(errors=errors)


def _facts(unit: Unit) -> dict[str, str]:
    return {
        "name": unit.name,
        "code": unit.code,
        "dir3_code": unit.dir3_code,
        "calendar": unit.calendar.code if unit.calendar else "",
    }


def _at(field: str, message: Text) -> Invalid:
    return Invalid(errors={field: [message]})

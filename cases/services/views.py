"""Saved views: kept, changed, copied, deleted; and each person's own arrangement of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases.models import SavedView, ViewPlace
from cases.permissions import SHARE_VIEW, VIEW_CASE
from cases.presenting import COLUMNS
from cases.query import as_audited, understood
from cases.saved import ICONS, Placed, may_change, view_of, views_of
from cases.texts import one_line
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Invalid, Refused, Text
from crm.kit.policy import require
from crm.organisations.models import Unit

LONGEST_NAME = 80


@dataclass(frozen=True, kw_only=True)
class View:
    """What a saved view says."""

    name: str
    expression: str
    audience: str = SavedView.Audience.OWN
    unit: UUID | None = None
    by: str = ""
    columns: Sequence[str] = ()
    icon: str = "bookmark"
    linked: bool = False


@transaction.atomic
def save_view(actor: Actor, given: View) -> SavedView:
    """The view is among those of whoever it is for."""
    require(actor, VIEW_CASE)
    if given.audience == SavedView.Audience.OWN and actor.user_id is None:
        raise Invalid(errors={"audience": [_("Only a person has views of their own.")]})
    view = SavedView(organisation_id=actor.organisation_id, owner_id=actor.user_id)
    _fill(actor, view, given)
    view.save()
    _record(actor, view, "saved")
    return view


@transaction.atomic
def change_view(actor: Actor, view: UUID, given: View, *, version: int | None = None) -> SavedView:
    """The view says this. Who may not keep such views elsewhere cannot take it there either."""
    row = _locked(actor, view)
    if version is not None and row.version != version:
        raise Changed(_("Someone has changed this view since you opened it."))
    _fill(actor, row, given)
    row.version += 1
    row.save()
    _record(actor, row, "changed")
    return row


@transaction.atomic
def delete_view(actor: Actor, view: UUID) -> None:
    """The view is gone from everybody's list; the cases are as they were."""
    row = _locked(actor, view)
    _record(actor, row, "deleted")
    row.delete()


@transaction.atomic
def copy_view(actor: Actor, view: UUID) -> SavedView:
    """A view that one may open is now one's own as well, to be changed at will."""
    row = view_of(actor, view)
    given = view_as_given(row)
    names = set(
        SavedView.objects.for_actor(actor)
        .filter(audience=SavedView.Audience.OWN)
        .values_list("name", flat=True)
    )
    own = replace(
        given,
        audience=SavedView.Audience.OWN,
        unit=None,
        linked=False,
        name=_free_name(given.name, names),
    )
    copied = SavedView(organisation_id=actor.organisation_id, owner_id=actor.user_id)
    copied.expression = row.expression  # as it stands, even if it means nothing just now
    if actor.user_id is None:
        raise Invalid(errors={"audience": [_("Only a person has views of their own.")]})
    _fill(actor, copied, own)
    copied.save()
    _record(actor, copied, "saved")
    return copied


@transaction.atomic
def arrange_view(
    actor: Actor,
    view: UUID,
    *,
    pinned: bool | None = None,
    hidden: bool | None = None,
    step: int = 0,
) -> None:
    """For this person alone the view is pinned, hidden, or so many places further in its group."""
    row = SavedView.objects.for_actor(actor).get_or_refuse(uuid=view)
    if actor.user_id is None:
        raise Refused(VIEW_CASE, _("Only a person arranges their views."))
    if step:
        _move(actor, row, step)
    place, _made = ViewPlace.objects.for_actor(actor).get_or_create(view=row, user_id=actor.user_id)
    if pinned is not None:
        place.pinned = pinned
    if hidden is not None:
        place.hidden = hidden
    place.save()


def view_as_given(view: SavedView) -> View:
    """What a view says now, to be changed in part."""
    return View(
        name=view.name,
        expression=view.expression,
        audience=view.audience,
        unit=view.unit.uuid if view.unit else None,
        by=view.by,
        columns=view.columns,
        icon=view.icon,
        linked=view.linked,
    )


# --- Inside -------------------------------------------------------------------------------------


def _locked(actor: Actor, view: UUID) -> SavedView:
    """The view, for whoever may change it; who only has its link is refused, others find nothing."""
    row = view_of(actor, view)
    _require_may(actor, row)
    return SavedView.objects.opened_by(actor).select_for_update(of=("self",)).get(pk=row.pk)


def _require_may(actor: Actor, view: SavedView) -> None:
    decision = may_change(actor, view)
    if not decision:
        reason = decision.reason or _("It is a colleague's own view: copy it to change it.")
        raise Refused(SHARE_VIEW, reason, view)


def _fill(actor: Actor, view: SavedView, given: View) -> None:
    """The row says what was given; Refused where such views are not the actor's to keep, Invalid with
    all that is wrong."""
    name, expression = one_line(given.name), given.expression.strip()
    unit = _unit(actor, given.unit) if given.audience == SavedView.Audience.UNIT else None
    errors = {field: texts for field, texts in _errors(given, name) if texts}
    known = bool(expression) and expression == view.expression  # as it stood, whatever it means now
    if not known and (wrong := _wrong(actor, expression)):
        errors["expression"] = wrong
    if given.audience == SavedView.Audience.UNIT and unit is None:
        errors["unit"] = [_("There is no such unit, or it is closed.")]
    elif given.unit is not None and unit is None:
        errors["unit"] = [_("Only a unit's view names a unit.")]
    view.unit, view.audience, view.name, view.by = unit, given.audience, name, given.by
    view.expression, view.columns, view.icon = expression, list(given.columns), given.icon
    view.linked = given.linked and given.audience == SavedView.Audience.OWN
    if not errors.keys() & {"audience", "unit"}:
        _require_may(actor, view)
    if not errors and _taken(view):
        errors["name"] = [_("There is already a view of this name.")]
    if errors:
        raise Invalid(errors=errors)


def _errors(given: View, name: str) -> Iterator[tuple[str, list[Text]]]:
    if not name or len(name) > LONGEST_NAME:
        text = _("Write a name of at most %(count)s signs.") % {"count": LONGEST_NAME}
        yield "name", [text]
    for field, value, known in (
        ("audience", given.audience, SavedView.Audience.values),
        ("by", given.by, SavedView.By.values),
        ("icon", given.icon, ICONS),
    ):
        if value not in known:
            yield field, [_("Choose one of the offered values.")]
    if unknown := sorted(set(given.columns) - set(COLUMNS)):
        yield "columns", [_("There is no column “%(name)s”.") % {"name": unknown[0]}]


def _wrong(actor: Actor, expression: str) -> list[Text]:
    """What is wrong with a query, each with the word that it is about."""
    if not expression:
        return [_("Write what the view asks for, such as state:open.")]
    problems = understood(actor, expression).problems
    return [
        f"«{expression[one.start : one.end]}»: {one.message}"
        if one.end > one.start
        else one.message
        for one in problems
    ]


def _unit(actor: Actor, unit: UUID | None) -> Unit | None:
    own = {"uuid": unit} if unit else {"pk": actor.home_unit_id}
    return Unit.objects.for_actor(actor).filter(closed_on=None, **own).first()


def _taken(view: SavedView) -> bool:
    rows = SavedView.objects.unscoped("a name once in its place").exclude(pk=view.pk)
    same = rows.filter(
        organisation=view.organisation_id, audience=view.audience, unit=view.unit, name=view.name
    )
    if view.audience == SavedView.Audience.OWN:
        same = same.filter(owner=view.owner_id)
    return same.exists()


def _free_name(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name[: LONGEST_NAME - 6]} ({number})"
    return found


def _move(actor: Actor, view: SavedView, step: int) -> None:
    group = [one for one in views_of(actor) if _together(one.view, view)]
    at = next(index for index, one in enumerate(group) if one.view.pk == view.pk)
    to = max(0, min(len(group) - 1, at + step))
    group.insert(to, group.pop(at))
    _number(actor, group)


def _together(one: SavedView, other: SavedView) -> bool:
    return one.audience == other.audience and one.unit_id == other.unit_id


def _number(actor: Actor, group: Sequence[Placed]) -> None:
    assert actor.user_id is not None
    person: int = actor.user_id
    ViewPlace.objects.bulk_create(
        [
            ViewPlace(view=one.view, user_id=person, position=number)
            for number, one in enumerate(group, start=1)
        ],
        update_conflicts=True,
        unique_fields=["user", "view"],
        update_fields=["position"],
    )


def _record(actor: Actor, view: SavedView, what: str) -> None:
    own = view.audience == SavedView.Audience.OWN
    record(
        actor,
        VIEW_CASE if own else SHARE_VIEW,
        view,
        what=what,
        audience=view.audience,
        query=as_audited(view.expression),
    )

"""Kinds of cases: making them and publishing their versions."""

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cases import checklists
from cases.fields import in_order
from cases.models import CaseType, CaseTypeVersion
from cases.permissions import PUBLISH_CASE_TYPE
from cases.texts import one_line
from cases.workflow import parse
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Invalid, Text
from crm.kit.policy import require
from crm.organisations.models import Unit

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@transaction.atomic
def create_case_type(
    actor: Actor, *, code: str, name: str, nature: str, bundle: Mapping[str, Any]
) -> CaseType:
    """The organisation attends this kind of case, by the bundle's first published version."""
    require(actor, PUBLISH_CASE_TYPE)
    if not _CODE.fullmatch(code):
        text = _("A code is made of small letters, digits and dashes, 60 at most.")
        raise Invalid(errors={"code": [text]})
    if CaseType.objects.for_actor(actor).filter(code=code).exists():
        raise Invalid(errors={"code": [_("There is already a case type with this code.")]})
    case_type = CaseType(organisation_id=actor.organisation_id, code=code)
    _rename(case_type, name=name, nature=nature, is_active=True)
    case_type.save()
    publish_version(actor, case_type, bundle)
    return case_type


@transaction.atomic
def change_case_type(
    actor: Actor,
    code: str,
    *,
    name: str,
    nature: str,
    is_active: bool,
    bundle: Mapping[str, Any],
    seen: str = "",
) -> CaseType:
    """The case type is called so and its bundle is the published one; a changed bundle is a new version.

    `seen` is type_seen of what was edited; Changed when it is another by now.
    """
    require(actor, PUBLISH_CASE_TYPE)
    case_type = CaseType.objects.for_actor(actor).select_for_update().get_or_refuse(code=code)
    newest = _newest(case_type)
    if seen and seen != type_seen(case_type, newest):
        raise Changed(_("Somebody else has changed this. Compare before saving again."))
    _rename(case_type, name=name, nature=nature, is_active=is_active)
    case_type.save()
    if newest is None or newest.bundle != ordered(bundle):
        publish_version(actor, case_type, bundle)
    else:
        record(actor, PUBLISH_CASE_TYPE, case_type)
    return case_type


@transaction.atomic
def publish_version(
    actor: Actor, case_type: CaseType, bundle: Mapping[str, Any]
) -> CaseTypeVersion:
    """New cases are worked by this bundle from now on; those that are open keep theirs."""
    require(actor, PUBLISH_CASE_TYPE, case_type)
    kept = ordered(bundle)
    parse(kept)
    _require_units(actor, kept)
    newest = _newest(case_type)
    case_type.versions.filter(status=CaseTypeVersion.Status.PUBLISHED).update(
        status=CaseTypeVersion.Status.RETIRED
    )
    version = CaseTypeVersion.objects.create(
        case_type=case_type,
        number=newest.number + 1 if newest else 1,
        status=CaseTypeVersion.Status.PUBLISHED,
        bundle=kept,
    )
    record(actor, PUBLISH_CASE_TYPE, case_type, version=version.number)
    return version


def _require_units(actor: Actor, bundle: Mapping[str, Any]) -> None:
    """Invalid where a task goes to a unit that there is not."""
    if not bundle.get("tasks"):
        return
    units = Unit.objects.for_actor(actor).filter(closed_on=None).values_list("code", flat=True)
    problems = checklists.unknown_units(bundle, set(units))
    errors: dict[str, list[Text]] = {one.where: [one.message] for one in problems}
    if errors:
        raise Invalid(code="bundle_invalid", errors=errors)


def type_seen(case_type: CaseType, newest: CaseTypeVersion | None) -> str:
    """Another one as soon as anything that is set of the case type is another."""
    number = newest.number if newest else 0
    return f"{number} {case_type.is_active:d} {case_type.nature} {case_type.name}"


def _newest(case_type: CaseType) -> CaseTypeVersion | None:
    return case_type.versions.order_by("-number").first()


def ordered(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """The bundle as it is kept: its fields in the order in which they are asked."""
    fields = bundle.get("fields")
    if isinstance(fields, Mapping) and isinstance(fields.get("properties", {}), Mapping):
        return {**bundle, "fields": in_order(fields)}
    return dict(bundle)


def _rename(case_type: CaseType, *, name: str, nature: str, is_active: bool) -> None:
    case_type.name, case_type.nature, case_type.is_active = one_line(name), nature, is_active
    try:
        case_type.clean_fields(exclude={"organisation", "code"})
    except ValidationError as error:
        raise Invalid(errors=error.message_dict) from error

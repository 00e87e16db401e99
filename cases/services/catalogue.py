"""Kinds of cases: making them and publishing their versions."""

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cases.fields import in_order
from cases.models import CaseType, CaseTypeVersion
from cases.permissions import PUBLISH_CASE_TYPE
from cases.texts import one_line
from cases.workflow import parse
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.policy import require

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
    seen: int | None = None,
) -> CaseType:
    """The case type is called so and its bundle is the published one; a changed bundle is a new version.

    `seen` is the number of the version that was edited: Conflict when another has been published.
    """
    require(actor, PUBLISH_CASE_TYPE)
    case_type = CaseType.objects.for_actor(actor).select_for_update().get_or_refuse(code=code)
    newest = _newest(case_type)
    if seen is not None and newest is not None and newest.number != seen:
        text = _("Someone has published version %(number)s since you opened this one.")
        raise Conflict("type_changed", text % {"number": newest.number})
    _rename(case_type, name=name, nature=nature, is_active=is_active)
    case_type.save()
    if newest is None or newest.bundle != _ordered(bundle):
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
    ordered = _ordered(bundle)
    parse(ordered)
    newest = _newest(case_type)
    case_type.versions.filter(status=CaseTypeVersion.Status.PUBLISHED).update(
        status=CaseTypeVersion.Status.RETIRED
    )
    version = CaseTypeVersion.objects.create(
        case_type=case_type,
        number=newest.number + 1 if newest else 1,
        status=CaseTypeVersion.Status.PUBLISHED,
        bundle=ordered,
    )
    record(actor, PUBLISH_CASE_TYPE, case_type, version=version.number)
    return version


def _newest(case_type: CaseType) -> CaseTypeVersion | None:
    return case_type.versions.order_by("-number").first()


def _ordered(bundle: Mapping[str, Any]) -> dict[str, Any]:
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

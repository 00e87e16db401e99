"""Kinds of cases: making them and publishing their versions."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import checklists
from cases.fields import in_order
from cases.models import CaseType, CaseTypeVersion, Procedure
from cases.parts.named import Problem
from cases.parts.publishing import form_problems
from cases.permissions import PUBLISH_CASE_TYPE
from cases.texts import one_line
from cases.workflow import Workflow, of_version, parse
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Invalid, Text
from crm.kit.policy import require
from crm.organisations.models import Unit

CHANGED = gettext_lazy("Somebody else has changed this. Compare before saving again.")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@transaction.atomic
def create_case_type(
    actor: Actor, *, code: str, name: str, nature: str, bundle: Mapping[str, Any]
) -> CaseType:
    """The organisation attends this kind of case, by the bundle's first published version."""
    case_type = new_case_type(actor, code=code, name=name, nature=nature)
    publish_version(actor, case_type, bundle)
    return case_type


def new_case_type(actor: Actor, *, code: str, name: str, nature: str) -> CaseType:
    """A case type without any version: nothing can be opened by it yet."""
    require(actor, PUBLISH_CASE_TYPE)
    if not is_code(code):
        text = _("A code is made of small letters, digits and dashes, 60 at most.")
        raise Invalid(errors={"code": [text]})
    if CaseType.objects.for_actor(actor).filter(code=code).exists():
        raise Invalid(errors={"code": [_("There is already a case type with this code.")]})
    case_type = CaseType(organisation_id=actor.organisation_id, code=code)
    _rename(case_type, name=name, nature=nature, is_active=True)
    case_type.save()
    return case_type


def is_code(code: str) -> bool:
    """Whether a case type may be called so by programs."""
    return bool(_CODE.fullmatch(code))


@transaction.atomic
def change_case_type(
    actor: Actor,
    code: str,
    *,
    name: str,
    nature: str,
    is_active: bool,
    bundle: Mapping[str, Any] | None = None,
    seen: str = "",
) -> CaseType:
    """The case type is called so and, where a bundle is given, that is the published one; a changed
    bundle is a new version.

    `seen` is type_seen of what was edited; Changed when it is another by now.
    """
    case_type = locked_type(actor, code)
    newest = newest_version(case_type)
    if seen and seen != type_seen(case_type, newest):
        raise Changed(CHANGED)
    _rename(case_type, name=name, nature=nature, is_active=is_active)
    case_type.save()
    if bundle is not None and not _stands(newest, bundle):
        publish_version(actor, case_type, bundle)
    else:
        record(actor, PUBLISH_CASE_TYPE, case_type)
    return case_type


def _stands(newest: CaseTypeVersion | None, bundle: Mapping[str, Any]) -> bool:
    """Whether new cases are worked by this very bundle."""
    published = CaseTypeVersion.Status.PUBLISHED
    return newest is not None and newest.status == published and newest.bundle == ordered(bundle)


@transaction.atomic
def publish_version(
    actor: Actor, case_type: CaseType, bundle: Mapping[str, Any]
) -> CaseTypeVersion:
    """New cases are worked by this bundle from now on; those that are open keep theirs."""
    require(actor, PUBLISH_CASE_TYPE, case_type)
    version = CaseTypeVersion(case_type=case_type, bundle=bundle)
    version.made_from = newest_version(case_type)
    return put_into_force(actor, version)


def put_into_force(actor: Actor, version: CaseTypeVersion) -> CaseTypeVersion:
    """The draft, kept or not, is the type's published version; the one before is retired."""
    kept = ordered(version.bundle)
    workflow = parse(kept)
    in_the_way = [one for one in form_problems_of(version.case_type, workflow) if one.blocks]
    in_the_way += unknown_units_of(actor, kept)
    if in_the_way:
        raise invalid_bundle(in_the_way)
    newest = newest_version(version.case_type)
    retire_published(version.case_type)
    version.number = newest.number + 1 if newest else 1
    version.status = CaseTypeVersion.Status.PUBLISHED
    version.bundle, version.published_at = kept, timezone.now()
    version.changed_by_id, version.changed_by_name = actor.user_id, actor.name[:200]
    version.save()
    record(actor, PUBLISH_CASE_TYPE, version.case_type, version=version.number)
    return version


def form_problems_of(case_type: CaseType, workflow: Workflow) -> list[Problem]:
    """What is wrong between the forms of procedures and the type's fields as they are to be."""
    newest = newest_version(case_type)
    before = of_version(newest.bundle).fields if newest else workflow.fields
    forms = case_type.procedures.exclude(status=Procedure.Status.RETIRED).exclude(form={})
    return [
        problem
        for code, form in forms.order_by("code").values_list("code", "form")
        for problem in form_problems(code, form, before, workflow.fields)
    ]


def unknown_units_of(actor: Actor, bundle: Mapping[str, Any]) -> list[Problem]:
    """The tasks that go to a unit that there is not."""
    if not bundle.get("tasks"):
        return []
    units = Unit.objects.for_actor(actor).filter(closed_on=None).values_list("code", flat=True)
    return list(checklists.unknown_units(bundle, set(units)))


def invalid_bundle(problems: Iterable[Problem]) -> Invalid:
    """The refusal that tells every problem at its place."""
    errors: dict[str, list[Text]] = {}
    for problem in problems:
        errors.setdefault(problem.where, []).append(problem.message)
    return Invalid(code="bundle_invalid", errors=errors)


def retire_published(case_type: CaseType) -> int:
    """No version of the type is published; how many there were (one or none)."""
    published = case_type.versions.filter(status=CaseTypeVersion.Status.PUBLISHED)
    now = timezone.now()
    return published.update(status=CaseTypeVersion.Status.RETIRED, retired_at=now, updated_at=now)


def locked_type(actor: Actor, code: str) -> CaseType:
    """The case type, locked, so that what is said of its versions stays true; of who may design it."""
    require(actor, PUBLISH_CASE_TYPE)
    rows = CaseType.objects.for_actor(actor).select_for_update(of=("self",), no_key=True)
    return rows.get_or_refuse(code=code)


def type_seen(case_type: CaseType, newest: CaseTypeVersion | None) -> str:
    """Another one as soon as anything that is set of the case type is another."""
    number = newest.number if newest else 0
    return f"{number} {case_type.is_active:d} {case_type.nature} {case_type.name}"


def newest_version(case_type: CaseType) -> CaseTypeVersion | None:
    """The last that was published, in force or not."""
    drafts = CaseTypeVersion.Status.DRAFT
    return case_type.versions.exclude(status=drafts).order_by("-number").first()


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

"""Case types as they are designed: a draft is begun, changed part by part, published or thrown away."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases.fields import Problem, can_be_kept
from cases.models import CaseType, CaseTypeVersion
from cases.parts.publishing import advise
from cases.permissions import PUBLISH_CASE_TYPE
from cases.services.catalogue import (
    CHANGED,
    form_problems_of,
    invalid_bundle,
    locked_type,
    new_case_type,
    newest_version,
    ordered,
    put_into_force,
    retire_published,
    unknown_units_of,
)
from cases.workflow import MOST_BYTES, PARTS, check, of_version, simple_bundle
from crm.accounts.services.roles import published
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, NotFound
from crm.kit.policy import require
from crm.organisations.models import Organisation

MOST_DRAFT_BYTES = 2 * MOST_BYTES  # what is unfinished may be too long for a while
_DRAFT = CaseTypeVersion.Status.DRAFT


@transaction.atomic
def create_draft_type(
    actor: Actor,
    *,
    code: str,
    name: str,
    nature: str,
    bundle: Mapping[str, Any] | None = None,
) -> CaseType:
    """A new case type that only has a draft: the simple one, unless another bundle is given."""
    case_type = new_case_type(actor, code=code, name=name, nature=nature)
    _begin(actor, case_type, simple_bundle() if bundle is None else bundle, None)
    return case_type


@transaction.atomic
def start_draft(actor: Actor, code: str, *, version: int | None = None) -> CaseTypeVersion:
    """The type has a draft, made from the newest version or the one asked for. The draft that it has
    already is the answer; Conflict when another version was asked for than it was made from."""
    case_type = locked_type(actor, code)
    source = newest_version(case_type)
    if version is not None:
        kept = case_type.versions.exclude(status=_DRAFT)
        source = kept.filter(number=version).first()
        if source is None:
            raise NotFound(_("This case type has no such version."))
    draft = _draft(case_type)
    if draft is None:
        return _begin(actor, case_type, source.bundle if source else simple_bundle(), source)
    if version is not None and (draft.made_from is None or draft.made_from.number != version):
        text = _("There is a draft already. Publish or discard it before you begin another.")
        raise Conflict("draft_exists", text)
    return draft


@transaction.atomic
def change_draft(
    actor: Actor, code: str, part: str, value: Any, *, seen: str | None = None
) -> CaseTypeVersion:
    """The draft says this in one part of its bundle; None takes the part away.

    It may be unfinished and wrong: it is kept all the same, and publishing says what is wrong. `seen` is
    part_seen of what was edited; Changed when that part is another by now.
    """
    draft = _fetch(actor, code)
    if part not in PARTS:
        raise Invalid(errors={part: [_("There is no such part.")]})
    if seen is not None and seen != part_seen(draft.bundle, part):
        raise Changed(CHANGED)
    bundle = {name: kept for name, kept in draft.bundle.items() if name != part}
    if value is not None:
        bundle[part] = value
    return _write(actor, draft, bundle, part)


@transaction.atomic
def replace_draft(
    actor: Actor, code: str, bundle: Mapping[str, Any], *, seen: str | None = None
) -> CaseTypeVersion:
    """The draft is this bundle, whatever it was; `seen` is draft_seen of what was edited."""
    draft = _fetch(actor, code)
    if seen is not None and seen != draft_seen(draft):
        raise Changed(CHANGED)
    return _write(actor, draft, dict(bundle), "")


@transaction.atomic
def discard_draft(actor: Actor, code: str, *, seen: str | None = None) -> None:
    """The draft is gone; a type that was never published stays, and can be drafted again."""
    draft = _fetch(actor, code)
    if seen is not None and seen != draft_seen(draft):
        raise Changed(CHANGED)
    draft.delete()
    record(actor, PUBLISH_CASE_TYPE, draft.case_type, change="draft_discarded")


@transaction.atomic
def publish_draft(
    actor: Actor, code: str, *, seen: str | None = None, despite: bool = False
) -> CaseTypeVersion:
    """New cases are worked by what the draft says; open ones keep their version.

    Invalid says every problem with its place. Those that do not make work impossible stop nobody who
    publishes `despite` them. `seen` is draft_seen of what was looked at.
    """
    draft = _fetch(actor, code)
    if seen is not None and seen != draft_seen(draft):
        raise Changed(CHANGED)
    found = problems_of(actor, draft)
    if any(problem.blocks or not despite for problem in found):
        raise invalid_bundle(found)
    return put_into_force(actor, draft)


@transaction.atomic
def retire_case_type(actor: Actor, code: str) -> CaseType:
    """Nothing new is opened by this type; what is open is worked to its end. Publishing revives it."""
    case_type = locked_type(actor, code)
    if retire_published(case_type):
        record(actor, PUBLISH_CASE_TYPE, case_type, change="retired")
    return case_type


# --- Reading ------------------------------------------------------------------------------------


def draft_of(actor: Actor, code: str) -> CaseTypeVersion | None:
    """The type's draft, with who wrote in it last and from which version it was made."""
    require(actor, PUBLISH_CASE_TYPE)
    return _draft(CaseType.objects.for_actor(actor).get_or_refuse(code=code))


def problems_of(actor: Actor, draft: CaseTypeVersion) -> list[Problem]:
    """Everything that publishing this draft would say, each with its place: first what makes work
    impossible, or else also what is likely a mistake (`blocks` is false)."""
    problems = problems_in(actor, draft.bundle, draft.case_type)
    newest = newest_version(draft.case_type)
    if newest is not None and draft.made_from_id != newest.pk:
        text = _("Version %(number)s has been published since this draft was begun.")
        problems.append(Problem("", text % {"number": newest.number}, blocks=False))
    return problems


def problems_in(
    actor: Actor, bundle: Mapping[str, Any], case_type: CaseType | None
) -> list[Problem]:
    """The same of a bundle that is nobody's draft yet; of no type when it would be a new one."""
    bundle = ordered(bundle)
    problems = check(bundle)
    if not problems:
        organisation = Organisation.objects.for_actor(actor).get()
        roles = published(organisation.pk).values()
        workflow = of_version(bundle)
        if case_type is not None:
            problems += form_problems_of(case_type, workflow)
        problems += unknown_units_of(actor, bundle)
        problems += advise(
            bundle,
            workflow,
            languages=organisation.languages[1:],  # the first is the one that they are written in
            held={name for permissions in roles for name in permissions},
        )
    return problems


def part_seen(bundle: Mapping[str, Any], part: str) -> str:
    """Another one as soon as that part of the bundle says something else."""
    return _digest(bundle.get(part))


def draft_seen(draft: CaseTypeVersion) -> str:
    """Another one as soon as the draft says anything else."""
    return _digest(draft.bundle)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


# --- Inside -------------------------------------------------------------------------------------


def _draft(case_type: CaseType) -> CaseTypeVersion | None:
    drafts = case_type.versions.filter(status=_DRAFT)
    return drafts.select_related("case_type", "made_from").first()


def _fetch(actor: Actor, code: str) -> CaseTypeVersion:
    draft = _draft(locked_type(actor, code))
    if draft is None:
        raise NotFound(_("This case type has no draft."))
    return draft


def _begin(
    actor: Actor,
    case_type: CaseType,
    bundle: Mapping[str, Any],
    source: CaseTypeVersion | None,
) -> CaseTypeVersion:
    draft = CaseTypeVersion(case_type=case_type, made_from=source)
    record(actor, PUBLISH_CASE_TYPE, case_type, change="draft_begun")
    return _write(actor, draft, dict(bundle), None)


def _write(
    actor: Actor, draft: CaseTypeVersion, bundle: dict[str, Any], part: str | None
) -> CaseTypeVersion:
    """Kept as the database's JSON gives it back, so that what was seen can be compared with it."""
    _require_keepable(bundle, part or "")
    draft.bundle = ordered(bundle)
    draft.changed_by_id, draft.changed_by_name = actor.user_id, actor.name[:200]
    draft.save()
    draft.refresh_from_db(fields=["bundle"])
    if part is not None:
        record(actor, PUBLISH_CASE_TYPE, draft.case_type, change="draft_changed", part=part)
    return draft


def _require_keepable(bundle: Mapping[str, Any], part: str) -> None:
    try:
        size = len(json.dumps(bundle))
        keepable = can_be_kept(bundle)
    except (RecursionError, TypeError):  # nested without end, or no JSON
        raise Invalid(errors={part: [_("It is nested too deeply.")]}) from None
    if not keepable:
        raise Invalid(errors={part: [_("It contains characters that cannot be kept.")]})
    if size > MOST_DRAFT_BYTES:
        raise Invalid(errors={part: [_("The definition is too long.")]})

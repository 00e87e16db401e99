"""How a unit gives out its work: setting its rules, and what its people can take on."""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from cases.models import CaseType, Distribution, Method, WorkProfile
from cases.models.assignment import MOST_POINTS
from cases.permissions import DISTRIBUTE
from cases.texts import one_line
from crm.accounts.models import Membership
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, NotFound, Text
from crm.kit.policy import require
from crm.organisations.models import Organisation, Unit

MOST_SKILLS, LONGEST_SKILL = 30, 40
_SKILL = re.compile(r"[\w .+-]+")


@transaction.atomic
def set_rule(
    actor: Actor,
    unit: UUID | None,
    *,
    method: str,
    case_type: str = "",
    weight: int = 1,
    skills: Iterable[str] = (),
    by_language: bool = True,
) -> Distribution:
    """Free cases of the unit and those below it (of one type, or of all) are given out like this.

    Without a unit it is the organisation's rule, for which the right must reach all of it.
    """
    place = _unit(actor, unit)
    row = Distribution(organisation_id=actor.organisation_id, unit=place)
    require(actor, DISTRIBUTE, row)
    kind = _case_type(actor, case_type)
    errors: dict[str, list[Text]] = {}
    if method not in Method:
        errors["method"] = [_("Choose one of the offered values.")]
    if not 1 <= weight <= MOST_POINTS:
        text = _("It must lie between %(least)s and %(most)s.")
        errors["weight"] = [text % {"least": 1, "most": MOST_POINTS}]
    kept = _skills(skills, errors)
    if errors:
        raise Invalid(errors=errors)
    row, _made = Distribution.objects.for_actor(actor).update_or_create(
        organisation_id=actor.organisation_id,
        unit=place,
        case_type=kind,
        defaults={
            "method": method,
            "weight": weight,
            "skills": kept,
            "by_language": by_language,
        },
    )
    told: dict[str, Any] = {"method": method, "weight": weight, "skills": kept}
    record(actor, DISTRIBUTE, place or _organisation(actor), case_type=case_type, **told)
    return row


@transaction.atomic
def drop_rule(actor: Actor, rule: UUID) -> None:
    """The rule is no more: that of the place above counts."""
    row = (
        Distribution.objects.for_actor(actor)
        .select_related("unit", "case_type")
        .select_for_update(of=("self",))
        .get_or_refuse(uuid=rule)
    )
    require(actor, DISTRIBUTE, row)
    kind = row.case_type.code if row.case_type else ""
    record(actor, DISTRIBUTE, row.unit or _organisation(actor), case_type=kind, dropped=True)
    row.delete()


@transaction.atomic
def set_profile(
    actor: Actor,
    person: UUID,
    *,
    capacity: int,
    share: int = 100,
    skills: Iterable[str] = (),
    languages: Sequence[str] = (),
) -> WorkProfile:
    """The person can take on so many points, works such a part of the day, and knows these things."""
    membership = (
        Membership.objects.for_actor(actor)
        .in_force()
        .select_related("user")
        .filter(user__uuid=person)
        .first()
    )
    if membership is None:
        raise NotFound
    require(actor, DISTRIBUTE, membership)
    errors: dict[str, list[Text]] = {}
    text = _("It must lie between %(least)s and %(most)s.")
    if not 0 <= capacity <= MOST_POINTS:
        errors["capacity"] = [text % {"least": 0, "most": MOST_POINTS}]
    if not 1 <= share <= 100:
        errors["share"] = [text % {"least": 1, "most": 100}]
    if set(languages) - {code for code, _name in settings.LANGUAGES}:
        errors["languages"] = [_("Choose one of the offered values.")]
    kept = _skills(skills, errors)
    if errors:
        raise Invalid(errors=errors)
    told: dict[str, Any] = {
        "capacity": capacity,
        "share": share,
        "skills": kept,
        "languages": list(languages),
    }
    row, _made = WorkProfile.objects.for_actor(actor).update_or_create(
        organisation_id=actor.organisation_id, user=membership.user, defaults=told
    )
    record(actor, DISTRIBUTE, membership.user, **told)
    return row


def read_skills(text: str) -> list[str]:
    """Skills as people write them: by commas or one a line."""
    return [one for one in (one_line(part) for part in re.split(r"[,;\n]", text)) if one]


def _skills(skills: Iterable[str], errors: dict[str, list[Text]]) -> list[str]:
    kept = list(dict.fromkeys(one_line(skill).casefold() for skill in skills))
    if len(kept) > MOST_SKILLS:
        errors["skills"] = [_("There may be at most %(count)s skills.") % {"count": MOST_SKILLS}]
    for skill in kept:
        if len(skill) > LONGEST_SKILL or not _SKILL.fullmatch(skill):
            text = _(
                "“%(name)s” is no skill: up to %(most)s letters, digits, spaces, dots or dashes."
            )
            errors.setdefault("skills", []).append(
                text % {"name": skill[:LONGEST_SKILL], "most": LONGEST_SKILL}
            )
    return kept


def _unit(actor: Actor, unit: UUID | None) -> Unit | None:
    if unit is None:
        return None
    found = Unit.objects.for_actor(actor).filter(uuid=unit, closed_on=None).first()
    if found is None:
        raise Invalid(errors={"unit": [_("There is no such unit, or it is closed.")]})
    return found


def _case_type(actor: Actor, code: str) -> CaseType | None:
    if not code:
        return None
    found = CaseType.objects.for_actor(actor).filter(code=code).first()
    if found is None:
        raise Invalid(errors={"case_type": [_("There is no such case type.")]})
    return found


def _organisation(actor: Actor) -> Organisation:
    return Organisation.objects.for_actor(actor).get()

"""Case types leave an installation as text, come in as a draft, and are compared."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases.fields import Problem
from cases.models import CaseType, CaseTypeVersion
from cases.permissions import PUBLISH_CASE_TYPE
from cases.services.catalogue import newest_version, ordered
from cases.services.studio import (
    create_draft_type,
    draft_of,
    problems_of,
    publish_draft,
    replace_draft,
    start_draft,
)
from cases.type_diff import Change, differences
from cases.type_texts import Written, read, write
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import NotFound
from crm.kit.policy import require


def written(actor: Actor, code: str, *, number: int | None = None, draft: bool = False) -> Written:
    """A version of a type as its text says it: the newest, one by its number, or the draft."""
    require(actor, PUBLISH_CASE_TYPE)
    kind = CaseType.objects.for_actor(actor).get_or_refuse(code=code)
    version: CaseTypeVersion | None
    if draft:
        version = draft_of(actor, code)
    elif number is not None:
        version = kind.versions.exclude(number=0).filter(number=number).first()
    else:
        version = newest_version(kind)
    if version is None:
        raise NotFound(_("This case type has no such version."))
    return Written(kind.code, kind.name, kind.nature, ordered(version.bundle))


def export_text(actor: Actor, code: str, *, number: int | None = None, draft: bool = False) -> str:
    """The text of a version; one entry says that it left."""
    text = write(written(actor, code, number=number, draft=draft))
    kind = CaseType.objects.for_actor(actor).get(code=code)
    told: dict[str, Any] = {"version": number} if number else {}
    record(actor, "exported", kind, **told)
    return text


@transaction.atomic
def import_text(
    actor: Actor, text: str, *, publish: bool = False, despite: bool = False
) -> CaseTypeVersion:
    """What the text says is the draft of the type with its code, which is made where there is none; asked
    to, it is published. A draft that was there gives way: whoever imports has the text of what is to be."""
    require(actor, PUBLISH_CASE_TYPE)
    said = read(text)
    if not CaseType.objects.for_actor(actor).filter(code=said.code).exists():
        create_draft_type(
            actor, code=said.code, name=said.name, nature=said.nature, bundle=said.bundle
        )
    else:
        start_draft(actor, said.code)
        replace_draft(actor, said.code, said.bundle)
    if publish:
        return publish_draft(actor, said.code, despite=despite)
    draft = draft_of(actor, said.code)
    assert draft is not None
    return draft


def compare(actor: Actor, code: str, before: int, after: int | None) -> list[Change]:
    """What differs between two versions of a type; `after` None is its draft."""
    old = written(actor, code, number=before)
    new = written(actor, code, number=after, draft=after is None)
    return differences(old.bundle, new.bundle)


def check_type(actor: Actor, code: str) -> list[Problem]:
    """What publishing the type's draft would say; without a draft, what its newest version is told now."""
    version = draft_of(actor, code)
    if version is None:
        kind = CaseType.objects.for_actor(actor).get_or_refuse(code=code)
        newest = newest_version(kind)
        if newest is None:
            raise NotFound(_("This case type has no such version."))
        version = CaseTypeVersion(case_type=kind, bundle=newest.bundle, made_from=newest)
    return problems_of(actor, version)

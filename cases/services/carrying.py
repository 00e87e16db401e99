"""Case types leave an installation as text, come in as a draft, and are compared."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases.fields import Problem
from cases.models import CaseType, CaseTypeVersion
from cases.permissions import PUBLISH_CASE_TYPE
from cases.services.catalogue import change_case_type, is_code, newest_version, ordered
from cases.services.studio import (
    create_draft_type,
    draft_of,
    problems_in,
    problems_of,
    publish_draft,
    replace_draft,
    start_draft,
)
from cases.type_diff import Change, differences, head_differences
from cases.type_texts import Located, Written, located, read, write
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
    to, it is published, and the type called as the text calls it. A draft that was there gives way: whoever
    imports has the text of what is to be."""
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
        version = publish_draft(actor, said.code, despite=despite)
        change_case_type(actor, said.code, name=said.name, nature=said.nature, is_active=True)
        return version
    draft = draft_of(actor, said.code)
    assert draft is not None
    return draft


@dataclass(frozen=True)
class Preview:
    """What a text would do here, before anything of it is kept."""

    said: Written
    kind: CaseType | None
    """The type of that code that there is already."""
    changes: list[Change]
    """Against the version that was published last here; of a new type none."""
    problems: list[Located]
    gives_way: CaseTypeVersion | None
    """The draft that would give way, where it says anything else."""

    @property
    def known(self) -> bool:
        """Whether there is a type of that code already."""
        return self.kind is not None

    @property
    def replaces_draft(self) -> bool:
        """Whether something that somebody wrote would be lost."""
        return self.gives_way is not None


def look_at_text(actor: Actor, text: str) -> Preview:
    """What importing the text would do; Invalid with line and column when it cannot be read."""
    require(actor, PUBLISH_CASE_TYPE)
    said = read(text)
    kind = CaseType.objects.for_actor(actor).filter(code=said.code).first()
    newest = newest_version(kind) if kind else None
    changes: list[Change] = []
    if kind is not None and newest is not None:
        here = Written(kind.code, kind.name, kind.nature, newest.bundle)
        changes = [*head_differences(here, said), *differences(newest.bundle, said.bundle)]
    draft = draft_of(actor, said.code) if kind else None
    lost = draft is not None and bool(differences(draft.bundle, said.bundle))
    problems = [*_of_the_head(said, kind), *problems_in(actor, said.bundle, kind)]
    return Preview(said, kind, changes, located(text, problems), draft if lost else None)


def _of_the_head(said: Written, kind: CaseType | None) -> list[Problem]:
    """What is wrong with code and nature, which no check of a bundle sees."""
    found = []
    if kind is None and not is_code(said.code):
        text = _("A code is made of small letters, digits and dashes, 60 at most.")
        found.append(Problem("code", text))
    if said.nature not in CaseType.Nature.values:
        text = _("There are: %(names)s.") % {"names": ", ".join(CaseType.Nature.values)}
        found.append(Problem("nature", text))
    return found


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

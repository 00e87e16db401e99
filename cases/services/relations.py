"""Who else takes part in a case, and which other cases it has to do with."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.models import Case, EventKind, Link, Participant
from cases.permissions import CHANGE_CASE
from cases.services.places import citizen_of
from cases.services.writing import fetch, fetch_two, write
from cases.workflow import of_version
from crm.citizens.models import Citizen
from crm.citizens.selectors import shown_name
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.policy import require

participant_ends = {"participant_once_per_role": lambda: {"ended_at": timezone.now()}}
"""When two records of one person are merged, who took part twice in one role does so once."""


@transaction.atomic
def add_participant(actor: Actor, case: UUID, citizen: UUID, role: str) -> Participant:
    """The citizen takes part in the case in this role."""
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    workflow = of_version(row.type_version.bundle)
    if role not in dict(workflow.role_choices()):
        raise Invalid(errors={"role": [_("Choose one of the offered values.")]})
    who = citizen_of(actor, citizen)
    present = Participant.objects.for_actor(actor).filter(case=row, role=role, ended_at=None)
    if present.filter(citizen=who).exists():
        raise Invalid(errors={"citizen": [_("They already take part in this role.")]})
    return take_part(actor, CHANGE_CASE, row, who, role)


def take_part(actor: Actor, permission: str, row: Case, who: Citizen, role: str) -> Participant:
    """They take part in the case, which the caller holds."""
    workflow = of_version(row.type_version.bundle)
    present = Participant.objects.for_actor(actor).filter(case=row, role=role, ended_at=None)
    most = next((own.most for own in workflow.roles if own.code == role), None)
    if most is not None and present.count() >= most:
        text = ngettext(
            "Only %(count)s person can be this in a case of this type.",
            "Only %(count)s people can be this in a case of this type.",
            most,
        )
        raise Invalid(errors={"role": [text % {"count": most}]})
    participant = Participant.objects.create(case=row, citizen=who, role=role)
    told = {"name": shown_name(actor, who), "citizen": str(who.uuid), **_role(row, role)}
    write(actor, permission, row, EventKind.PARTICIPANT_ADDED, told)
    return participant


@transaction.atomic
def end_participant(actor: Actor, case: UUID, participant: UUID) -> Participant:
    """The citizen takes part in this role no more; that they did stays."""
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    found = (
        Participant.objects.for_actor(actor)
        .select_related("citizen")
        .get_or_refuse(case=row, uuid=participant)
    )
    if found.ended_at is None:
        found.ended_at = timezone.now()
        found.save(update_fields=["ended_at", "updated_at"])
        who = found.citizen
        told = {"name": shown_name(actor, who), "citizen": str(who.uuid), **_role(row, found.role)}
        write(actor, CHANGE_CASE, row, EventKind.PARTICIPANT_ENDED, told)
    return found


def _role(case: Case, code: str) -> dict[str, str]:
    """How an event keeps a role: one that only the type knows also by its name of now."""
    roles = of_version(case.type_version.bundle).roles
    own = next((role.said for role in roles if role.code == code), None)
    return {"role": code, **({"role_name": own} if own else {})}


@transaction.atomic
def link_cases(actor: Actor, case: UUID, other: UUID, kind: str = Link.Kind.RELATED) -> Link:
    """The case points to another that the actor may see; both say so in their story."""
    if case == other:
        raise Invalid(errors={"other": [_("A case is not linked to itself.")]})
    if kind not in Link.Kind.values:
        raise Invalid(errors={"kind": [_("Choose one of the offered values.")]})
    one, two = fetch_two(actor, case, other)
    require(actor, CHANGE_CASE, one)
    if Link.objects.for_actor(actor).filter(case=one, other=two).exists():
        raise Conflict("link_exists", _("These cases are already linked."))
    link = Link.objects.create(case=one, other=two, kind=kind)
    _tell_both(actor, EventKind.LINKED, link)
    return link


@transaction.atomic
def unlink_cases(actor: Actor, case: UUID, link: UUID) -> None:
    """The two cases point to each other no more."""
    found = (
        Link.objects.for_actor(actor)
        .select_related("case", "other")
        .select_for_update(of=("self",))
        .get_or_refuse(case__uuid=case, uuid=link)
    )
    found.case, found.other = fetch_two(actor, case, found.other.uuid)
    require(actor, CHANGE_CASE, found.case)
    _tell_both(actor, EventKind.UNLINKED, found)
    found.delete()


def _tell_both(actor: Actor, event: EventKind, link: Link) -> None:
    """Streams are locked in sorted order, as crm.kit.realtime asks."""
    for row in sorted((link.case, link.other), key=lambda row: str(row.uuid)):
        other = link.other if row is link.case else link.case
        told = {"case": str(other.uuid), "reference": other.reference, "kind": link.kind}
        write(actor, CHANGE_CASE, row, event, told)

"""Keeping in a case what another system was shown to say, and opening it again."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from cases.frozen import kept_in
from cases.models import Case, EventKind, FrozenAnswer, Participant
from cases.permissions import CHANGE_CASE
from cases.selectors import case_of
from cases.services.writing import fetch, moment, require_work_goes_on, write
from crm.audit.record import record
from crm.citizens.keeping import Shown, unseal
from crm.citizens.models import Citizen
from crm.citizens.permissions import VIEW_PROTECTED
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, NotFound, Refused
from crm.kit.policy import catalogue, require


@transaction.atomic
def freeze(actor: Actor, case: UUID, sealed: str) -> FrozenAnswer:
    """The answer, exactly as it was shown to the actor, is in the case for good; once, however often
    it is sent. Of nobody but the case's citizen and its participants."""
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    shown = unseal(actor, sealed)
    _require_readable(actor, shown.permission)
    require_work_goes_on(row)
    citizen = _of_case(actor, row, shown)
    before = FrozenAnswer.objects.for_actor(actor).filter(case=row, sha256=shown.digest).first()
    if before is not None:
        return before
    frozen = FrozenAnswer.objects.create(
        organisation_id=row.organisation_id,
        case=row,
        citizen=citizen,
        connection=shown.connection,
        source=shown.source,
        legal_basis=shown.legal_basis,
        permission=shown.permission,
        purpose=shown.purpose,
        records=shown.records,
        asked_at=shown.asked_at,
        obtained_at=shown.obtained_at,
        stale=shown.stale,
        frozen_at=moment(),
        by_id=actor.user_id,
        by_name=actor.name[:200],
        content=shown.content,
        sha256=shown.digest,
    )
    told = {
        "frozen": str(frozen.uuid),
        "source": frozen.source,
        "legal_basis": frozen.legal_basis,
        "obtained": frozen.obtained_at.isoformat(),
        "sha256": frozen.sha256,
    }
    write(actor, CHANGE_CASE, row, EventKind.FROZEN, told)
    return frozen


def open_frozen(actor: Actor, case: UUID, frozen: UUID) -> FrozenAnswer:
    """The kept answer is before the actor, and an entry says so; only to who could ask for it."""
    rows = kept_in(actor, case_of(actor, case)).select_related("case", "citizen")
    found: Any = rows.get_or_refuse(uuid=frozen)
    _require_readable(actor, found.permission)
    if found.guarded and not actor.holds(VIEW_PROTECTED):
        text = _("The record is protected, and none of your roles opens protected records.")
        raise Refused(VIEW_PROTECTED, text, found)
    attended = actor.attended(found.person)
    if attended is not None and not attended.everything:
        reason = attended.refusal or _("The mandate does not cover it.")
        raise Refused(CONSULT_SYSTEMS, reason, found)
    about = actor.about(found.person)
    record(about, "viewed", found, purpose=found.case.reference, case=found.case.reference)
    opened: FrozenAnswer = found
    return opened


def _of_case(actor: Actor, case: Case, shown: Shown) -> Citizen:
    citizen = Citizen.objects.for_actor(actor).known_by(shown.citizen).first()
    if citizen is None:
        raise NotFound
    part = Participant.objects.for_actor(actor).filter(case=case, citizen=citizen, ended_at=None)
    if case.citizen_id != citizen.pk and not part.exists():
        raise Invalid(errors={"case": [_("The person has no part in this case.")]})
    return citizen


def _require_readable(actor: Actor, permission: str) -> None:
    require(actor, CONSULT_SYSTEMS)
    if not actor.holds(permission):
        right = catalogue.get(permission)
        words = right.sentence if right else permission
        reason = format_lazy(_("This system is only for who may: {right}."), right=words)
        raise Refused(CONSULT_SYSTEMS, reason)

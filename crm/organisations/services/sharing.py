"""Agreements by which one organisation lets another see some of its data on citizens."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Text
from crm.kit.policy import require
from crm.organisations.models import DataClass, Organisation, SharingAgreement
from crm.organisations.permissions import MANAGE_SHARING


@transaction.atomic
def make_agreement(
    actor: Actor,
    *,
    receiver_code: str,
    legal_basis: str,
    data_classes: Iterable[str],
    starts: date,
    ends: date | None,
) -> SharingAgreement:
    """Another organisation may see these classes of the actor's organisation's data, from the first
    day to the last (None: until revoked)."""
    giver = _own_organisation(actor)
    receiver = (
        Organisation.objects.unscoped("any organisation can be the other party")
        .filter(code=receiver_code, is_active=True)
        .exclude(pk=giver.pk)
        .first()
    )
    classes = sorted(set(data_classes))
    errors: dict[str, list[Text]] = {}
    if receiver is None:
        errors["receiver"] = [_("Choose the other organisation.")]
    if not legal_basis.strip():
        errors["legal_basis"] = [_("State the legal basis.")]
    if not classes or set(classes) - set(DataClass.values):
        errors["data_classes"] = [_("Choose what is shared.")]
    if ends is not None and ends < starts:
        errors["ends"] = [_("The last day comes before the first.")]
    if receiver is None or errors:
        raise Invalid(errors=errors)
    agreement = SharingAgreement.objects.create(
        giver=giver,
        receiver=receiver,
        legal_basis=legal_basis.strip(),
        data_classes=classes,
        valid=DateRange(starts, ends, "[]"),
    )
    record(
        actor,
        MANAGE_SHARING,
        agreement,
        act="made",
        data_classes=classes,
        starts=starts,
        ends=ends,
        legal_basis=agreement.legal_basis,
    )
    return agreement


@transaction.atomic
def revoke_agreement(actor: Actor, agreement_id: UUID) -> SharingAgreement:
    """Nothing more is shared by the agreement, from this moment on. Either party may end it."""
    _own_organisation(actor)
    agreement = (
        SharingAgreement.objects.for_actor(actor)
        .select_for_update(of=["self"])
        .select_related("giver", "receiver")
        .get_or_refuse(uuid=agreement_id)
    )
    if agreement.revoked_at is not None:
        raise Conflict("agreement_revoked", _("The agreement has already been withdrawn."))
    agreement.revoked_at = timezone.now()
    agreement.save(update_fields=["revoked_at", "updated_at"])
    record(actor, MANAGE_SHARING, agreement, act="revoked")
    return agreement


def _own_organisation(actor: Actor) -> Organisation:
    organisation = Organisation.objects.for_actor(actor).get()
    require(actor, MANAGE_SHARING, organisation)
    return organisation

"""Who may act for whom: mandates recorded, checked, ended and extended. Nothing of them is undone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from crm.accounts.actors import system_actor
from crm.audit.record import record as write_down
from crm.citizens import checking
from crm.citizens.checking import Errors
from crm.citizens.events import CitizenChanged
from crm.citizens.mandate_ports import choices
from crm.citizens.mandates import ON_PAPER, REGISTERED, STRONGEST, last_day
from crm.citizens.models import (
    Act,
    Assurance,
    AuthorisedProfessional,
    Citizen,
    CitizenRecord,
    End,
    Mandate,
    MandatePaper,
    Proof,
    Scope,
)
from crm.citizens.permissions import MANAGE_MANDATES, VERIFY_MANDATE, VIEW_MANDATE
from crm.citizens.services.records import note, own_record
from crm.kit import files
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.kit.events import publish
from crm.kit.policy import require

EQUAL_ONE = _(
    "There is an equal mandate for some of these days. Revoke that one, or give other dates."
)
_CHOOSE = _("Choose one of the offered values.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMandate:
    """A mandate as it was shown: `holder` acts, within the scope, for as long as it says."""

    holder: UUID
    scope: str
    acts: Sequence[str]
    proof: str
    granted_on: date
    covers: Sequence[str] = ()
    proof_number: str = ""
    remarks: str = ""
    valid_from: date | None = None  # none: the day it was granted
    valid_until: date | None = None  # none: until it is ended


@transaction.atomic
def register_mandate(
    actor: Actor,
    grantor: UUID,
    new: NewMandate,
    *,
    paper: files.Stored | None = None,
    checked: bool = False,
    replaces: Mandate | None = None,
) -> Mandate:
    """The mandate is on record; it counts once somebody has checked its proof (`checked`: they have).

    Refused with the reason where an equal one covers some of its days.
    """
    record = own_record(actor, grantor, MANAGE_MANDATES)
    try:
        holder = _holder(actor, record, new.holder)
    except Invalid as error:
        raise Invalid(errors={"holder": [error.message]}) from error
    terms, professional = checked_terms(actor, holder, new)
    mandate = Mandate(
        organisation_id=actor.organisation_id,
        grantor=record.citizen,
        holder=holder,
        professional=professional,
        assurance=STRONGEST[terms["proof"]],
        **terms,
        recorded_by=actor.name[:200],
        replaces=replaces,
    )
    try:
        with transaction.atomic():
            mandate.save(force_insert=True)
    except IntegrityError as error:
        if "mandate_equal_once_at_a_time" not in str(error):
            raise
        raise Conflict("mandate_overlaps", EQUAL_ONE) from error
    if paper is not None:
        _keep(actor, mandate, paper)
    told = {"scope": mandate.scope, "acts": mandate.acts, "proof": mandate.proof}
    _done(actor, MANAGE_MANDATES, mandate, "granted", **told)
    if checked:
        return verify_mandate(actor, mandate.uuid)
    return mandate


def attach_paper(actor: Actor, mandate: UUID, chunks: Iterable[bytes], name: str) -> MandatePaper:
    """The document lies with the mandate; FileRefused says by name what is wrong with it."""
    with transaction.atomic():
        _mine(actor, mandate, MANAGE_MANDATES)
    stored = files.store(chunks, name)
    with transaction.atomic():
        found = _mine(actor, mandate, MANAGE_MANDATES)
        paper = _keep(actor, found, stored)
        _done(actor, MANAGE_MANDATES, found, "paper", file=paper.name, sha256=paper.sha256)
    return paper


@transaction.atomic
def verify_mandate(actor: Actor, mandate: UUID, *, assurance: int | None = None) -> Mandate:
    """Somebody has checked the proof: from now on the mandate counts, as surely as they say (never more
    than its kind of proof makes it)."""
    found = _mine(actor, mandate, VERIFY_MANDATE)
    _require_open(found)
    if found.verified_at is not None:
        raise Conflict("mandate_verified", _("The proof has been checked already."))
    if found.proof in ON_PAPER and not found.papers.exists():
        raise Invalid(errors={"paper": [_("Attach the document that proves it first.")]})
    most = STRONGEST[found.proof]
    sure = most if assurance is None else assurance
    if sure not in Assurance.values or sure > most:
        text = _("With this kind of proof it is at most: %(level)s.")
        raise Invalid(errors={"assurance": [text % {"level": most.label}]})
    found.assurance = sure
    found.verified_at, found.verified_by = timezone.now(), actor.name[:200]
    found.save(update_fields=["assurance", "verified_at", "verified_by", "updated_at"])
    _done(actor, VERIFY_MANDATE, found, "verified", assurance=int(sure))
    return found


@transaction.atomic
def end_mandate(actor: Actor, mandate: UUID, how: str, *, reason: str) -> Mandate:
    """From this moment the mandate lets nothing be done: its grantor revoked it or its holder renounced.

    What was done by it stays, with it.
    """
    found = _mine(actor, mandate, MANAGE_MANDATES)
    if how not in End.values:
        raise Invalid(errors={"how": [_CHOOSE]})
    why = _stated(reason)
    _require_open(found)
    found.ended_at, found.ended_how = timezone.now(), how
    found.ended_reason, found.ended_by = why, actor.name[:200]
    found.save(update_fields=["ended_at", "ended_how", "ended_reason", "ended_by", "updated_at"])
    _done(actor, MANAGE_MANDATES, found, "ended", how=how, reason=why)
    return found


@transaction.atomic
def extend_mandate(
    actor: Actor,
    mandate: UUID,
    *,
    granted_on: date,
    valid_until: date | None,
    proof_number: str = "",
    paper: files.Stored | None = None,
) -> Mandate:
    """A new mandate says the same from the day after the last of this one, by a proof of its own: for
    five more years at most where it is inscribed (Ley 39/2015 art. 6.6)."""
    old = _mine(actor, mandate, MANAGE_MANDATES)
    _require_open(old)
    if old.valid_until is None:
        raise Conflict(
            "mandate_endless", _("The mandate has no last day: it need not be extended.")
        )
    new = NewMandate(
        holder=old.holder.uuid,
        scope=old.scope,
        acts=old.acts,
        proof=old.proof,
        covers=old.covers,
        proof_number=proof_number,
        remarks=old.remarks,
        granted_on=granted_on,
        valid_from=max(old.valid_until + timedelta(days=1), granted_on),
        valid_until=valid_until,
    )
    return register_mandate(actor, old.grantor.uuid, new, paper=paper, replaces=old)


def open_paper(actor: Actor, mandate: UUID, paper: UUID) -> MandatePaper:
    """The document, about to be handed out: one entry says to whom."""
    found = (
        MandatePaper.objects.for_actor(actor)
        .select_related("mandate__grantor")
        .get_or_refuse(uuid=paper, mandate__uuid=mandate)
    )
    record = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    mine = record.get_or_refuse(citizen=found.mandate.grantor_id)
    require(actor, VIEW_MANDATE, mine)
    note(actor, "downloaded", mine, mandate=str(mandate), paper=found.name)
    return found


SOON = timedelta(days=30)


def tell_expiring(at_most: int = 500) -> int:
    """Mandates whose last day is near are told once: an entry of the grantor's and the holder's history
    says so; how many were."""
    until = timezone.localdate() + SOON
    rows = Mandate.objects.unscoped("the sweep serves every organisation").filter(
        ended_at=None, expiry_told_at=None, valid_until__lte=until
    )
    told = 0
    for key in list(rows.order_by("valid_until", "pk").values_list("pk", flat=True)[:at_most]):
        with transaction.atomic():
            found = (
                Mandate.objects.unscoped("the sweep serves every organisation")
                .select_for_update(of=("self",), skip_locked=True)
                .select_related("grantor", "holder", "organisation")
                .filter(pk=key, ended_at=None, expiry_told_at=None)
                .first()
            )
            if found is None:
                continue
            found.expiry_told_at = timezone.now()
            found.save(update_fields=["expiry_told_at", "updated_at"])
            worker = system_actor(found.organisation, Origin(Door.TASK))
            _done(worker, MANAGE_MANDATES, found, "expiring", until=str(found.valid_until))
            told += 1
    return told


def look_again(at_most: int = 200) -> int:
    """Proofs that wait for the virus scanner are judged; how many were."""
    waiting = MandatePaper.objects.unscoped("the scanner judges for everyone").filter(
        scan=files.Scan.UNAVAILABLE
    )
    judged = 0
    for paper in waiting.select_related("organisation").order_by("updated_at", "pk")[:at_most]:
        try:
            found = files.scan(paper.path)
        except NotFound:
            found = files.Scan.UNAVAILABLE
        with transaction.atomic():
            paper.scan = found
            paper.save(update_fields=["scan", "updated_at"])
            if found != files.Scan.UNAVAILABLE:
                worker = system_actor(paper.organisation, Origin(Door.TASK))
                write_down(worker, MANAGE_MANDATES, paper, scan=found.value)
                judged += 1
    return judged


# --- Professionals ------------------------------------------------------------------------------


@transaction.atomic
def authorise_professional(actor: Actor, citizen: UUID, number: str) -> AuthorisedProfessional:
    """The person or firm acts for many by RED, under this number of theirs."""
    record = own_record(actor, citizen, MANAGE_MANDATES)
    digits = "".join(checking.text(number, 40).split())
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        raise Invalid(errors={"number": [_("The RED number has digits only, 12 at most.")]})
    try:
        with transaction.atomic():
            made = AuthorisedProfessional.objects.create(
                organisation_id=actor.organisation_id, citizen=record.citizen, number=digits
            )
    except IntegrityError as error:
        text = _("The number is taken, or this person is authorised already.")
        raise Conflict("professional_known", text) from error
    note(actor, MANAGE_MANDATES, record, professional="authorised", number=digits)
    publish(CitizenChanged(str(citizen), record.organisation_id))
    return made


@transaction.atomic
def end_professional(actor: Actor, citizen: UUID, *, reason: str) -> AuthorisedProfessional:
    """The person or firm acts for nobody by RED any more: none of those mandates counts from now on."""
    record = own_record(actor, citizen, MANAGE_MANDATES)
    found = (
        AuthorisedProfessional.objects.for_actor(actor)
        .select_for_update(of=("self",))
        .get_or_refuse(citizen=record.citizen, ended_at=None)
    )
    found.ended_reason = _stated(reason)
    found.ended_at = timezone.now()
    found.save(update_fields=["ended_at", "ended_reason", "updated_at"])
    told = {"number": found.number, "reason": found.ended_reason}
    note(actor, MANAGE_MANDATES, record, professional="ended", **told)
    publish(CitizenChanged(str(citizen), record.organisation_id))
    return found


# --- Inside -------------------------------------------------------------------------------------


def _mine(actor: Actor, mandate: UUID, permission: str) -> Mandate:
    """The mandate, locked, with which the actor may do this."""
    found = (
        Mandate.objects.for_actor(actor)
        .select_for_update(of=("self",))
        .select_related("grantor", "holder", "professional")
        .get_or_refuse(uuid=mandate)
    )
    record = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    require(actor, permission, record.get_or_refuse(citizen=found.grantor_id))
    return found


def _require_open(mandate: Mandate) -> None:
    if mandate.ended_at is not None:
        raise Conflict("mandate_ended", _("The mandate has ended already."))


def _stated(reason: str) -> str:
    try:
        why = checking.text(reason, 240)
    except Invalid as error:
        raise Invalid(errors={"reason": [error.message]}) from error
    if not why:
        raise Invalid(errors={"reason": [_("State the reason in a few words.")]})
    return why


def checked_terms(
    actor: Actor, holder: Citizen, new: NewMandate
) -> tuple[dict[str, Any], AuthorisedProfessional | None]:
    """The terms in their kept form, and the authorisation that a RED mandate rests on; Invalid names all
    that is wrong at once."""
    errors = Errors()
    with errors.at("scope"):
        _require_among(new.scope, Scope.values)
    with errors.at("covers"):
        covers = _covered(actor, new)
    with errors.at("acts"):
        acts = sorted(set(new.acts))
        if not acts:
            raise Invalid(_("Say what it lets the holder do."))
        for act in acts:
            _require_among(act, Act.values)
    with errors.at("proof"):
        _require_among(new.proof, Proof.values)
    with errors.at("proof_number"):
        number = checking.text(new.proof_number, 60)
        if not number and new.proof in Proof.values and new.proof not in ON_PAPER | {Proof.RED}:
            raise Invalid(_("Write the number by which it is registered."))
    with errors.at("remarks"):
        remarks = checking.text(new.remarks, 240)
        if new.proof == Proof.PRIVATE and not remarks:
            raise Invalid(_("Write when and how the grantor confirmed it by voice."))
    start = new.valid_from or new.granted_on
    with errors.at("granted_on"):
        if new.granted_on > timezone.localdate():
            raise Invalid(_("The date lies in the future."))
    with errors.at("valid_from"):
        if start < new.granted_on:
            raise Invalid(_("It cannot be valid before it was granted."))
    with errors.at("valid_until"):
        _require_end(new, start)
    errors.refuse()
    with errors.at("proof"):
        professional = _professional(actor, holder) if new.proof == Proof.RED else None
    errors.refuse()
    terms = {
        "scope": new.scope,
        "covers": covers,
        "acts": acts,
        "proof": new.proof,
        "proof_number": number,
        "remarks": remarks,
        "granted_on": new.granted_on,
        "valid_from": start,
        "valid_until": new.valid_until,
    }
    return terms, professional


def _require_among(value: str, values: Sequence[str]) -> None:
    if value not in values:
        raise Invalid(_CHOOSE)


def _holder(actor: Actor, record: CitizenRecord, holder: UUID) -> Citizen:
    found = Citizen.objects.for_actor(actor).filter(uuid=holder, merged_into=None).first()
    if found is None:
        raise Invalid(_("There is no such citizen."))
    if found == record.citizen:
        raise Invalid(_("Nobody is their own representative."))
    return found


def _covered(actor: Actor, new: NewMandate) -> list[str]:
    covers = sorted(set(new.covers))
    if new.scope == Scope.GENERAL:
        if covers:
            raise Invalid(_("A general mandate covers everything: choose nothing here."))
        return []
    if new.scope not in Scope.values:  # said at the scope
        return covers
    if not covers:
        raise Invalid(_("Say which ones it covers."))
    if not set(covers) <= choices(actor, new.scope).keys():
        raise Invalid(_CHOOSE)
    return covers


def _require_end(new: NewMandate, start: date) -> None:
    if new.valid_until is not None and new.valid_until < start:
        raise Invalid(_("The last day lies before the first."))
    if new.proof not in REGISTERED or new.granted_on > timezone.localdate():
        return
    latest = last_day(new.granted_on)
    if new.valid_until is None or new.valid_until > latest:
        text = _(
            "An inscribed power is valid for five years at most (Ley 39/2015, art. 6.6): until %(day)s."
        )
        raise Invalid(text % {"day": date_format(latest)})


def _professional(actor: Actor, holder: Citizen) -> AuthorisedProfessional:
    rows = AuthorisedProfessional.objects.for_actor(actor)
    found = rows.filter(citizen=holder, ended_at=None).first()
    if found is None:
        raise Invalid(_("The holder is not authorised in RED: record their number first."))
    return found


def _keep(actor: Actor, mandate: Mandate, stored: files.Stored) -> MandatePaper:
    paper, _made = MandatePaper.objects.for_actor(actor).get_or_create(
        mandate=mandate,
        sha256=stored.sha256,
        defaults={
            "organisation_id": actor.organisation_id,
            "name": stored.name[:200],
            "media_type": stored.media_type,
            "size": stored.size,
            "scan": stored.scan,
            "added_by": actor.name[:200],
        },
    )
    return paper


def _done(actor: Actor, action: str, mandate: Mandate, act: str, **more: Any) -> None:
    """What was done stands in the trail of both, and others hear of it."""
    rows = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    known = {
        row.citizen_id: row
        for row in rows.filter(citizen__in=[mandate.grantor_id, mandate.holder_id])
    }
    sides = {"grantor": mandate.grantor, "holder": mandate.holder}
    for side, citizen in sides.items():
        told = {"mandate": act, "side": side, "id": str(mandate.uuid), **more}
        row = known.get(citizen.pk)
        if row is not None:
            note(actor, action, row, **told)
        else:  # known by another organisation's agreement only
            write_down(actor, action, citizen, **told)
        publish(CitizenChanged(str(citizen.uuid), actor.organisation_id))

"""Letting whoever filed a case follow it: a code by e-mail, once, for a quarter of an hour."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from email.utils import formataddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import AccessCode, Case, Confidentiality, RepresentativeAccess
from cases.models.merging import merged_into
from cases.represented import not_seen, subject_of
from cases.services.notes import mailbox_of, mailbox_of_citizen
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.citizens.attending import narrowed
from crm.citizens.models import Act, Citizen
from crm.citizens.representing import weighed
from crm.citizens.selectors import with_number
from crm.kit import outbox
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import NotFound
from crm.kit.mail import post
from crm.kit.secrets import decrypt, encrypt
from crm.kit.tries import count_try
from crm.kit.web import counted_by

CODE_MAIL = "cases.access_code_mail"
GOOD_FOR = timedelta(minutes=15)
MOST_TRIES = 5  # of one code
_DIGITS = 6
_HOUR = 3600
_FROM_ONE_ADDRESS, _FOR_ONE_CASE, _TYPED = 10, 3, 30  # an hour
_TOO_MANY = gettext_lazy("Too many codes were asked for or tried. Wait a while and try again.")


@dataclass(frozen=True, slots=True)
class Followed:
    """A case that a code opens, and for which representative of its citizen; None: whoever filed it."""

    case: Case
    holder: Citizen | None = None


def request_code(visitor: Actor, reference: str, number: str = "") -> None:
    """If there is such a case and a mailbox to it, a code is on its way there; with the identification
    number of who represents its citizen, and may be told, to theirs. Says nothing else."""
    typed = reference.strip().upper()[:40]
    who = counted_by(visitor.origin.ip)
    count_try("case_code", who, most=_FROM_ONE_ADDRESS, seconds=_HOUR, message=_TOO_MANY)
    place = f"{visitor.organisation_id}:{salted_hmac('cases.typed', typed).hexdigest()[:32]}"
    count_try("case_code_of", place, most=_FOR_ONE_CASE, seconds=_HOUR, message=_TOO_MANY)
    case = _case(visitor, typed)
    if case is None:
        return
    holder = _representative(visitor, case, number) if number.strip() else None
    if number.strip() and holder is None:
        return
    if not (mailbox_of_citizen(visitor, holder.pk) if holder else mailbox_of(visitor, case)):
        return
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    with transaction.atomic():
        access = AccessCode(case=case, expires_at=timezone.now() + GOOD_FOR)
        access.digest = _digest(access, code)
        access.save(force_insert=True)
        if holder is not None:
            RepresentativeAccess.objects.create(code=access, holder=holder)
        outbox.send_later(CODE_MAIL, {"access": str(access.uuid), "code": encrypt(code)})
        record(visitor, "disclosed", case, part="code")


@transaction.atomic
def redeem_code(visitor: Actor, reference: str, code: str) -> Followed | None:
    """The case that the code opens, which opens no more; None for any that does not, whatever the reason."""
    who = counted_by(visitor.origin.ip)
    count_try("case_code_typed", who, most=_TYPED, seconds=_HOUR, message=_TOO_MANY)
    case = _case(visitor, reference.strip().upper()[:40])
    if case is None:
        return None
    live = (
        AccessCode.objects.for_actor(visitor)
        .select_for_update(of=("self",))
        .filter(case=case, used_at=None, expires_at__gt=timezone.now(), tries__lt=MOST_TRIES)
        .order_by("-pk")
    )
    typed = "".join(char for char in code if char.isdigit())
    for access in live:
        if constant_time_compare(access.digest, _digest(access, typed)):
            access.used_at = timezone.now()
            access.save(update_fields=["used_at", "updated_at"])
            through = RepresentativeAccess.objects.filter(code=access).select_related("holder")
            return Followed(case, next((one.holder for one in through), None))
        access.tries += 1
        access.save(update_fields=["tries", "updated_at"])
    return None


def send_code(access: UUID, encrypted: str) -> None:
    """The code has been handed to the mail server, unless it is of no use any more."""
    row = (
        AccessCode.objects.unscoped("a worker serves every organisation")
        .select_related("case__organisation", "case__case_type")
        .filter(uuid=access, used_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if row is None:
        return
    case = row.case
    worker = system_actor(case.organisation, Origin(Door.TASK))
    through = RepresentativeAccess.objects.filter(code=row).first()
    if through is not None:
        address = mailbox_of_citizen(worker, through.holder_id)
    else:
        address = mailbox_of(worker, case)
    if not address:
        return
    with translation.override(case.language):
        told = {
            "code": decrypt(encrypted),
            "reference": case.reference,
            "organisation": case.organisation.name,
            "minutes": int(GOOD_FOR.total_seconds() // 60),
        }
        message = EmailMessage(
            subject=_("Your code to follow %(reference)s") % told,
            body=_(
                "Your code is %(code)s. It opens the case %(reference)s once, within %(minutes)s"
                " minutes.\n\nIf you have not asked for it, you need do nothing: nobody can follow the"
                " case without it. We will never ask you for this code by phone.\n\n%(organisation)s\n"
            )
            % told,
            from_email=formataddr((case.organisation.name, settings.DEFAULT_FROM_EMAIL)),
            to=[address],
        )
    post(message)


def may_be_told(visitor: Actor, case: Case, holder: UUID) -> Actor:
    """The visitor who speaks for the case's citizen; Refused when the mandate lets them know no more."""
    if case.citizen is None:
        raise NotFound
    speaking = narrowed(visitor, [(holder, case.citizen.uuid)])
    if not speaking.attends or not Case.objects.for_actor(speaking).filter(pk=case.pk).exists():
        raise not_seen(speaking, case.uuid)
    return speaking.about(case.citizen_id)


def _representative(visitor: Actor, case: Case, number: str) -> Citizen | None:
    """Who bears the number and may be told of the case by a mandate of its citizen."""
    if case.citizen_id is None:
        return None
    for uuid in with_number(visitor, number[:60]):
        holder = Citizen.objects.for_actor(visitor).get(uuid=uuid)
        if weighed(visitor, holder.pk, case.citizen_id, Act.INFORM, subject_of(case)):
            return holder
    return None


def _case(visitor: Actor, reference: str) -> Case | None:
    """The case that may be followed from outside: none that few may know of."""
    rows = Case.objects.for_actor(visitor).exclude(confidentiality=Confidentiality.SPECIAL)
    found = rows.select_related("organisation").filter(reference=reference).first()
    now = merged_into(found) if found else None  # an old number leads on
    return rows.select_related("organisation").filter(pk=now.pk).first() if now else found


def _digest(access: AccessCode, code: str) -> str:
    """Bound to its row and to the installation's key: six digits alone would be guessed from a copy."""
    return salted_hmac("cases.access_code", f"{access.uuid}:{code}", algorithm="sha256").hexdigest()

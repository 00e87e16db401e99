"""What a mandate lets its holder do for its grantor, at one moment: decided from rows alone (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from crm.citizens.mandate_models import (
    YEARS_OF_REGISTERED,
    Act,
    Assurance,
    End,
    Mandate,
    Proof,
    Scope,
)
from crm.kit.errors import Text
from crm.kit.policy import ALLOWED, Decision

STRONGEST: Mapping[str, Assurance] = {
    Proof.PUBLIC_DEED: Assurance.HIGH,
    Proof.APUD_ACTA_IN_PERSON: Assurance.HIGH,
    Proof.APUD_ACTA_ELECTRONIC: Assurance.HIGH,
    Proof.REGISTERED: Assurance.HIGH,
    Proof.RED: Assurance.SUBSTANTIAL,
    Proof.LEGAL: Assurance.HIGH,
    Proof.PRIVATE: Assurance.LOW,
}
"""How sure a proof can make it; who checks it may say less."""

REGISTERED = frozenset({Proof.APUD_ACTA_IN_PERSON, Proof.APUD_ACTA_ELECTRONIC, Proof.REGISTERED})
"""Inscribed in an electronic register: valid for five years at most (Ley 39/2015 art. 6.6)."""

ON_PAPER = frozenset({Proof.PUBLIC_DEED, Proof.APUD_ACTA_IN_PERSON, Proof.LEGAL, Proof.PRIVATE})
"""Checked only with the document at hand; the others by their number in a register."""

LEAST: Mapping[str, Assurance] = {
    Act.INFORM: Assurance.LOW,
    Act.FILE: Assurance.LOW,
    Act.NOTIFY: Assurance.LOW,
    Act.WITHDRAW: Assurance.SUBSTANTIAL,
}
"""How sure it must be for each act: what cannot be undone asks for more."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an act is about: a matter, and the procedures that it may belong to; of none, the person."""

    matter: str = ""
    procedures: frozenset[str] = frozenset()


WHOLE = Subject()


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was decided and by which mandate; without one, the reason is the nearest miss."""

    decision: Decision
    mandate: Mandate | None = None

    def __bool__(self) -> bool:
        return bool(self.decision)


def may(mandates: Iterable[Mandate], act: str, subject: Subject, at: datetime) -> Decision:
    """Whether one of the mandates (of one holder for one grantor) lets this be done at that moment."""
    return weigh(mandates, act, subject, at).decision


def weigh(mandates: Iterable[Mandate], act: str, subject: Subject, at: datetime) -> Weighed:
    """The first of the mandates that lets it be done, else why the one that comes nearest does not."""
    nearest, why = -1, str(_("There is no mandate on record between the two."))
    for mandate in mandates:
        missed = miss(mandate, act, subject, at)
        if missed is None:
            return Weighed(ALLOWED, mandate)
        if missed[0] > nearest:
            nearest, why = missed
    return Weighed(Decision(False, why))


@dataclass(frozen=True, slots=True)
class Extent:
    """How far an act is let at one moment: everything, or what lies within; empty, with the reason."""

    everything: bool = False
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by scope
    refusal: str = ""


def extent(mandates: Iterable[Mandate], act: str, at: datetime) -> Extent:
    """How far one of the mandates or another lets the act be done at that moment."""
    codes: dict[str, frozenset[str]] = {}
    nearest, why = -1, str(_("There is no mandate on record between the two."))
    everything = False
    for mandate in mandates:
        missed = miss(mandate, act, _own(mandate), at)
        if missed is None:
            everything = everything or mandate.scope == Scope.GENERAL
            codes[mandate.scope] = codes.get(mandate.scope, frozenset()) | set(mandate.covers)
        elif missed[0] > nearest:
            nearest, why = missed
    return Extent(everything, codes, "" if codes else why)


def _own(mandate: Mandate) -> Subject:
    """Something that its scope reaches."""
    if mandate.scope == Scope.MATTER:
        return Subject(matter=mandate.covers[0])
    return Subject(procedures=frozenset(mandate.covers))


def miss(mandate: Mandate, act: str, subject: Subject, at: datetime) -> tuple[int, str] | None:
    """Why the mandate does not let it be done, and how near it came; None when it does."""
    day = timezone.localdate(at)
    checks: tuple[tuple[bool, Text], ...] = (
        (covers(mandate, subject), _("The mandate on record does not cover this matter.")),
        (
            act in mandate.acts,
            _("The mandate on record does not include: %(act)s."),
        ),
        (mandate.valid_from <= day, _("The mandate is valid only from %(from)s.")),
        (
            mandate.valid_until is None or day <= mandate.valid_until,
            _("The mandate expired on %(until)s."),
        ),
        (not ended(mandate, at), _ENDED[mandate.ended_how or End.REVOKED]),
        (
            not _professional_gone(mandate, at),
            _("The professional is no longer authorised."),
        ),
        (
            mandate.verified_at is not None and mandate.verified_at <= at,
            _("Nobody has checked the proof of the mandate yet."),
        ),
        (
            mandate.assurance >= LEAST[act],
            _("The proof of the mandate is too weak for this: %(act)s."),
        ),
    )
    for place, (holds, why) in enumerate(checks):
        if not holds:
            return place, str(why) % _words(mandate, act)
    return None


def covers(mandate: Mandate, subject: Subject) -> bool:
    """Whether the scope reaches what the act is about; of the person as a whole, only a general one."""
    if mandate.scope == Scope.GENERAL:
        return True
    if mandate.scope == Scope.MATTER:
        return subject.matter in mandate.covers
    return not subject.procedures.isdisjoint(mandate.covers)


def ended(mandate: Mandate, at: datetime) -> bool:
    """Whether it had been revoked or renounced by then."""
    return mandate.ended_at is not None and mandate.ended_at <= at


def in_force(mandate: Mandate, at: datetime) -> bool:
    """Whether it lets anything be done at that moment."""
    return state_of(mandate, at) == "in_force"


def state_of(mandate: Mandate, at: datetime) -> str:
    """One word for how it stands: a chip's."""
    day = timezone.localdate(at)
    if ended(mandate, at):
        return mandate.ended_how
    if _professional_gone(mandate, at):
        return "unauthorised"
    if mandate.valid_until is not None and day > mandate.valid_until:
        return "expired"
    if mandate.verified_at is None or mandate.verified_at > at:
        return "unverified"
    return "in_force" if mandate.valid_from <= day else "future"


STATES: Mapping[str, tuple[Text, str, str]] = {
    "in_force": (_("In force"), "ok", "check"),
    "future": (_("Not yet valid"), "line", "calendar-time"),
    "unverified": (_("Proof not checked"), "cit", "alert-triangle"),
    "expired": (_("Expired"), "bad", "calendar-off"),
    "unauthorised": (_("Professional no longer authorised"), "bad", "user-off"),
    End.REVOKED: (_("Revoked"), "bad", "ban"),
    End.RENOUNCED: (_("Renounced"), "bad", "ban"),
}
"""Words, look and icon of each state."""


def last_day(granted: date) -> date:
    """The last day that a mandate of this date may be valid where it is inscribed in a register."""
    try:
        return granted.replace(year=granted.year + YEARS_OF_REGISTERED)
    except ValueError:  # 29 February
        return granted.replace(year=granted.year + YEARS_OF_REGISTERED, day=28)


_ENDED: Mapping[str, Text] = {
    End.REVOKED: _("The mandate was revoked on %(ended)s."),
    End.RENOUNCED: _("The holder renounced the mandate on %(ended)s."),
}


def moment_in_words(at: datetime) -> str:
    """A day and hour as people read them."""
    local = timezone.localtime(at)
    return f"{date_format(local)}, {date_format(local, 'H:i')}"


def _professional_gone(mandate: Mandate, at: datetime) -> bool:
    professional = mandate.professional
    return bool(professional and professional.ended_at and professional.ended_at <= at)


def _words(mandate: Mandate, act: str) -> dict[str, str]:
    ends = mandate.ended_at
    return {
        "act": str(Act(act).label),
        "from": date_format(mandate.valid_from),
        "until": date_format(mandate.valid_until) if mandate.valid_until else "",
        "ended": moment_in_words(ends) if ends else "",
    }

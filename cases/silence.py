"""What it means by law when the term of a case passes and nobody notified a resolution (arts. 24, 25)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases.models import Application, Case, CaseType, Procedure
from cases.workflow import of_version
from crm.kit.errors import Text
from crm.organisations.calendars import Calendar


class Effect(StrEnum):
    """Of the administration's silence."""

    GRANTED = "granted"
    DENIED = "denied"
    EXPIRED = "expired"
    NONE = "none"


EX_OFFICIO = frozenset({CaseType.Nature.INFRINGEMENT_REPORT})
"""What such a case begins is begun by the administration itself: whoever reports is no party by it."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The effect, its article of Ley 39/2015, and from which day; None while nobody knows when."""

    effect: Effect
    article: str
    since: date | None
    happened: bool
    late: bool = False  # it happened, and a resolution came afterwards

    @property
    def words(self) -> Text:
        """For employees."""
        day = date_format(self.since) if self.since else ""
        said = {"date": day, "article": self.article}
        if self.since is None:
            return _(
                "The term stands still: what silence means (art. %(article)s) counts when it has ended."
            ) % {"article": self.article}
        return (_happened(self.effect) if self.happened else _coming(self.effect)) % said


def _coming(effect: Effect) -> str:
    return {
        Effect.GRANTED: _(
            "Without a notified resolution it counts as granted by silence from %(date)s"
            " (Ley 39/2015, art. %(article)s)."
        ),
        Effect.DENIED: _(
            "Without a notified resolution it may be taken as denied by silence from %(date)s"
            " (Ley 39/2015, art. %(article)s)."
        ),
        Effect.EXPIRED: _(
            "Without a notified resolution the procedure expires on %(date)s"
            " (Ley 39/2015, art. %(article)s)."
        ),
        Effect.NONE: _(
            "That the term passes has no effect by itself; the duty to resolve goes on from %(date)s"
            " (Ley 39/2015, art. %(article)s)."
        ),
    }[effect]


def _happened(effect: Effect) -> str:
    return {
        Effect.GRANTED: _(
            "Granted by silence since %(date)s (Ley 39/2015, art. %(article)s): a later resolution can"
            " only confirm it (art. 24.3.a)."
        ),
        Effect.DENIED: _(
            "It may be taken as denied by silence since %(date)s (Ley 39/2015, art. %(article)s): the"
            " duty to resolve goes on, in whatever sense (art. 24.3.b)."
        ),
        Effect.EXPIRED: _(
            "The procedure has expired on %(date)s (Ley 39/2015, art. %(article)s): a resolution that"
            " says so closes it."
        ),
        Effect.NONE: _(
            "The term has passed on %(date)s without effect by itself; the duty to resolve goes on"
            " (Ley 39/2015, art. %(article)s)."
        ),
    }[effect]


def silence(
    case: Case, procedure: Procedure | None, calendar: Calendar, now: datetime
) -> Silence | None:
    """What silence means for a case; None where no procedure says it, no term runs or it ended in time.

    The term is the case's own, with its suspensions and extensions: they move the day.
    """
    if procedure is None or of_version(case.type_version.bundle).term is None:
        return None
    effect, article = effect_of(case.case_type.nature, procedure.silence)
    if case.due_at is None:
        return None if case.ended else Silence(effect, article, None, happened=False)
    ended = case.closed_at
    if ended is not None and ended <= case.due_at:
        return None
    since = case.due_at.astimezone(calendar.zone).date() + timedelta(days=1)
    return Silence(effect, article, since, happened=now > case.due_at, late=ended is not None)


def effect_of(nature: str, says: str) -> tuple[Effect, str]:
    """Begun by the citizen, what the procedure says (art. 24); ex officio, that claims are denied where
    something could be granted, else that it expires (art. 25)."""
    if nature in EX_OFFICIO:
        denied = says == Procedure.Silence.DENIED
        return (Effect.DENIED, "25.1.a") if denied else (Effect.EXPIRED, "25.1.b")
    articles = {Effect.GRANTED: "24.1", Effect.DENIED: "24.1", Effect.NONE: "21.1"}
    effect = Effect(says)
    return effect, articles[effect]


def procedure_of(case: Case) -> Procedure | None:
    """The procedure by which a case was filed, or else the only one that its type serves."""
    filed = Application.objects.unscoped("of the case in hand").filter(
        case=case, procedure=OuterRef("pk")
    )
    rows = (
        Procedure.objects.unscoped("of the case's own organisation")
        .filter(organisation=case.organisation_id)
        .annotate(filed=Exists(filed))
        .filter(Q(filed=True) | Q(case_type=case.case_type_id) & ~Q(status="draft"))
        .order_by("-filed", "pk")
    )
    found = list(rows[:2])
    if found and (len(found) == 1 or found[0].filed):
        return found[0]
    return None

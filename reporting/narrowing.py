"""What one bar, field or number of the board asks for beside its filters: which cases stand behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from cases.models.case import CaseQuerySet
from crm.kit.errors import NotFound, Text
from reporting.asking import Asked
from reporting.behind import BEHIND, at_hour, cases_behind, of_age
from reporting.board import BAND_NAMES
from reporting.metrics import catalogue
from reporting.models import District

NAMES = ("figura", "distrito", "franja", "edad")
_ANYTIME = ("open", "overdue")


@dataclass(frozen=True)
class Narrowed:
    """A list of cases behind the board."""

    asked: Asked
    measure: str
    narrow: Q
    words: tuple[Text, ...]
    given: Mapping[str, str]

    @property
    def title(self) -> Text:
        """What they are."""
        names: dict[str, Text] = {
            "open": _("Open now"),
            "overdue": _("Overdue now"),
            "answer": _("First answers"),
            "solved": _("Resolutions"),
            "late": _("Ended after their due date"),
        }
        metric = catalogue.get(self.measure)
        return names.get(self.measure) or (metric.name if metric else self.measure)

    @property
    def of_a_period(self) -> bool:
        """Whether they are of the board's period, and not of this moment."""
        return self.measure not in _ANYTIME

    def cases(self) -> CaseQuerySet:
        """Those that the actor may see as cases."""
        return cases_behind(self.asked.actor, self.asked.scope, self.measure, self.narrow)


def narrowed(asked: Asked, query: Mapping[str, str]) -> Narrowed:
    """What the query asks for; NotFound when there is no such figure, district, hour or age."""
    given = {name: query[name] for name in NAMES if query.get(name)}
    measure = given.get("figura", "opened")
    if measure not in BEHIND:
        raise NotFound
    narrow = Q()
    words: list[Text] = []
    if measure == "overdue":
        narrow &= Q(due_at__lt=asked.now)
    if "distrito" in given:
        place = _district(asked, given["distrito"])
        narrow &= Q(district=place)
        words.append(place.name if place else _("No known district"))
    if "franja" in given:
        day, hour = _slot(given["franja"])
        narrow &= at_hour(day, hour)
        words.append(_("From %(hour)s to %(next)s h") % {"hour": hour, "next": hour + 1})
    if "edad" in given:
        band = _number(given["edad"], len(BAND_NAMES))
        narrow &= of_age(band, asked.today)
        words.append(BAND_NAMES[band])
    return Narrowed(asked, measure, narrow, tuple(words), given)


def _district(asked: Asked, key: str) -> District | None:
    if key == "sin":
        return None
    try:
        uuid = UUID(key)
    except ValueError:
        raise NotFound from None
    return District.objects.for_actor(asked.actor).get_or_refuse(uuid=uuid)


def _slot(text: str) -> tuple[int, int]:
    day, _dash, hour = text.partition("-")
    return _number(day, 8), _number(hour, 24)


def _number(text: str, below: int) -> int:
    """A whole number below another."""
    if not (text.isascii() and text.isdecimal() and len(text) < 3 and int(text) < below):
        raise NotFound
    return int(text)

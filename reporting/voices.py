"""How a history speaks of people to each kind of reader: by name, as the organisation, by pseudonym."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from crm.citizens.identifiers import folded, mask_for_publication
from crm.citizens.models import Citizen
from reporting.models import Variant
from reporting.redaction import Known, Redactor, plain
from reporting.rows import Cast


class Voice:
    """Of the full history: everybody by name."""

    internal = True  # tells internal notes
    reasons = True  # tells why employees did things

    def __init__(self, rows: Cast) -> None:
        self.rows = rows

    def words(self, text: str) -> str:
        """A text that people wrote."""
        return plain(text)

    def person(self, citizen: Citizen) -> str:
        """A citizen."""
        return plain(citizen.full_name)

    def named(self, name: str) -> str:
        """Somebody of whom only the name is known."""
        return plain(name)

    def employee(self, name: str) -> str:
        """Somebody who works for the organisation."""
        return plain(name)

    def actor(self, kind: str, name: str) -> str:
        """Who did something: an employee, or a machine."""
        return self.employee(name) if kind == "user" else plain(name)

    def address(self, text: str) -> str:
        """Where the case's matter is."""
        return plain(text)

    def place(self, degrees: float | None) -> str:
        """One coordinate of it."""
        return "" if degrees is None else str(degrees)

    def identifiers(self, citizen: Citizen) -> list[str]:
        """The numbers that identify a citizen; of a protected one, only a few characters."""
        protected = citizen.pk in self.rows.protected
        return [
            f"{row.get_kind_display()} "
            + (mask_for_publication(row.kind, row.value) if protected else row.value)
            for row in self.rows.identifiers.get(citizen.pk, ())
            if row.ended_at is None
        ]


class CitizenVoice(Voice):
    """The organisation speaks, not its employees; beside a name no number is whole."""

    internal = False
    reasons = False

    def employee(self, name: str) -> str:
        return self.rows.organisation.name

    def actor(self, kind: str, name: str) -> str:
        return self.rows.organisation.name

    def identifiers(self, citizen: Citizen) -> list[str]:
        return [
            f"{row.get_kind_display()} {mask_for_publication(row.kind, row.value)}"
            for row in self.rows.identifiers.get(citizen.pk, ())
            if row.ended_at is None
        ]


class RedactedVoice(Voice):
    """Everybody by a pseudonym that is theirs throughout the case, whenever its history is issued.

    Numbers are given in order of first appearance, which later events cannot change.
    """

    internal = False

    def __init__(self, rows: Cast) -> None:
        super().__init__(rows)
        self._people: dict[str, str] = {}
        known = [*self._citizens(), *self._strangers(), *self._employees()]
        self._redact = Redactor(
            known,
            identifiers=[row.value for held in rows.identifiers.values() for row in held],
            addresses=rows.addresses,
            birthdays=[one.birth_date for one in rows.people if one.birth_date],
            kept=rows.references,
        )

    def words(self, text: str) -> str:
        return self._redact(text)

    def person(self, citizen: Citizen) -> str:
        return self._people[_of_citizen(citizen)]

    def named(self, name: str) -> str:
        return self._people.get(_of_name(name)) or self._redact(name)

    def employee(self, name: str) -> str:
        return self._people.get(_of_employee(name)) or self._redact(name)

    def actor(self, kind: str, name: str) -> str:
        return self.employee(name) if kind == "user" else self.named(name)

    def address(self, text: str) -> str:
        return _("[address]")

    def place(self, degrees: float | None) -> str:
        return self.address("")

    def identifiers(self, citizen: Citizen) -> list[str]:
        return []

    def _citizens(self) -> Iterator[Known]:
        aliases = self.rows.aliases
        for number, citizen in enumerate(self.rows.people, 1):
            label = _("Person %(number)s") % {"number": number}
            names = (citizen.full_name, *aliases.get(citizen.pk, ()))
            self._people[_of_citizen(citizen)] = label
            for name in names:
                self._people.setdefault(_of_name(name), label)
            yield Known(label, names, citizen.kind == Citizen.Kind.NATURAL)

    def _strangers(self) -> Iterator[Known]:
        """Who is known by name only."""
        number = 0
        for _at, name in sorted(self.rows.strangers):
            if name and _of_name(name) not in self._people:
                number += 1
                label = _("Other person %(number)s") % {"number": number}
                self._people[_of_name(name)] = label
                yield Known(label, (name,))

    def _employees(self) -> Iterator[Known]:
        for number, name in enumerate(_distinct(self.rows.employees), 1):
            label = _("Employee %(number)s") % {"number": number}
            self._people[_of_employee(name)] = label
            yield Known(label, (name,))


VOICES = {Variant.FULL: Voice, Variant.CITIZEN: CitizenVoice, Variant.REDACTED: RedactedVoice}


def voice_for(variant: Variant, rows: Cast) -> Voice:
    """How this variant speaks of the people of these rows."""
    return VOICES[variant](rows)


def _distinct(names: list[str]) -> list[str]:
    return list({_of_employee(name): name for name in reversed(names)}.values())[::-1]


def _of_citizen(citizen: Citizen) -> str:
    return f"citizen {citizen.pk}"


def _of_name(name: str) -> str:
    return f"name {folded(name)}"


def _of_employee(name: str) -> str:
    return f"employee {folded(name)}"

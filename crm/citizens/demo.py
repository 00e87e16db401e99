"""The demo's citizens: three thousand people and companies who do not exist, with numbers that check."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from stdnum.es import cif, dni

from crm.accounts.actors import system_actor
from crm.audit.record import entry, record_many
from crm.citizens import checking, vocabulary
from crm.citizens.checking import NewContactPoint, NewIdentifier
from crm.citizens.identifiers import folded
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint, Identifier, Need
from crm.citizens.names import COMPANIES, MEN, STREETS, SURNAMES, TRADES, WOMEN
from crm.citizens.permissions import CHANGE_CITIZEN
from crm.kit.actor import Door, Origin
from crm.kit.copying import copy_rows, take_keys
from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation

IN_INSTITUTE, IN_TOWN, IN_BOTH = 2_000, 800, 200
PROTECTED = {
    INSTITUTE: (
        "Víctima de violencia de género con orden de protección en vigor",
        "Testigo protegido por resolución judicial",
        "Persona de relevancia pública: accesos restringidos por instrucción interna",
    ),
    TOWN: (
        "Domicilio reservado por orden de protección",
        "Menor tutelado: expediente de protección abierto",
    ),
}
_COMMON = 110  # of the surnames, the ones that most people bear


class Town(NamedTuple):
    """Where people live: name, INE code, postal codes, weight, and a language beside Spanish."""

    name: str
    municipality: str
    postal_codes: Sequence[str]
    weight: int
    language: str = "es"


TOWNS = (
    Town("Madrid", "28079", ("28005", "28012", "28018", "28031", "28038", "28053"), 30),
    Town("Alcalá de Henares", "28005", ("28801", "28803", "28807"), 7),
    Town("Getafe", "28065", ("28901", "28903"), 6),
    Town("Barcelona", "08019", ("08004", "08016", "08025", "08030"), 11, "ca"),
    Town("Sabadell", "08187", ("08201", "08204"), 5, "ca"),
    Town("València", "46250", ("46007", "46015", "46023"), 8, "ca-es-valencia"),
    Town("Gandia", "46131", ("46700", "46701"), 4, "ca-es-valencia"),
    Town("Sevilla", "41091", ("41006", "41009", "41013"), 7),
    Town("Dos Hermanas", "41038", ("41700", "41701"), 4),
    Town("Zaragoza", "50297", ("50007", "50013", "50018"), 6),
    Town("A Coruña", "15030", ("15002", "15007", "15010"), 4, "gl"),
    Town("Ferrol", "15036", ("15401", "15403"), 3, "gl"),
    Town("Bilbao", "48020", ("48004", "48007", "48012"), 4, "eu"),
    Town("Las Palmas de Gran Canaria", "35016", ("35004", "35010"), 5),
)
VALDELAGUA = Town("Valdelagua", "28997", ("28599",), 1)


@dataclass
class Person:
    """A citizen still to be written, with what goes beside."""

    citizen: Citizen
    numbers: list[NewIdentifier]
    points: list[NewContactPoint]
    town: Town


def fill(demo: Demo) -> None:
    """The citizens exist with numbers and contact points, and each organisation keeps its records."""
    dice, organisations = demo.dice("citizens"), _organisations()
    make = _Maker(demo, dice)
    weights = [town.weight for town in TOWNS]
    far = [make.person(town) for town in dice.choices(TOWNS, weights, k=demo.share(IN_INSTITUTE))]
    near = [make.person(VALDELAGUA) for _ in range(demo.share(IN_TOWN))]
    both = [make.person(VALDELAGUA) for _ in range(demo.share(IN_BOTH))]
    people = [*far, *near, *both]
    for person, key in zip(people, take_keys(Citizen, len(people)), strict=True):
        person.citizen.pk = key
    copy_rows(Citizen, (vars(person.citizen) for person in people))
    numbers = (one for person in people for one in _numbers(demo, dice, person))
    copy_rows(Identifier, map(vars, numbers))
    _keep(demo, dice, organisations[INSTITUTE], [*far, *both])
    _keep(demo, dice, organisations[TOWN], [*near, *both])
    vocabulary.count_bearers()
    demo.made["citizens"] += len(people)


def _numbers(demo: Demo, dice: Random, person: Person) -> Iterator[Identifier]:
    for number in person.numbers:
        verified = dice.random() < 0.8
        yield Identifier(
            citizen=person.citizen,
            kind=number.kind,
            value=number.value,
            country=number.country,
            verified_at=demo.began if verified else None,
            verified_by="Registro de identidad" if verified else "",
        )


def _organisations() -> dict[str, Organisation]:
    rows = Organisation.objects.unscoped("the demo's own").filter(code__in=[INSTITUTE, TOWN])
    return {row.code: row for row in rows}


class _Maker:
    """Draws people; their numbers come from series that nobody is given."""

    def __init__(self, demo: Demo, dice: Random) -> None:
        self._today, self._dice = demo.now.date(), dice
        self._drawn = 0

    def person(self, town: Town) -> Person:
        """A natural person mostly, a company now and then."""
        self._drawn += 1
        return self._company(town) if self._dice.random() < 0.06 else self._natural(town)

    def _natural(self, town: Town) -> Person:
        dice, foreign = self._dice, self._dice.random() < 0.09
        born = self._today - timedelta(days=int(dice.triangular(16, 96, 48) * 365.25))
        citizen = Citizen(
            kind=Citizen.Kind.NATURAL,
            name=_often(dice, WOMEN if dice.random() < 0.53 else MEN),
            surname1=self._surname(),
            surname2="" if foreign and dice.random() < 0.5 else self._surname(),
            birth_date=born,
        )
        number = self._nie() if foreign else self._nif()
        numbers = [number]
        if dice.random() < 0.75:
            numbers.append(NewIdentifier(Identifier.Kind.NAF, self._naf(town)))
        local = _mailbox(citizen)
        points = [self._phone("+346000"), self._post(town)]
        if self._age(born) < 78 and dice.random() < 0.72:
            points.append(self._mail(f"{local}{self._drawn}@correo.example"))
        return self._checked(citizen, numbers, points, town)

    def _company(self, town: Town) -> Person:
        dice = self._dice
        name = f"{dice.choice(TRADES)} {dice.choice(COMPANIES)}"
        letter, ending = dice.choice(
            (("B", "S.L."), ("B", "S.L."), ("A", "S.A."), ("F", "S. Coop."))
        )
        digits = f"{letter}00{self._drawn:05}"
        citizen = Citizen(kind=Citizen.Kind.LEGAL, name=f"{name}, {ending}")
        letters = cif.calc_check_digits(digits)  # both forms: a digit and a letter
        numbers = [NewIdentifier(Identifier.Kind.CIF, digits + letters[0])]
        host = folded(name).replace(" ", "-").replace("'", "")
        points = [
            self._phone("+349100"),
            self._post(town),
            self._mail(f"administracion@{host}.example"),
        ]
        return self._checked(citizen, numbers, points, town)

    def _checked(
        self,
        citizen: Citizen,
        numbers: Sequence[NewIdentifier],
        points: Sequence[NewContactPoint],
        town: Town,
    ) -> Person:
        return Person(
            citizen,
            [checking.identifier(number, citizen.kind) for number in numbers],
            [checking.contact_point(point) for point in points],
            town,
        )

    def _surname(self) -> str:
        rare = self._dice.random() < 0.1
        return (
            self._dice.choice(SURNAMES[_COMMON:])
            if rare
            else _often(self._dice, SURNAMES[:_COMMON])
        )

    def _age(self, born: date) -> int:
        return (self._today - born).days // 365

    def _nif(self) -> NewIdentifier:
        digits = f"{99_000_000 + self._drawn * 7:08}"
        return NewIdentifier(Identifier.Kind.NIF, digits + dni.calc_check_digit(digits))

    def _nie(self) -> NewIdentifier:
        digits = f"{9_000_000 + self._drawn * 7:07}"
        return NewIdentifier(Identifier.Kind.NIE, f"Z{digits}{dni.calc_check_digit('2' + digits)}")

    def _naf(self, town: Town) -> str:
        province, number = town.municipality[:2], 99_000_000 + self._drawn * 13
        return f"{province}{number:08}{int(f'{province}{number:08}') % 97:02}"

    def _phone(self, prefix: str) -> NewContactPoint:
        return NewContactPoint(Channel.PHONE, f"{prefix}{self._drawn:05}", preferred=True)

    def _mail(self, address: str) -> NewContactPoint:
        return NewContactPoint(Channel.EMAIL, address, preferred=True)

    def _post(self, town: Town) -> NewContactPoint:
        dice = self._dice
        floor = f", {dice.randint(1, 7)}º {dice.choice('ABCD')}" if dice.random() < 0.7 else ""
        return NewContactPoint(
            Channel.POST,
            f"{dice.choice(STREETS)}, {dice.randint(1, 90)}{floor}",
            postal_code=dice.choice(town.postal_codes),
            municipality=town.municipality,
            locality=town.name,
            preferred=True,
        )


def _keep(demo: Demo, dice: Random, organisation: Organisation, people: Sequence[Person]) -> None:
    """The organisation keeps a record of these people, with its own contact points."""
    records = [_record(dice, organisation, person) for person in people]
    reasons = PROTECTED[organisation.code]
    natural = [record for record in records if record.citizen.kind == Citizen.Kind.NATURAL]
    for record in dice.sample(natural, min(len(natural), demo.share(8))):
        record.protected, record.protected_reason = True, dice.choice(reasons)
    copy_rows(CitizenRecord, map(vars, records))
    points = (one for person in people for one in _points(demo, dice, organisation, person))
    copy_rows(ContactPoint, map(vars, points))
    actor = system_actor(organisation, Origin(Door.COMMAND))
    told = {"registered": True, "known_before": False, "despite": []}
    record_many(
        {
            **entry(
                actor, CHANGE_CITIZEN, record.citizen, "", "done", record.shown_name, dict(told)
            ),
            "at": demo.began + timedelta(hours=2),
        }
        for record in records
    )


def _record(dice: Random, organisation: Organisation, person: Person) -> CitizenRecord:
    channels = [point.channel for point in person.points]
    own = person.town.language
    needs = [need for need in Need.values if dice.random() < 0.025]
    return CitizenRecord(
        organisation=organisation,
        citizen=person.citizen,
        language=own if dice.random() < 0.3 else "es",
        preferred_channel=dice.choice(channels) if dice.random() < 0.5 else "",
        accessibility_needs=needs if person.citizen.kind == Citizen.Kind.NATURAL else [],
    )


def _points(
    demo: Demo, dice: Random, organisation: Organisation, person: Person
) -> Iterator[ContactPoint]:
    for point in person.points:
        verified = dice.random() < 0.6
        yield ContactPoint(
            organisation=organisation,
            citizen=person.citizen,
            channel=point.channel,
            address=point.address,
            address_key=point.key,
            postal_code=point.postal_code,
            municipality=point.municipality,
            locality=point.locality,
            preferred=point.preferred,
            verified_at=demo.began + timedelta(days=dice.randint(0, 300)) if verified else None,
            quality=ContactPoint.Quality.GOOD
            if verified
            else dice.choices([ContactPoint.Quality.UNSURE, ContactPoint.Quality.BAD], [85, 15])[0],
        )


def _often(dice: Random, names: Sequence[str]) -> str:
    """The first ones oftener: lists of names begin with those that most people bear."""
    return names[int(len(names) * dice.random() ** 1.8)]


def _mailbox(citizen: Citizen) -> str:
    words = vocabulary.words_of(f"{citizen.name.split()[0]} {citizen.surname1}")
    return ".".join(words)


seeders.register("citizens", Seeder(5, fill))

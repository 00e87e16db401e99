"""People and cases with a random past in every room, and what the database holds, row by row."""

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.utils import timezone

from cases import services as cases
from cases.models import Case, Document, Participant
from channels_app.models import Conversation, ConversationCase
from channels_app.models.conversation import State
from crm.accounts.actors import system_actor
from crm.citizens.models import (
    Channel,
    Citizen,
    CitizenRecord,
    Consent,
    ContactPoint,
    Identifier,
    Need,
)
from crm.organisations.models import Organisation, Unit
from reporting.models import IssuedHistory
from scheduling.models import Appointment, BookableService, Office, Resource
from tests.factories.accounts import ORIGIN
from tests.factories.campaigns import topic_of
from tests.factories.cases import CaseFactory
from tests.factories.channels_app import make_account, make_queue
from tests.factories.citizens import CitizenFactory, made_up_nif
from tests.factories.scheduling import make_office, make_resource, make_service

APART = {
    # what tells of what happened, and what is owed to the world for it
    *("audit_auditentry", "audit_seal", "kit_outbox", "kit_streamhead", "kit_streamevent"),
    *("citizens_merge", "citizens_mergeline", "cases_casemerge", "cases_casemergeline"),
    "cases_event",
}
DIGEST = "0" * 64


def everything() -> dict[str, list[str]]:
    """Every row of every table as text, but for the tables that tell of what happened."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            names = {key.name for key in model._meta.concrete_fields}
            if table in APART or "pgh_id" in names or not model._meta.managed:
                continue
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')  # noqa: S608
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


def differences(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, Any]:
    """The rows that are not the same, by table."""
    return {
        table: (sorted(set(rows) - set(after[table])), sorted(set(after[table]) - set(rows)))
        for table, rows in before.items()
        if rows != after[table]
    }


class Past:
    """Some people of two organisations, and what befell them; the same for the same seed."""

    def __init__(self, dice: Random, here: Unit, there: Unit, people: int = 4) -> None:
        self.dice, self.units = dice, (here, there)
        self.topics = {unit.organisation_id: topic_of(unit.organisation) for unit in self.units}
        self.accounts = {
            unit.organisation_id: make_account(make_queue(unit)) for unit in self.units
        }
        self.places: dict[int, tuple[Office, BookableService, Resource]] = {}
        for unit in self.units:
            service = make_service(unit.organisation)
            office = make_office(unit.organisation, unit)
            self.places[unit.organisation_id] = (office, service, make_resource(office, service))
        self.people = [self._person(number) for number in range(people)]
        self.cases = [self._case() for _number in range(5)]
        self.conversations: list[Conversation] = []
        for _number in range(dice.randrange(8, 16)):
            self.something()

    def something(self) -> None:
        """One more thing happens to somebody."""
        self.dice.choice(
            (
                *(self._participant, self._conversation, self._appointment),
                *(self._point, self._consent, self._number, self._history, self._document),
            )
        )()

    def _person(self, number: int) -> Citizen:
        dice = self.dice
        person: Citizen = CitizenFactory(
            name=dice.choice(["Ana", "José Luis", "Núria"]),
            surname1=dice.choice(["García", "Vila"]),
            surname2=dice.choice(["", "Rodríguez"]),
            birth_date=dice.choice([None, "1950-02-03"]),
            nif="",
        )
        for place, unit in enumerate(self.units):
            if place == 0 or dice.random() < 0.6:
                CitizenRecord.objects.create(
                    citizen=person,
                    organisation=unit.organisation,
                    language=dice.choice(["es", "ca", "gl"]),
                    preferred_channel=dice.choice(["", "email"]),
                    accessibility_needs=dice.sample(Need.values, dice.randrange(3)),
                    **dice.choice([{}, {}, {"protected": True, "protected_reason": "Riesgo"}]),
                )
        person.refresh_from_db()
        return person

    def _organisation(self, person: Citizen) -> Organisation:
        rows = CitizenRecord.objects.filter(citizen=person).order_by("organisation_id")
        return self.dice.choice([row.organisation for row in rows])

    def _unit(self, person: Citizen) -> Unit:
        where = self._organisation(person)
        return next(unit for unit in self.units if unit.organisation_id == where.pk)

    def anybody(self) -> Citizen:
        """One of those who are on record as themselves."""
        return self.dice.choice(
            list(Citizen.objects.filter(pk__in=[p.pk for p in self.people], merged_into=None))
        )

    def _case(self) -> Case:
        person = self.anybody()
        case: Case = CaseFactory(unit=self._unit(person), citizen=person)
        return case

    def _participant(self) -> None:
        case = self.dice.choice(self.cases)
        role = self.dice.choice(["applicant", "witness"])
        person = self.anybody()
        rows = Participant.objects.filter(case=case, citizen=person, role=role, ended_at=None)
        if not rows.exists():
            Participant.objects.create(case=case, citizen=person, role=role)

    def _conversation(self) -> None:
        person = self.anybody()
        unit = self._unit(person)
        made = Conversation.objects.create(
            organisation=unit.organisation,
            account=self.accounts[unit.organisation_id],
            unit=unit,
            state=State.CLOSED,
            ended_at=timezone.now(),
            ended_by=Conversation.EndedBy.SYSTEM,
            closed_at=timezone.now(),
            citizen=person,
        )
        self.conversations.append(made)
        for case in self.dice.sample(self.cases, self.dice.randrange(3)):
            ConversationCase.objects.create(conversation=made, case=case)

    def _appointment(self) -> None:
        person = self.anybody()
        unit = self._unit(person)
        office, service, desk = self.places[unit.organisation_id]
        starts = timezone.now() + timedelta(days=self.dice.randrange(10_000), minutes=1)
        Appointment.objects.create(
            organisation=unit.organisation,
            service=service,
            office=office,
            resource=desk,
            citizen=person,
            case=self.dice.choice([None, *self.cases]),
            starts_at=starts,
            ends_at=starts + timedelta(minutes=20),
            during=(starts, starts + timedelta(minutes=20)),
            time_zone="Europe/Madrid",
            modality="in_person",
            status="cancelled",
            channel="phone",
        )

    def _point(self) -> None:
        person = self.anybody()
        where = self._organisation(person)
        address = self.dice.choice(["a@correo.example", "b@correo.example"])
        rows = ContactPoint.objects.filter(citizen=person, organisation=where, ended_at=None)
        if rows.filter(address_key=address).exists():
            return
        preferred = not rows.filter(preferred=True).exists() and self.dice.random() < 0.7
        ContactPoint.objects.create(
            organisation=where,
            citizen=person,
            channel=Channel.EMAIL,
            address=address,
            address_key=address,
            preferred=preferred,
            verified_at=self.dice.choice([None, timezone.now()]),
        )

    def _consent(self) -> None:
        points = list(ContactPoint.objects.filter(citizen__in=self.people, ended_at=None))
        if points:
            point = self.dice.choice(sorted(points, key=lambda p: p.pk))
            Consent.objects.create(
                contact_point=point,
                topic=self.topics[point.organisation_id],
                state=self.dice.choice(["granted", "withdrawn"]),
                source="test",
            )

    def _number(self) -> None:
        kind = self.dice.choice(["passport", "foreign", "naf"])
        value = f"{kind[0].upper()}{Identifier.objects.count():06}"
        Identifier.objects.create(
            citizen=self.anybody(),
            kind=kind,
            value=value,
            country="ES" if kind == "naf" else "MA",
            verified_at=self.dice.choice([None, timezone.now()]),
        )

    def _history(self) -> None:
        person = self.anybody()
        where = self._organisation(person)
        IssuedHistory.objects.create(
            organisation=where,
            citizen=person,
            variant="full",
            code=f"CSV{IssuedHistory.objects.count():09}",
            fingerprint=f"{IssuedHistory.objects.count():064}",
            content={},
        )

    def _document(self) -> None:
        case = self.dice.choice(self.cases)
        actor = system_actor(case.organisation, ORIGIN)
        stored = Document.objects.create(
            organisation_id=case.organisation_id,
            case=case,
            name="papel.pdf",
            media_type="application/pdf",
            size=1,
            sha256=DIGEST,
            scan="clean",
            origin="citizen",
            added_by_name=actor.name,
        )
        cases.add_note(actor, case.uuid, f"Nota sobre {stored.name}")


def nif_of(person: Citizen, number: int, *, verified: bool = False) -> UUID:
    """The person has a made-up NIF."""
    made = Identifier.objects.create(
        citizen=person,
        kind="nif",
        value=made_up_nif(number),
        verified_at=timezone.now() if verified else None,
    )
    return made.uuid

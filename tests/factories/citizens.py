"""Citizens, their numbers and contact points for tests. Nobody here exists."""

import factory
from stdnum.es import dni

from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint, Identifier
from crm.citizens.vocabulary import learn
from crm.organisations.models import Organisation


def made_up_nif(number: int) -> str:
    """A valid NIF of nobody: the series from 99,000,000 on is not given out."""
    digits = f"{99_000_000 + number:08}"
    return digits + dni.calc_check_digit(digits)


class CitizenFactory(factory.django.DjangoModelFactory[Citizen]):
    """A person of whom `organisation` keeps a record, with a NIF of its own (`nif=""`: without)."""

    name = "Lucía"
    surname1 = factory.Sequence(lambda n: f"Apellido{n}")
    surname2 = "Prueba"

    class Meta:
        model = Citizen
        skip_postgeneration_save = True

    @factory.post_generation
    def organisation(
        self: Citizen, create: bool, given: Organisation | None, **record: object
    ) -> None:
        """Keeps the record; further words (`organisation__protected=True`…) go to it."""
        if create and given is not None:
            CitizenRecord.objects.create(citizen=self, organisation=given, **record)
        learn(self)

    @factory.post_generation
    def nif(self: Citizen, create: bool, given: str | None, **_: object) -> None:
        """The number that was given, or one of the series."""
        if create and given != "":
            value = given or made_up_nif(self.pk)
            Identifier.objects.create(citizen=self, kind=Identifier.Kind.NIF, value=value)


class ContactPointFactory(factory.django.DjangoModelFactory[ContactPoint]):
    """A telephone; the key follows the address, which is given in its kept form."""

    channel = Channel.PHONE
    address = factory.Sequence(lambda n: f"+34600{n:06}")
    address_key = factory.LazyAttribute(lambda o: o.address.lower())

    class Meta:
        model = ContactPoint

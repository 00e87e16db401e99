"""Organisations and units for tests."""

import factory

from crm.organisations.models import Organisation, Unit


class OrganisationFactory(factory.django.DjangoModelFactory[Organisation]):
    """An organisation with a root unit."""

    code = factory.Sequence(lambda n: f"ORG{n}")
    name = factory.Sequence(lambda n: f"Organismo {n}")
    languages = factory.LazyFunction(lambda: ["es"])
    options = factory.LazyFunction(lambda: {"second_factor": False})

    class Meta:
        model = Organisation
        skip_postgeneration_save = True

    @factory.post_generation
    def root(self, create: bool, extracted: object, **kwargs: object) -> None:
        """Every organisation has one."""
        if create and extracted is not False:
            Unit.objects.create(organisation=self, name="Dirección", code="ROOT")


class UnitFactory(factory.django.DjangoModelFactory[Unit]):
    """A unit below the root of its organisation."""

    organisation = factory.SubFactory(OrganisationFactory)
    code = factory.Sequence(lambda n: f"U{n}")
    name = factory.Sequence(lambda n: f"Unidad {n}")
    parent = factory.LazyAttribute(
        lambda o: Unit.objects.get(organisation=o.organisation, parent=None)
    )

    class Meta:
        model = Unit

    @classmethod
    def _after_postgeneration(cls, instance: Unit, create: bool, results: object = None) -> None:
        instance.organisation.units_version += 1
        instance.organisation.save(update_fields=["units_version"])

"""The demo's districts, and the facts of all that has happened in it, so that the board is alive."""

from typing import NamedTuple

from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation
from reporting import facts
from reporting.models import CaseFact, District


class Spot(NamedTuple):
    """A district: its name, where it is, and the municipality whose citizens live there."""

    name: str
    latitude: float
    longitude: float
    municipality: str = ""


DISTRICTS = {
    INSTITUTE: (
        Spot("Madrid", 40.4168, -3.7038, "28079"),
        Spot("Alcalá de Henares", 40.4820, -3.3635, "28005"),
        Spot("Getafe", 40.3083, -3.7327, "28065"),
        Spot("Barcelona", 41.3874, 2.1686, "08019"),
        Spot("Sabadell", 41.5463, 2.1086, "08187"),
        Spot("València", 39.4699, -0.3763, "46250"),
        Spot("Gandia", 38.9680, -0.1845, "46131"),
        Spot("Sevilla", 37.3891, -5.9845, "41091"),
        Spot("Dos Hermanas", 37.2836, -5.9209, "41038"),
        Spot("Zaragoza", 41.6488, -0.8891, "50297"),
        Spot("A Coruña", 43.3623, -8.4115, "15030"),
        Spot("Ferrol", 43.4832, -8.2369, "15036"),
        Spot("Bilbao", 43.2630, -2.9350, "48020"),
        Spot("Las Palmas de Gran Canaria", 28.1235, -15.4363, "35016"),
    ),
    TOWN: (
        Spot("Centro", 40.3005, -3.4393),
        Spot("La Alameda", 40.3062, -3.4441),
        Spot("El Molino", 40.2949, -3.4318),
        Spot("Santa Ana", 40.3048, -3.4302),
        Spot("San Roque", 40.2946, -3.4472),
    ),
}


def fill(demo: Demo) -> None:
    """Both organisations have districts and their figures are counted."""
    for code, spots in DISTRICTS.items():
        organisation = Organisation.objects.unscoped("the demo's own").get(code=code)
        District.objects.bulk_create(
            District(organisation=organisation, **spot._asdict()) for spot in spots
        )
        facts.rebuild(organisation)
    demo.made["facts"] += CaseFact.objects.unscoped("counting the demo").count()


seeders.register("reporting", Seeder(9, fill))

"""Families and companies of the demo's people, and what other systems said kept in some of their cases."""

from datetime import timedelta

from cases.models import Case, StateCategory
from cases.services import told_at
from cases.services.freezing import freeze
from crm.accounts.actors import system_actor
from crm.audit.record import dated
from crm.citizens.keeping import Shown, seal
from crm.citizens.models import Citizen, CitizenRecord, Identifier, Relation
from crm.integrations import registry
from crm.integrations.demo import REGISTRY
from crm.integrations.models import Connection
from crm.kit.actor import Actor, Door, Origin
from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation

FAMILIES, FIRMS, KEPT = 160, 60, 8
_AGE_APART = timedelta(days=20 * 365)


def fill(demo: Demo) -> None:
    """Both organisations know of families and companies, and have kept answers of the registry."""
    for code in (INSTITUTE, TOWN):
        organisation = Organisation.objects.unscoped("the demo's own").get(code=code)
        worker = system_actor(organisation, Origin(Door.COMMAND))
        _families(demo, organisation)
        _kept(demo, worker)


def _families(demo: Demo, organisation: Organisation) -> None:
    dice = demo.dice(f"families of {organisation.code}")
    records = CitizenRecord.objects.unscoped("the demo's own").filter(
        organisation=organisation, protected=False, citizen__merged_into=None
    )
    people = [row.citizen for row in records.select_related("citizen").order_by("pk")]
    natural = [one for one in people if one.kind == Citizen.Kind.NATURAL and one.birth_date]
    firms = [one for one in people if one.kind == Citizen.Kind.LEGAL]
    named: dict[str, list[Citizen]] = {}
    for one in natural:
        named.setdefault(one.surname1, []).append(one)
    made: dict[tuple[int, int], str] = {}
    for family in named.values():
        family.sort(key=lambda one: (one.birth_date, one.pk))
        if len(family) > 1 and len(made) < demo.share(FAMILIES):
            old, young = family[0], family[-1]
            assert old.birth_date is not None and young.birth_date is not None  # noqa: PT018
            apart = young.birth_date - old.birth_date > _AGE_APART
            made[old.pk, young.pk] = "child" if apart else "sibling"
    for firm in firms[: demo.share(FIRMS)]:
        made[firm.pk, dice.choice(natural).pk] = dice.choice(("officer", "employee"))
    today = demo.now.date()
    Relation.objects.bulk_create(
        Relation(
            organisation=organisation,
            citizen_id=one,
            other_id=other,
            kind=kind,
            source=dice.choice(("declared", "document", "register")),
            valid_from=today - timedelta(days=dice.randint(200, 4_000)),
            recorded_by_name="Ventanilla",
        )
        for (one, other), kind in made.items()
    )
    demo.made["relations"] += len(made)


def _kept(demo: Demo, worker: Actor) -> None:
    connection = Connection.objects.for_actor(worker).get(name=REGISTRY)
    cases = Case.objects.for_actor(worker).filter(
        category=StateCategory.OPEN,
        citizen__isnull=False,
        citizen__merged_into=None,
        updated_at__lt=demo.now - timedelta(hours=12),  # nothing has happened since
    )
    kept = 0
    for case in cases.select_related("citizen").order_by("-opened_at", "-pk")[:120]:
        number = Identifier.objects.for_actor(worker).filter(
            citizen=case.citizen, kind__in=["nif", "nie"], ended_at=None
        )
        first = number.order_by("pk").first()
        drawn = registry.benefits(first.value) if first else []
        if not drawn or case.citizen is None:
            continue
        at = demo.now - timedelta(hours=3 + kept)
        shown = Shown(
            citizen=str(case.citizen.uuid),
            connection=str(connection.uuid),
            source=connection.name,
            legal_basis=connection.legal_basis,
            permission=connection.permission,
            purpose=f"Caso {case.reference}",
            asked_at=at,
            obtained_at=at,
            records=[
                [
                    ["Prestación", one["denominacion"]],
                    ["Situación", one["estado"]["texto"]],
                    ["Desde", one["fecha_efectos"]],
                    ["Importe mensual (€)", one["importe_mensual"]],
                ]
                for one in drawn
            ],
        )
        with dated(at), told_at(at):
            freeze(worker, case.uuid, seal(worker, shown))
        Case.objects.for_actor(worker).filter(pk=case.pk).update(updated_at=at)
        kept += 1
        if kept == demo.share(KEPT):
            break
    demo.made["kept answers"] += kept


seeders.register("relations and kept answers", Seeder(9, fill))

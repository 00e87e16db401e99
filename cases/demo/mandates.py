"""The demo's mandates: a professional who acts for forty, a daughter for her father, one revoked, one
expired."""

from datetime import timedelta
from random import Random
from typing import Any

from cases.models import Case
from crm.accounts.actors import system_actor
from crm.citizens.models import (
    Assurance,
    AuthorisedProfessional,
    Citizen,
    CitizenRecord,
    Mandate,
    Proof,
    Scope,
)
from crm.citizens.services.mandates import NewMandate, end_mandate, register_mandate
from crm.kit.actor import Actor, Door, Origin
from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations.demo import INSTITUTE
from crm.organisations.models import Organisation

MANY = 40


def fill(demo: Demo) -> None:
    """The institute knows who represents whom."""
    place = Organisation.objects.unscoped("the demo's own").get(code=INSTITUTE)
    worker = system_actor(place, Origin(Door.COMMAND), "Registro de apoderamientos")
    dice = demo.dice("mandates")
    _agency(demo, worker, dice)
    _family(demo, worker)


def _people(worker: Actor, *, legal: bool = False) -> list[Citizen]:
    kind = Citizen.Kind.LEGAL if legal else Citizen.Kind.NATURAL
    rows = CitizenRecord.objects.for_actor(worker).filter(protected=False, citizen__kind=kind)
    return [one.citizen for one in rows.select_related("citizen").order_by("pk")[:400]]


def _agency(demo: Demo, worker: Actor, dice: Random) -> None:
    """A firm authorised in RED, by forty employers and self-employed."""
    firms, people = _people(worker, legal=True), _people(worker)
    if not firms:
        return
    firm = next((one for one in firms if "sesor" in one.name or "Gestor" in one.name), firms[0])
    authorised = AuthorisedProfessional.objects.create(
        organisation_id=worker.organisation_id, citizen=firm, number="28104377"
    )
    others = [one for one in [*firms, *people] if one != firm]
    today = demo.now.date()
    Mandate.objects.bulk_create(
        Mandate(
            organisation_id=worker.organisation_id,
            grantor=grantor,
            holder=firm,
            professional=authorised,
            scope=Scope.GENERAL,
            acts=["file", "inform", "notify"],
            proof=Proof.RED,
            assurance=Assurance.SUBSTANTIAL,
            granted_on=(day := today - timedelta(days=dice.randint(20, 400))),
            valid_from=day,
            recorded_by=worker.name,
            verified_at=demo.now - timedelta(days=10),
            verified_by=worker.name,
        )
        for grantor in dice.sample(others, min(demo.share(MANY), len(others)))
    )
    demo.made["mandates"] += demo.share(MANY)


def _family(demo: Demo, worker: Actor) -> None:
    """A father and whom he lets act: his daughter by matter, a nephew whom he revoked, a neighbour whose
    power expired."""
    today = demo.now.date()
    with_case = Case.objects.for_actor(worker).filter(citizen__isnull=False, category__lt=4)
    known = {one.pk for one in _people(worker)}
    old = with_case.filter(
        citizen__in=known, citizen__birth_date__lt=today - timedelta(days=23_000)
    )
    case = old.select_related("citizen", "case_type", "unit").order_by("pk").first()
    if case is None or case.citizen is None:
        return
    father = case.citizen
    others = [
        one
        for one in _people(worker)
        if one.pk != father.pk and one.birth_date and 7_000 < (today - one.birth_date).days < 18_000
    ][:3]
    if len(others) < 3:
        return
    daughter, nephew, neighbour = others
    kinds = [case.case_type.code]
    shared: dict[str, Any] = {"acts": ["inform", "file", "notify"], "proof": Proof.REGISTERED}
    register_mandate(
        worker,
        father.uuid,
        NewMandate(
            holder=daughter.uuid,
            scope=Scope.MATTER,
            covers=kinds,
            proof_number="RAPOD-2026-104417",
            granted_on=today - timedelta(days=90),
            valid_until=today + timedelta(days=900),
            **shared,
        ),
        checked=True,
    )
    revoked = register_mandate(
        worker,
        father.uuid,
        NewMandate(
            holder=nephew.uuid,
            scope=Scope.GENERAL,
            proof_number="RAPOD-2025-093310",
            granted_on=today - timedelta(days=300),
            valid_until=today + timedelta(days=500),
            **shared,
        ),
        checked=True,
    )
    end_mandate(worker, revoked.uuid, "revoked", reason="Lo pide el poderdante en la oficina")
    register_mandate(
        worker,
        father.uuid,
        NewMandate(
            holder=neighbour.uuid,
            scope=Scope.GENERAL,
            proof_number="RAPOD-2024-071222",
            granted_on=today - timedelta(days=700),
            valid_until=today - timedelta(days=30),
            **shared,
        ),
        checked=True,
    )
    demo.made["mandates"] += 3


seeders.register("mandates", Seeder(8, fill))

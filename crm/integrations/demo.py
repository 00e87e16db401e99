"""The demo's other systems: a registry of benefits that both organisations ask, and a system that is told."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from crm.integrations import registry
from crm.integrations.models import (
    Attempt,
    CallLog,
    Connection,
    Outcome,
    PublishedService,
    Subscription,
    WebhookDelivery,
)
from crm.integrations.outgoing import new_secret
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.kit.demo import Demo, Seeder, seeders
from crm.kit.models import uuid7
from crm.kit.secrets import encrypt
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation, Unit

REGISTRY = "Registro de prestaciones"
TOLD = "Carpeta ciudadana"
HERE = "http://127.0.0.1:8091"
_FIELDS = [
    ["Prestación", "denominacion"],
    ["Situación", "estado.texto"],
    ["Desde", "fecha_efectos"],
    ["Importe mensual (€)", "importe_mensual"],
]
_TOPICS = ("cases.opened", "cases.moved", "cases.messaged")
SERVICES = (
    (
        "via-publica",
        "VIA",
        "Avería en la vía pública",
        "Farolas apagadas, baldosas sueltas, socavones, señales y semáforos.",
        "Vía pública",
        "farola, acera, socavón, semáforo",
    ),
    (
        "limpieza",
        "MAM",
        "Limpieza, residuos y zonas verdes",
        "Contenedores, muebles abandonados, pintadas, parques y árboles.",
        "Limpieza y parques",
        "contenedor, basura, parque, árbol",
    ),
)
_CALLS, _EVENTS = 120, 40


def lead_to(address: str) -> int:
    """The demo's connections and subscriptions go to where the registry listens now; how many moved."""
    mine = Connection.objects.unscoped("the demo's own").filter(
        name__in=[system.name for system in _SYSTEMS],
        base_url__startswith="http://127.0.0.1:",
    )
    told = Subscription.objects.unscoped("the demo's own").filter(
        name=TOLD, url__startswith="http://127.0.0.1:"
    )
    return mine.update(base_url=address) + told.update(url=address + registry.EVENTS)


def fill(demo: Demo) -> None:
    """Both organisations ask the registry and tell the system of their citizens' folder; the town takes
    in what neighbours report by other applications."""
    for code in (INSTITUTE, TOWN):
        organisation = Organisation.objects.unscoped("the demo's own").get(code=code)
        dice = demo.dice(f"other systems of {code}")
        _asked(demo, organisation, dice)
        _told(demo, organisation, dice)
    _published(Organisation.objects.unscoped("the demo's own").get(code=TOWN))


@dataclass(frozen=True)
class _System:
    """One that is asked, as the demo describes it."""

    name: str
    place: str
    legal_basis: str
    records_at: str
    fields: list[list[str]]
    permission: str = CONSULT_SYSTEMS
    keep_hours: int = 24


_SYSTEMS = (
    _System(
        REGISTRY,
        registry.PLACE,
        "Ley 39/2015, art. 28.2, y RDL 8/2015, art. 71",
        "prestaciones",
        _FIELDS,
    ),
    _System(
        "Padrón municipal",
        registry.RESIDENCE,
        "Ley 7/1985, art. 16.3",
        "datos",
        [
            ["Municipio", "municipio"],
            ["Desde", "alta"],
            ["Personas en la vivienda", "convivientes"],
        ],
        keep_hours=72,
    ),
    _System(
        "Deudas tributarias y de Seguridad Social",
        registry.DEBTS,
        "Ley 58/2003, art. 95.1.k",
        "datos",
        [["Al corriente", "al_corriente"], ["Certificado", "fecha_certificado"]],
        permission="cases.assign_case",
        keep_hours=8,
    ),
    _System(
        "Grado de discapacidad",
        registry.DISABILITY,
        "RGPD, art. 9.2.b, y RDL 1/2013, art. 4",
        "datos",
        [["Grado reconocido", "grado"], ["Resolución", "resolucion"]],
        keep_hours=1,
    ),
)


def _asked(demo: Demo, organisation: Organisation, dice: Random) -> None:
    first, *others = (_connection(organisation, system) for system in _SYSTEMS)
    for connection in others:
        connection.save()
    connection = first
    connection.save()
    outcomes = [Outcome.FOUND] * 14 + [Outcome.NOTHING] * 8 + [Outcome.TIMEOUT, Outcome.STATUS]
    statuses = {Outcome.FOUND: 200, Outcome.NOTHING: 404, Outcome.STATUS: 502}
    moments = sorted(
        demo.now - timedelta(minutes=dice.randint(12, 9_000)) for _call in range(_CALLS)
    )
    calls = []
    for number, at in enumerate(moments, 1):
        outcome = Outcome.FOUND if number == len(moments) else dice.choice(outcomes)
        slow = outcome is Outcome.TIMEOUT
        calls.append(
            CallLog(
                organisation=organisation,
                connection=connection,
                at=at,
                cause=CallLog.Cause.LOOK_UP,
                outcome=outcome,
                status=statuses.get(outcome, 0),
                milliseconds=3_002 if slow else dice.randint(18, 160),
                size=0 if slow else dice.randint(40, 600),
            )
        )
    CallLog.objects.bulk_create(calls)


def _connection(organisation: Organisation, system: _System) -> Connection:
    row = Connection(
        organisation=organisation,
        name=system.name,
        base_url=HERE,
        path=system.place + "{number}",
        authentication=Connection.Authentication.BEARER,
        records_at=system.records_at,
        fields=system.fields,
        legal_basis=system.legal_basis,
        permission=system.permission,
        keep_hours=system.keep_hours,
    )
    row.key = registry.KEY
    return row


def _told(demo: Demo, organisation: Organisation, dice: Random) -> None:
    subscription = Subscription.objects.create(
        organisation=organisation,
        name=TOLD,
        url=HERE + registry.EVENTS,
        topics=list(_TOPICS),
        secret=encrypt(new_secret()),
    )
    moments = sorted(
        demo.now - timedelta(minutes=dice.randint(20, 6_000)) for _event in range(_EVENTS)
    )
    rows = [_delivery(subscription, dice.choice(_TOPICS)) for _at in moments]
    failed = {7, 8, 9}
    for number, (row, at) in enumerate(zip(rows, moments, strict=True)):
        row.due_at = at
        row.tries = 2 if number in failed else 1
    WebhookDelivery.objects.bulk_create(rows)
    attempts = []
    for number, (row, at) in enumerate(zip(rows, moments, strict=True)):
        WebhookDelivery.objects.unscoped("the demo's own").filter(pk=row.pk).update(created_at=at)
        if number in failed:
            attempts.append(_attempt(row, at, Outcome.STATUS, 503, dice))
        later = at + timedelta(seconds=6 if number in failed else 1)
        attempts.append(_attempt(row, later, Outcome.FOUND, 200, dice))
    Attempt.objects.bulk_create(attempts)


def _delivery(subscription: Subscription, topic: str) -> WebhookDelivery:
    case = uuid7()
    body = {"specversion": "1.0", "type": topic, "subject": f"cases/{case}"}
    return WebhookDelivery(
        organisation=subscription.organisation,
        subscription=subscription,
        event=f"{case}.1",
        topic=topic,
        body=json.dumps(body),
        status=WebhookDelivery.Status.DELIVERED,
    )


def _attempt(
    row: WebhookDelivery, at: datetime, outcome: Outcome, status: int, dice: Random
) -> Attempt:
    return Attempt(
        delivery=row, at=at, outcome=outcome, status=status, milliseconds=dice.randint(20, 240)
    )


def _published(town: Organisation) -> None:
    for code, unit, name, description, group, keywords in SERVICES:
        PublishedService.objects.create(
            organisation=town,
            code=code,
            name=name,
            description=description,
            group=group,
            keywords=keywords,
            case_type=code,
            unit=Unit.objects.unscoped("the demo's own").get(organisation=town, code=unit),
            public=True,
        )


seeders.register("other systems", Seeder(4, fill))

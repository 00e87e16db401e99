"""How many queries a page makes: the same however many rows there are, and no more than before.

The figures are frozen in query_counts.json. Who changes a page on purpose writes them anew:
`WRITE_QUERY_COUNTS=1 pytest tests/house/test_queries.py`.
"""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from cases import services as cases
from cases.services.drafting import save_draft
from cases.services.views import View, arrange_view, save_view
from channels_app.models import ContactReason, PauseReason, WrapUpCode
from crm.accounts.services.roles import create_role
from crm.integrations.models import (
    Attempt,
    CallLog,
    Connection,
    PublishedService,
    Subscription,
    WebhookDelivery,
)
from scheduling.services import Wish, book_appointment
from scheduling.services.setup import add_closure
from tests.factories.accounts import employee
from tests.factories.campaigns import draft, parts, topic_of
from tests.factories.cases import ArticleFactory, CaseFactory, CaseTypeFactory, ProcedureFactory
from tests.factories.channels_app import begin, make_account, make_agent, make_queue
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.organisations import UnitFactory
from tests.factories.scheduling import at, make_resource
from tests.house.asking import ask, entry_of, ids_of, methods_of
from tests.house.doors import ENTRIES, Door, Guarded, doors
from tests.house.estate import PAPER, Estate, Side
from tests.house.mail_estate import more_mail

pytestmark = pytest.mark.django_db

FROZEN = Path(__file__).with_name("query_counts.json")
MORE = 8
# Pages that may grow with what they show, each with the reason.
GROWS: dict[str, str] = {"cases:view_board": "a list for each pinned view, six at most"}
# Files and other systems' words: what they read depends on what is kept outside the database.
OUTSIDE = {"cases:preview", "cases:import_columns", "metrics"}


def _pages(estate: Estate) -> list[Door]:
    return [
        door
        for door in doors()
        if isinstance(ENTRIES.get(door.name), Guarded)
        and door.name not in OUTSIDE
        and "get" in methods_of(door, estate)
    ]


def _queries(client: Client, door: Door, estate: Estate) -> int:
    """How many statements the page makes, the session's own clock and savepoints aside."""
    made: list[str] = []

    def count(execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        text = str(sql)
        if "django_session" not in text and not text.startswith(("SAVEPOINT", "RELEASE", "SET ")):
            made.append(text)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        answer = ask(client, door, "get", ids_of(door, estate.here), estate.here)
        if answer.streaming:
            for _chunk in answer.streaming_content:  # type: ignore[attr-defined]
                pass
    assert answer.status_code < 500
    return len(made)


def _measured(estate: Estate, known: dict[str, int]) -> dict[str, int]:
    """Each page's figure; asked again where it is above the known one: memory was cold."""
    found = {}
    for door in _pages(estate):
        client = estate.caller("everything" if door.api is None else "machine")
        found[door.name] = _queries(client, door, estate)
        if found[door.name] > known.get(door.name, 0):
            found[door.name] = _queries(client, door, estate)
    return found


def _grow(estate: Estate) -> None:
    """More of everything that a page lists."""
    here, actor = estate.here, estate.here.actor
    for number in range(MORE):
        citizen = CitizenFactory(
            organisation=here.organisation, name="Lucía", surname1=f"Apellido {number}"
        )
        ContactPointFactory(citizen=here.citizen, organisation=here.organisation)
        case = CaseFactory(unit=here.unit, case_type=here.case_type, citizen=here.citizen)
        cases.link_cases(actor, here.case.uuid, case.uuid)
        cases.add_participant(actor, here.case.uuid, citizen.uuid, "other")
        cases.add_note(actor, here.case.uuid, f"Nota {number}")
        cases.record_message(actor, here.case.uuid, f"Mensaje {number}", channel="phone")
        cases.attach_document(actor, here.case.uuid, [PAPER], f"papel {number}.pdf")
        cases.add_task(actor, here.case.uuid, cases.NewTask(title=f"Tarea {number}"))
        save_draft(actor, case.uuid, "reply", f"Borrador {number}")
        cases.take_case(actor, case.uuid)
        ProcedureFactory(unit=here.unit, case_type=here.case_type)
        ArticleFactory(unit=here.unit)
        CaseTypeFactory(organisation=here.organisation)
        UnitFactory(organisation=here.organisation)
        employee(here.organisation, "agent", unit=here.unit)
        create_role(actor, name=f"Rol {number}")
        view = save_view(actor, View(name=f"Otra vista {number}", expression="state:open farola"))
        arrange_view(actor, view.uuid, pinned=True)
        make_resource(here.office, here.service, name=f"Mesa de más {number}")
        far = timezone.localdate() + timedelta(days=200 + number)
        add_closure(actor, here.office.uuid, first=far, last=None, name="Cierre")
        wish = Wish(here.service.code, here.office.code, at("12:00", number + 2))
        book_appointment(actor, wish, citizen=here.citizen.uuid, case=here.case.uuid)
        _other_systems(here, number)
        topic = topic_of(here.organisation, f"Tema {number}")
        wanted = {"field": "consent", "op": "is", "value": [str(topic.uuid)]}
        audience, template = parts(here.organisation, {"all": [wanted]})
        draft(actor, topic, audience, template, name=f"Campaña {number}")
        _chats(here, number)
    more_mail(here.mail_account, MORE)


def _chats(here: Side, number: int) -> None:
    """Another one of each that is set up, and somebody more in the queue."""
    queue = make_queue(here.unit, f"cola-{number}")
    make_account(queue)
    make_agent(employee(here.organisation, "agent", unit=here.unit), here.queue, queue)
    words = {"code": f"mas-{number}", "names": {"es": f"Más {number}"}}
    WrapUpCode.objects.create(queue=here.queue, **words)
    ContactReason.objects.create(account=here.account, queue=queue, **words)
    PauseReason.objects.create(organisation=here.organisation, **words)
    begin(here.account, name=f"Espera {number}")


def _other_systems(here: Side, number: int) -> None:
    """Another one of each, and more of what passed between."""
    more = {"organisation": here.organisation}
    Connection.objects.create(
        name=f"Registro {number}", base_url="https://127.0.0.1", path="/{number}", **more
    )
    PublishedService.objects.create(
        code=f"s{number}", name="Servicio", case_type=f"t{number}", unit=here.unit, **more
    )
    Subscription.objects.create(
        name=f"Avisos {number}", url="https://127.0.0.1/", topics=["cases.moved"], **more
    )
    CallLog.objects.create(
        connection=here.connection, cause="test", outcome="found", milliseconds=1, **more
    )
    delivery = WebhookDelivery.objects.create(
        subscription=here.subscription, event=f"e.{number}", topic="t", body="{}", **more
    )
    Attempt.objects.create(delivery=delivery, outcome="found", milliseconds=1)


def test_no_page_makes_more_queries_for_more_rows_nor_than_before(estate: Estate) -> None:
    writing = bool(os.environ.get("WRITE_QUERY_COUNTS"))
    frozen = {} if writing else json.loads(FROZEN.read_text())
    few = _measured(estate, frozen)
    _grow(estate)
    many = _measured(estate, frozen)
    grown = {
        name: f"{few[name]} → {many[name]}"
        for name in few
        if many[name] > few[name] + 1 and name not in GROWS
    }
    assert not grown, f"one query for each row: {grown}"
    if writing:
        FROZEN.write_text(json.dumps(many, indent=2, sort_keys=True) + "\n")
        frozen = many
    worse = {
        name: f"{frozen.get(name)} → {number}"
        for name, number in many.items()
        if number > frozen.get(name, 0)
    }
    assert not worse, f"more queries than are frozen in {FROZEN.name}: {worse}"


def test_no_page_makes_very_many() -> None:
    frozen = json.loads(FROZEN.read_text())
    for counting in ("citizens:merge", "citizens:unmerge"):
        frozen.pop(counting)  # counts what would move of every kind of row in every room
    assert {name: number for name, number in frozen.items() if number > 45} == {}


def test_every_frozen_page_exists() -> None:
    assert set(json.loads(FROZEN.read_text())) <= {door.name for door in doors()}
    assert all(entry_of(door) for door in doors())

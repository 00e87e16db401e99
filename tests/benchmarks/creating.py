"""Creating cases by API, with permission check, history, audit and outbox, next to the bare rows."""

import json
import time
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm.accounts.actors import system_actor
from crm.accounts.services.api_clients import create_api_client
from tests.benchmarks import world
from tests.benchmarks.harness import Browser, server, together
from tests.factories.accounts import ORIGIN

CLIENTS, EACH = 8, 100
BAR_RATE, BAR_P95 = 150, 100


def run(scale: int | None = None) -> dict[str, Any]:
    """Cases a second and p95 with eight clients; the same rows inserted bare."""
    each = (scale or CLIENTS * EACH) // CLIENTS
    organisation = world.organisation()
    world.grow(1_000, 1_000)
    name = f"bench {time.time_ns()}"
    _client, key = create_api_client(
        system_actor(organisation, ORIGIN),
        name=name,
        scopes=["cases.open_case", "cases.view_case"],
        expires_at=timezone.now() + timedelta(days=1),
    )
    body = json.dumps(
        {
            "case_type": world.a_case_type().code,
            "subject": "Farola apagada en la calle Mayor",
            "description": "No luce desde el lunes y la acera queda a oscuras.",
            "channel": "web_form",
        }
    ).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with server() as port:

        def make(_number: int) -> Any:
            browser = Browser(port, headers)
            return lambda _turn: browser.ask("POST", "/api/v1/cases/", body, 201)

        together(CLIENTS, 5, make)
        times, rate = together(CLIENTS, each, make)
    bare_times, bare_rate = together(CLIENTS, each, _bare)
    return {
        "rate": round(rate, 1),
        "p50": times.p50,
        "p95": times.p95,
        "bare_rate": round(bare_rate, 1),
        "bare_p95": bare_times.p95,
        "ratio": round(bare_rate / rate, 1),
    }


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as a Markdown table."""
    return [
        "| cases a second, 8 clients | p50 / p95 ms | same rows bare, a second | bare / ours |",
        "|---|---|---|---|",
        (
            f"| {figures['rate']} | {figures['p50']} / {figures['p95']} | {figures['bare_rate']} | "
            f"{figures['ratio']} |"
        ),
    ]


def misses(figures: dict[str, Any]) -> list[str]:
    """What is beyond its bar."""
    slow = figures["rate"] < BAR_RATE or figures["p95"] > BAR_P95
    return [f"creating: {figures}"] if slow else []


def _bare(number: int) -> Any:
    """The rows of one creation in one transaction: counter, case, event, audit entry, outbox row."""
    connection: Any = world.raw()
    row = connection.execute(
        "SELECT organisation_id, case_type_id, type_version_id, unit_id FROM cases_case LIMIT 1"
    ).fetchone()
    prefix = f"B{number}-{time.time_ns()}"[-16:]

    def work(turn: int) -> None:
        with connection.transaction():
            connection.execute(
                "UPDATE cases_referencecounter SET next = next WHERE id ="
                " (SELECT min(id) FROM cases_referencecounter WHERE organisation_id = %s)",
                row[:1],
            )
            case = connection.execute(
                "INSERT INTO cases_case (uuid, organisation_id, case_type_id, type_version_id, unit_id, "
                "reference, state, category, subject, description, priority, confidentiality, channel, "
                "language, address, data, outcome, source, opened_at, version, last_event, updated_at) "
                "VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, 'new', 0, 'Farola apagada', 'No luce', "
                "1, 1, 'web_form', 'es', '', '{}', '', '', now(), 1, 1, now()) RETURNING id",
                (*row, f"{prefix}{turn}"),
            ).fetchone()[0]
            connection.execute(
                "INSERT INTO cases_event (case_id, organisation_id, seq, kind, actor_kind, actor_name, "
                "data) VALUES (%s, %s, 1, 'opened', 'system', 'bare', '{}')",
                (case, row[0]),
            )
            connection.execute(
                "INSERT INTO audit_auditentry (organisation_id, actor_kind, actor_name, action, door) "
                "VALUES (%s, 'system', 'bare', 'cases.open_case', 'api')",
                row[:1],
            )
            connection.execute("INSERT INTO kit_outbox (topic, payload) VALUES ('bare', '{}')")

    return work

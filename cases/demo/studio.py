"""The demo's case types as their administrator left them: how work ended, a second version with its cases
on the way to it, a draft that waits."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Any

from cases.demo.stories import Story
from cases.models import CaseResult, CaseType, CaseTypeVersion
from cases.services import change_draft, publish_draft, start_draft, told_at
from cases.services.versions import run_migration, start_migration
from cases.workflow import of_version
from crm.accounts.actors import actor_for
from crm.accounts.demo import address
from crm.accounts.models import User
from crm.audit.record import dated
from crm.kit.actor import Actor, Door, Origin
from crm.kit.demo import Demo
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation

_CHANGED = {INSTITUTE: "reclamacion", TOWN: "licencias"}  # which type has a second version
_DRAFTED = {INSTITUTE: "jubilacion", TOWN: "padron"}  # and which a draft
_REPORT, _EXPERT = "informe", "informe_tecnico"


def results(demo: Demo, stories: Sequence[Story]) -> None:
    """Cases that ended in a way that their type names say what becomes of their file."""
    rows = []
    for story in stories:
        case = story.case
        named = {one.said: one for one in of_version(case.type_version.bundle).results}
        way = named.get(case.outcome)
        if way is not None and case.closed_at is not None:
            ended = case.closed_at.date()
            rows.append(
                CaseResult(
                    case=case,
                    code=way.code,
                    name=way.said,
                    nomination=way.nomination,
                    term=str(way.term),
                    ended_on=ended,
                    keep_until=way.keep_until(ended),
                )
            )
    CaseResult.objects.bulk_create(rows)
    demo.made["case results"] += len(rows)


def design(demo: Demo, organisation: Organisation) -> None:
    """One type has a second version, to which the institute's open cases went but for some; of another a
    draft waits."""
    admin = actor_for(
        User.objects.get(email=address("admin", organisation.code)),
        organisation,
        Origin(Door.COMMAND),
    )
    assert admin is not None
    at = demo.now - timedelta(days=2, hours=3)
    with told_at(at), dated(at):
        _second(admin, _CHANGED[organisation.code])
        if organisation.code == INSTITUTE:
            migration = start_migration(admin, _CHANGED[INSTITUTE], 1, 2)
            run_migration(
                migration.uuid
            )  # those that wait for a report have no counterpart: they stay
            demo.made["case migrations"] += 1
    with dated(demo.now - timedelta(hours=5)):
        _draft(admin, _DRAFTED[organisation.code])


def _second(admin: Actor, code: str) -> None:
    """The state in which others report has another name and code, and something more is asked."""
    bundle = deepcopy(_newest(admin, code))
    for state in bundle["states"]:
        if state["code"] == _REPORT:
            state |= {"code": _EXPERT, "name": "Pendiente de informe técnico"}
    for move in bundle["moves"]:
        move["from"] = [_EXPERT if one == _REPORT else one for one in move["from"]]
        move["to"] = _EXPERT if move["to"] == _REPORT else move["to"]
        if move["code"] == "requerir":
            move["name"] = "Requerir documentación"
    bundle["fields"]["properties"]["medio_aviso"] = {
        "type": "string",
        "title": "Cómo prefiere que le avisemos",
        "enum": ["Correo electrónico", "Teléfono", "Carta"],
    }
    bundle["fields"]["x-order"] = [*bundle["fields"]["x-order"], "medio_aviso"]
    start_draft(admin, code)
    for part in ("states", "moves", "fields"):
        change_draft(admin, code, part, bundle[part])
    publish_draft(admin, code, despite=True)


def _draft(admin: Actor, code: str) -> None:
    """Begun and not finished: a state to which no move leads yet."""
    states = deepcopy(_newest(admin, code))["states"]
    start_draft(admin, code)
    more: Any = {
        "code": "audiencia",
        "name": "En trámite de audiencia",
        "category": "waiting_citizen",
    }
    change_draft(admin, code, "states", [*states[:-1], more, states[-1]])


def _newest(admin: Actor, code: str) -> dict[str, Any]:
    kind = CaseType.objects.for_actor(admin).get(code=code)
    version: CaseTypeVersion = kind.versions.get(status=CaseTypeVersion.Status.PUBLISHED)
    return dict(version.bundle)

"""Live streams × roles, tasks as workers meet them, and the effects of the outbox."""

import ast
import inspect
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import Task
from django.conf import settings
from django.core import mail

from crm.accounts.actors import actor_for_client
from crm.celery import app
from crm.kit import outbox, realtime
from crm.kit.actor import Actor
from crm.kit.models import Outbox
from crm.kit.tasks import schedules
from tests.factories.accounts import ORIGIN, acting
from tests.house.estate import Estate
from tests.house.sources import calls, modules

pytestmark = pytest.mark.django_db

app.loader.import_default_modules()
TASKS: dict[str, Task] = {
    name: task for name, task in app.tasks.items() if not name.startswith("celery.")
}

# --- Streams ------------------------------------------------------------------------------------

# What a stream of each kind is about, and who besides `everything` may follow it.
STREAMS = {
    "case": ("case.uuid", {"auditor", "machine"}),
    "campaign": ("campaign.uuid", {"neighbour", "auditor", "machine"}),
    "import": ("load.uuid", {"machine"}),
    "bulk": ("action.uuid", set()),
    "history": ("history.uuid", {"auditor", "machine"}),
    "histories": ("batch.uuid", set()),
    "office": ("office.uuid", {"machine", "neighbour"}),
    "mail": ("organisation.code", {"neighbour", "auditor", "machine"}),
    "conversation": ("conversation.uuid", {"auditor", "machine"}),
    "desk": ("desk.key", set()),
    "news": ("everything.uuid", set()),
    "export": ("export.uuid", set()),
}
CALLERS = ("everything", "nothing", "neighbour", "auditor", "machine", "bare_machine")


def actor_of(estate: Estate, name: str) -> Actor:
    """The caller as an actor."""
    here = estate.here
    clients = {"machine": here.client, "bare_machine": here.bare_client}
    if name in clients:
        return actor_for_client(clients[name], ORIGIN)
    return acting(getattr(here, name))


def test_every_kind_of_stream_is_listed() -> None:
    assert set(realtime.streams) == set(STREAMS), "new kind of stream: say who may follow it"


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_is_followed_by_who_may_see_what_it_tells(kind: str, estate: Estate) -> None:
    path, allowed = STREAMS[kind]
    stream = f"{kind}:{estate.here.get(path)}"
    answers = {name: bool(realtime.authorise(actor_of(estate, name), stream)) for name in CALLERS}
    assert answers == {name: name in {"everything", *allowed} for name in CALLERS}


@pytest.mark.parametrize("kind", STREAMS)
def test_a_strangers_stream_is_one_that_does_not_exist(kind: str, estate: Estate) -> None:
    stranger = acting(estate.elsewhere.everything)
    machine = actor_for_client(estate.elsewhere.client, ORIGIN)
    key = estate.here.get(STREAMS[kind][0])
    for actor in (stranger, machine):
        real = realtime.authorise(actor, f"{kind}:{key}")
        none = realtime.authorise(actor, f"{kind}:{uuid4()}")
        assert not real
        assert (real.allowed, str(real.reason)) == (none.allowed, str(none.reason))


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("key", ["", "1", "x" * 5_000, "\0", "' OR 1=1", "../..", "é", "%00"])
def test_no_key_of_a_stream_falls_over(kind: str, key: str, estate: Estate) -> None:
    assert not realtime.authorise(estate.here.actor, f"{kind}:{key}")


@pytest.mark.parametrize("stream", ["", ":", "case", "user:1", "Case:1", "unknown:1"])
def test_an_unknown_stream_is_refused(stream: str, estate: Estate) -> None:
    assert not realtime.authorise(estate.here.actor, stream)


# --- Tasks --------------------------------------------------------------------------------------

# What the task's ids are of: an attribute of a Side (so it is run on a real row, twice), and an id
# that does not exist.
ARGUMENTS: dict[str, tuple[list[str], list[Any]]] = {
    "audit.verify": (["organisation.pk", "Audita"], [999_999_999, "Audita"]),
    "cases.migrate_cases": (["migration.uuid"], [str(uuid4())]),
    "cases.run_bulk": (["action.uuid"], [str(uuid4())]),
    "cases.run_import": (["load.pk"], [999_999_999]),
    "channels.phrase_answer": (["owed_answer.uuid"], [str(uuid4())]),
    "channels.fetch_mailbox": (["mail_account.uuid"], [str(uuid4())]),
    "reporting.make_batch": (["batch.pk"], [999_999_999]),
    "reporting.make_export": (["export.pk"], [999_999_999]),
    "reporting.make_history": (["history.pk"], [999_999_999]),
}


def test_every_task_says_what_its_ids_are() -> None:
    takes = {
        name
        for name, task in TASKS.items()
        if [
            one
            for one in inspect.signature(task.run).parameters.values()
            if one.default is one.empty
        ]
    }
    assert takes == set(ARGUMENTS)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_takes_ids_only(name: str) -> None:
    for parameter in inspect.signature(TASKS[name].run).parameters.values():
        told = str(parameter.annotation).replace("<class '", "").replace("'>", "")
        parts = {part.strip().rpartition(".")[2] for part in told.split("|")}
        assert parts <= {"int", "str", "UUID", "None"}, f"{name}({parameter})"


@pytest.mark.parametrize("name", TASKS)
def test_workers_listen_to_the_tasks_queue(name: str) -> None:
    routed = app.amqp.router.route({}, name)["queue"]
    queue = getattr(TASKS[name], "queue", None) or getattr(routed, "name", routed)
    assert queue in _listened(), f"{name} waits in {queue}, to which no worker listens"


def _listened() -> set[str]:
    """The queues of the workers as they are started here and in production."""
    root = Path(settings.BASE_DIR)
    for place in ("boot.py", "compose.yaml"):
        text = (root / place).read_text()
        assert "worker" in text, place
        for mark in ("--queues", "-Q"):
            assert mark not in text, f"{place} names queues: compare them here"
    return {settings.CELERY_TASK_DEFAULT_QUEUE}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_task_bears_an_id_that_does_not_exist(name: str, estate: Estate) -> None:
    before = _owed()
    TASKS[name].run(*ARGUMENTS[name][1])
    assert _owed() == before


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_task_runs_twice_and_does_nothing_more(name: str, estate: Estate) -> None:
    ids = [estate.here.get(path) for path in ARGUMENTS[name][0]]
    ids = json.loads(json.dumps(ids, default=str))  # as the broker carries them
    TASKS[name].run(*ids)
    once = _owed()
    TASKS[name].run(*ids)
    assert _owed() == once


@pytest.mark.parametrize("name", sorted(set(TASKS) - set(ARGUMENTS) - {"kit.drain_outbox"}))
def test_a_periodic_task_runs_twice(name: str, estate: Estate) -> None:
    TASKS[name].run()
    once = _owed()
    TASKS[name].run()
    assert _owed() == once


def _owed() -> tuple[int, int]:
    """How much has left or is to leave: what runs twice tells nobody twice."""
    return Outbox.objects.count(), len(mail.outbox)


def test_beat_starts_every_task_that_nobody_asks_for() -> None:
    asked = {_word(path, call.args[0]) for path, call in calls("enqueue")}
    asked |= {  # leases hand out their tasks by name
        node.value
        for node in ast.walk(modules()["reporting/leases.py"])
        if isinstance(node, ast.Constant)
    }
    lonely = set(TASKS) - set(schedules()) - asked
    assert not lonely, f"nobody starts {sorted(lonely)}"
    assert set(schedules()) <= set(TASKS)


def test_what_is_enqueued_is_a_task() -> None:
    sent = {_word(path, call.args[0]) for path, call in calls("enqueue")} - {None}
    assert sent
    assert sent - set(TASKS) == set()


# --- Outbox -------------------------------------------------------------------------------------


def test_every_topic_sent_has_an_effect_and_every_effect_is_sent() -> None:
    topics = {_word(path, call.args[0]) for path, call in calls("send_later")} - {None}
    effects = {_word(path, call.args[0]) for path, call in calls("effect")} - {None}
    assert topics
    assert topics - set(outbox._effects) == set()
    assert effects == topics


def _word(path: str, node: ast.expr) -> str | None:
    """The string that an argument is, written there or kept in a constant of some module."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    for tree in [modules()[path], *modules().values()]:
        for found in tree.body:
            if (
                isinstance(found, ast.Assign)
                and isinstance(found.value, ast.Constant)
                and any(getattr(target, "id", "") == name for target in found.targets)
            ):
                return str(found.value.value)
    return None

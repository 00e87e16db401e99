"""Timing, a web server as in production, and clients that keep it busy."""

import http.client
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Times:
    """How long one thing took, many times, in milliseconds."""

    p50: float
    p95: float
    count: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Times":
        """From single durations."""
        ordered = sorted(seconds)
        return cls(
            round(1000 * statistics.median(ordered), 2),
            round(1000 * ordered[max(0, int(len(ordered) * 0.95) - 1)], 2),
            len(ordered),
        )


def timed(work: Callable[[], Any], times: int, *, warm: int = 3) -> Times:
    """The times of a piece of work, after some unmeasured ones."""
    for _ in range(warm):
        work()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return Times.of(found)


def together(
    clients: int, each: int, make: Callable[[int], Callable[[int], Any]]
) -> tuple[Times, float]:
    """`clients` threads do their work `each` times at once: the times, and how many a second in all."""
    found: list[float] = []
    errors: list[BaseException] = []
    ready = threading.Barrier(clients + 1)

    def run(number: int) -> None:
        work = make(number)
        ready.wait()
        mine = []
        try:
            for turn in range(each):
                start = time.perf_counter()
                work(turn)
                mine.append(time.perf_counter() - start)
        except BaseException as error:  # noqa: BLE001 - told after the threads have ended
            errors.append(error)
        found.extend(mine)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    if errors:
        raise errors[0]
    return Times.of(found), len(found) / seconds


class Browser:
    """One kept-alive connection with its headers; refuses answers other than expected."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = headers

    def get(self, path: str) -> bytes:
        """The body of a page that must be there."""
        return self.ask("GET", path, None, 200)

    def ask(self, method: str, path: str, body: bytes | None, expected: int) -> bytes:
        """The body of an answer that must have this status."""
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != expected:
            raise AssertionError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content


@contextmanager
def server() -> Iterator[int]:
    """The product's web role, started as an operator starts it (deploy/start); its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DATABASE_URL": _database_url(),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "API_RATE_PER_MINUTE": "10000000",
    }
    command = [str(ROOT / "deploy" / "start"), "web"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=quiet, stderr=quiet
    )
    try:
        _wait(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _database_url() -> str:
    """The database that this process is connected with now."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server did not come up")


def peak_memory_mb() -> int:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

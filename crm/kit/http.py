"""The one way out by HTTP: bounded in time and size, to public addresses only, following nothing.

The host's name is resolved once and the connection goes to exactly that address, so that a name
which answers differently the second time (DNS rebinding) reaches nothing inside. Nothing of an
address but its host is ever logged or told: paths, queries and headers hold keys and people's numbers.
"""

import http.client
import io
import ipaddress
import queue
import random
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.db import connection as database

from crm.kit.circuit import Circuit

MOST_BYTES = 1024 * 1024
CONNECT_SECONDS = 3.0
_RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_TURN_SECONDS = 0.3  # that a question waits for the one before it
_turns: defaultdict[str, threading.BoundedSemaphore] = defaultdict(threading.BoundedSemaphore)
_PAUSE = 0.2  # seconds before the second try, doubled each time, with jitter
_names: defaultdict[str, threading.BoundedSemaphore] = defaultdict(threading.BoundedSemaphore)
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class CallFailed(Exception):  # noqa: N818 - reads as what happened
    """No usable answer. Neither text nor `code` say what was found at an address that may not be called.

    Codes: address (may not be called), unreachable, tls, timeout, protocol, too_large, resting
    (the circuit is open), busy (others are asking), status.
    """

    def __init__(self, text: str, code: str = "protocol", status: int = 0) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said, whatever it was."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes = b"",
    seconds: float = 10.0,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Return the answer to one request, or raise CallFailed; `seconds` bounds the whole of it, however
    slowly the other side speaks. Hosts inside our own networks are called only when
    OUTBOUND_ALLOWED_HOSTS names them. A redirect is an answer like any other.
    """
    _let_the_database_go()
    deadline = time.monotonic() + seconds
    parts = _parsed(url)
    try:
        connection = _connection(parts, deadline)
        try:
            target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request(method, target, body or None, dict(headers))
            return _answer(connection, most_bytes)
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CallFailed(type(error).__name__, _code(error)) from error


def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    seconds: float = 10.0,
    most_bytes: int = MOST_BYTES,
) -> bytes:
    """Return the body of a 200 answer to this POST, or raise CallFailed. It is sent once."""
    sent = {"Content-Length": str(len(body)), **headers}
    answer = call("POST", url, headers=sent, body=body, seconds=seconds, most_bytes=most_bytes)
    if answer.status != http.client.OK:
        raise CallFailed(f"status {answer.status}", "status", answer.status)
    return answer.body


def ask(
    url: str,
    *,
    headers: Mapping[str, str],
    circuit: Circuit,
    seconds: float = 5.0,
    retries: int = 1,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Return the answer to a GET, tried again with jitter while `seconds` last: it may be asked twice.

    While the other side's circuit is open nothing is asked. A process asks one system one question at a
    time, so that a slow one holds one of its few threads and no more. Faults of the other side (no answer, 5xx)
    count against it; that an address may not be called does not.
    """
    turn = _turns[circuit.name]
    if not turn.acquire(timeout=_TURN_SECONDS):
        raise CallFailed("others of this process are asking", "busy")
    try:
        if not circuit.allows():
            raise CallFailed("the other side has not answered lately", "resting")
        return _ask(url, headers, circuit, seconds, retries, most_bytes)
    finally:
        turn.release()


def _ask(
    url: str,
    headers: Mapping[str, str],
    circuit: Circuit,
    seconds: float,
    retries: int,
    most_bytes: int,
) -> Answer:
    deadline = time.monotonic() + seconds
    for tried in range(retries, -1, -1):  # how many more tries there are
        left = max(deadline - time.monotonic(), 0.001)
        try:
            answer = call("GET", url, headers=headers, seconds=left, most_bytes=most_bytes)
        except CallFailed as error:
            if error.code == "address" or not (tried and _paused(retries - tried, deadline)):
                _count(circuit, error.code == "address")
                raise
        else:
            again = answer.status in _RETRIED_STATUSES and tried
            if not (again and _paused(retries - tried, deadline)):
                _count(circuit, answer.status < http.client.INTERNAL_SERVER_ERROR)
                return answer
    raise AssertionError("the last try answers or raises")


def _paused(before: int, deadline: float) -> bool:
    """Wait a little, longer each time, unless that leaves no time for another try."""
    pause = _PAUSE * 2**before * (0.5 + random.random())  # noqa: S311 - jitter is no secret
    if time.monotonic() + pause >= deadline:
        return False
    time.sleep(pause)
    return True


def _count(circuit: Circuit, well: bool) -> None:
    if well:
        circuit.succeeded()
    else:
        circuit.failed()


def _let_the_database_go() -> None:
    """Nobody holds one of few connections to the database while waiting for somebody else."""
    if not database.in_atomic_block:
        database.close()


def may_be_called(url: str) -> bool:
    """Whether an address is written as one that could be called; where it leads is asked at each call."""
    try:
        parts = _parsed(url)
        _ = parts.port
    except (CallFailed, ValueError):
        return False
    return parts.scheme == "https" or _is_ours(parts.hostname or "", _port(parts))


def _parsed(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise CallFailed("not an address that may be called", "address")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _code(error: Exception) -> str:
    """In one word, for people: never told of an address that may not be called."""
    match error:
        case TimeoutError():
            return "timeout"
        case ssl.SSLError():
            return "tls"
        case OSError():
            return "unreachable"
    return "protocol"


class _Speaker:
    """A socket of which every word is waited for within what is left until the deadline."""

    def __init__(self, opened: socket.socket, deadline: float) -> None:
        self.opened = opened
        self.deadline = deadline

    def sendall(self, data: bytes) -> None:
        """All of it is sent."""
        self.opened.settimeout(_left(self.deadline))
        self.opened.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What comes back, to be read; it may be read on when the connection is closed."""
        return io.BufferedReader(_Heard(self))

    def close(self) -> None:
        """The connection ends once all has been read."""
        self.opened.close()


class _Heard(io.RawIOBase):
    """What is heard on such a socket: headers that drip in are bounded like everything else."""

    def __init__(self, speaker: _Speaker) -> None:
        self.speaker = speaker
        self.raw = speaker.opened.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Some bytes, as soon as there are any."""
        self.speaker.opened.settimeout(_left(self.speaker.deadline))
        return self.raw.readinto(buffer)

    def close(self) -> None:
        """Nobody listens any more."""
        self.raw.close()
        super().close()


class _Pinned(http.client.HTTPConnection):
    """A connection over a socket that already leads to the checked address; it opens no other."""

    auto_open = 0

    def __init__(self, host: str, port: int, opened: _Speaker) -> None:
        super().__init__(host, port)
        self.sock = opened


def _connection(parts: SplitResult, deadline: float) -> _Pinned:
    host, port = parts.hostname or "", _port(parts)
    address = address_of(host, port, seconds=_left(deadline))
    patience = min(_left(deadline), CONNECT_SECONDS)
    opened = socket.create_connection((address, port), timeout=patience)
    if parts.scheme == "https":
        try:
            opened.settimeout(min(_left(deadline), CONNECT_SECONDS))
            opened = ssl.create_default_context().wrap_socket(opened, server_hostname=host)
        except BaseException:
            opened.close()
            raise
    return _Pinned(host, port, _Speaker(opened, deadline))


def address_of(host: str, port: int, *, seconds: float = CONNECT_SECONDS) -> str:
    """The address behind a name; if any of its addresses lies inside, none is called: CallFailed.

    TimeoutError when nobody said so in time.
    """
    found = _resolved(host, port, time.monotonic() + seconds)
    if not _is_ours(host, port) and not all(_is_public(address) for address in found):
        raise CallFailed("not an address that may be called", "address")
    return min(found)


def _resolved(host: str, port: int, deadline: float) -> set[str]:
    """The addresses of a name. The system's resolver knows no time limit, so it is asked on a thread
    that is left behind when it hangs, one for each name: a dead name server holds no worker.
    """
    turn = _names[host]
    if not turn.acquire(timeout=_left(deadline)):
        raise TimeoutError
    said: queue.SimpleQueue[set[str] | Exception] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            said.put({str(row[4][0]) for row in rows})
        except Exception as error:  # noqa: BLE001 - told to who waits
            said.put(error)
        finally:
            turn.release()

    try:
        threading.Thread(target=resolve, name="resolver", daemon=True).start()
    except RuntimeError:  # no more threads
        turn.release()
        raise TimeoutError from None
    try:
        found = said.get(timeout=_left(deadline))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


def _is_ours(host: str, port: int) -> bool:
    """Whether the installation lets this host inside its own networks be called, or this port of it."""
    return not {host.lower(), f"{host.lower()}:{port}"}.isdisjoint(settings.OUTBOUND_ALLOWED_HOSTS)


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:  # a gateway would lead to the IPv4 address at its end
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is None:
            return address in _UNICAST and address.is_global
        address = inner
    return address.is_global and not address.is_multicast


def _answer(connection: _Pinned, most_bytes: int) -> Answer:
    response = connection.getresponse()
    body = bytearray()
    while chunk := response.read1(64 * 1024):
        body += chunk
        if len(body) > most_bytes:
            raise CallFailed("the answer is too large", "too_large")
    return Answer(response.status, dict(response.headers), bytes(body))


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left

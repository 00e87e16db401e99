"""The one way out by HTTP: bounded in time and size, to public addresses only, following nothing.

The host's name is resolved once and the connection goes to exactly that address, so that a name
which answers differently the second time (DNS rebinding) reaches nothing inside.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings


class CallFailed(Exception):  # noqa: N818 - reads as what happened
    """No usable answer. The text never says what was found at an address that may not be called."""


def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    seconds: float = 10.0,
    most_bytes: int = 1024 * 1024,
) -> bytes:
    """Return the body of a 200 answer to this POST, or raise CallFailed.

    `seconds` bounds the whole call, however slowly the other side speaks. Hosts inside our own
    networks are called only when OUTBOUND_ALLOWED_HOSTS names them.
    """
    deadline = time.monotonic() + seconds
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise CallFailed("not an address that may be called")
    try:
        connection = _connection(parts.scheme, parts.hostname, parts.port, deadline)
        try:
            target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request("POST", target, body, dict(headers))
            return _answer(connection, deadline, most_bytes)
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CallFailed(type(error).__name__) from error


class _Pinned(http.client.HTTPConnection):
    """A connection over a socket that already leads to the checked address; it opens no other."""

    auto_open = 0

    def __init__(self, host: str, port: int, opened: socket.socket) -> None:
        super().__init__(host, port)
        self.sock = opened


def _connection(scheme: str, host: str, port: int | None, deadline: float) -> _Pinned:
    port = port or (443 if scheme == "https" else 80)
    address = address_of(host, port)
    opened = socket.create_connection((address, port), timeout=_left(deadline))
    if scheme == "https":
        opened = ssl.create_default_context().wrap_socket(opened, server_hostname=host)
    return _Pinned(host, port, opened)


def address_of(host: str, port: int) -> str:
    """The address behind a name; if any of its addresses lies inside, none is called: CallFailed."""
    found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    trusted = host.lower() in settings.OUTBOUND_ALLOWED_HOSTS
    if not trusted and not all(_is_public(address) for address in found):
        raise CallFailed("not an address that may be called")
    return min(found)


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return address.is_global and not address.is_multicast


def _answer(connection: _Pinned, deadline: float, most_bytes: int) -> bytes:
    opened = connection.sock
    opened.settimeout(_left(deadline))
    response = connection.getresponse()
    if response.status != http.client.OK:
        raise CallFailed(f"status {response.status}")
    body = bytearray()
    while True:
        opened.settimeout(_left(deadline))
        chunk = response.read1(64 * 1024)
        if not chunk:
            return bytes(body)
        body += chunk
        if len(body) > most_bytes:
            raise CallFailed("the answer is too large")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left

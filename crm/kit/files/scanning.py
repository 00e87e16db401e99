"""The virus scanner (clamd), reached by its own protocol over a socket."""

import logging
import socket
import struct
from typing import IO
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

_TIMEOUT = 30.0
_CHUNK = 64 * 1024

log = logging.getLogger(__name__)


class Scan(TextChoices):
    """What is known about a file's harm; only the first two may be handed out."""

    UNSCANNED = "unscanned", _("Not scanned: no scanner is set up")
    CLEAN = "clean", _("Free of known viruses")
    UNAVAILABLE = "unavailable", _("Waiting for the virus scanner")
    INFECTED = "infected", _("Infected")

    @property
    def downloadable(self) -> bool:
        """Whether a file in this state may be handed out."""
        return self in {Scan.UNSCANNED, Scan.CLEAN}


def scan_stream(file: IO[bytes]) -> Scan:
    """Say what the scanner set in CLAMD_URL says of `file`; UNAVAILABLE when it does not answer."""
    if not settings.CLAMD_URL:
        return Scan.UNSCANNED
    try:
        answer = _ask(settings.CLAMD_URL, file)
    except OSError as error:
        log.warning("The virus scanner does not answer: %s", type(error).__name__)
        return Scan.UNAVAILABLE
    finally:
        file.seek(0)
    if answer == "stream: OK":
        return Scan.CLEAN
    if answer.endswith(" FOUND"):
        log.warning("The virus scanner found %s", answer)
        return Scan.INFECTED
    log.warning("The virus scanner could not scan a file: %s", answer)
    return Scan.UNAVAILABLE


def _ask(url: str, file: IO[bytes]) -> str:
    """INSTREAM: chunks with their length in front, an empty one at the end, then one answer."""
    with _connect(url) as connection:
        connection.sendall(b"zINSTREAM\0")
        while chunk := file.read(_CHUNK):
            connection.sendall(struct.pack("!I", len(chunk)) + chunk)
        connection.sendall(struct.pack("!I", 0))
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < 4096:
            received = connection.recv(4096)
            if not received:
                break
            answer += received
    return answer.rstrip(b"\0").decode(errors="replace").strip()


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_TIMEOUT)
        try:
            connection.connect(parts.path)
        except OSError:
            connection.close()
            raise
        return connection
    return socket.create_connection((parts.hostname, parts.port or 3310), timeout=_TIMEOUT)

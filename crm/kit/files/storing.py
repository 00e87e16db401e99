"""Where files lie: under MEDIA_ROOT by their SHA-256, written whole or not at all."""

import errno
import hashlib
import logging
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm.kit.errors import NotFound, Unavailable
from crm.kit.files.kinds import FileRefused, recognise, too_large
from crm.kit.files.names import safe_name
from crm.kit.files.scanning import Scan, scan_stream

_LONGEST_UPLOAD = 24 * 3600  # seconds
_PATH = re.compile(r"sha256/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stored:
    """A file that lies in the store: what a row about it has to remember."""

    path: str
    sha256: str
    size: int
    media_type: str
    name: str
    scan: Scan


def store(chunks: Iterable[bytes], name: str) -> Stored:
    """Keep a file that came from outside; the same bytes are kept once.

    Raises FileRefused (kind, size, bomb, virus) or Unavailable (the disk is full); then nothing
    is kept. If the scanner does not answer, the file is kept but may not be handed out.
    """
    incoming = Path(settings.MEDIA_ROOT) / "incoming"
    try:
        incoming.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as file:
            try:
                return _store(file, chunks, name)
            finally:
                Path(file.name).unlink(missing_ok=True)  # gone already when all went well
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        log.error("The store of files is full")
        raise Unavailable(
            "store_full", _("There is no room to keep the file. Tell your administrator.")
        ) from error


def _store(file: IO[bytes], chunks: Iterable[bytes], name: str) -> Stored:
    digest, size = hashlib.sha256(), 0
    most: int = settings.FILES_MAX_BYTES
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise too_large(name, most)
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())
    file.seek(0)
    kind = recognise(file, name, size)
    state = scan_stream(file)
    if state == Scan.INFECTED:
        raise FileRefused("file_infected", _("The virus scanner found a virus in it."), name)
    sha256 = digest.hexdigest()
    path = f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"
    final = Path(settings.MEDIA_ROOT) / path
    final.parent.mkdir(parents=True, exist_ok=True)
    Path(file.name).replace(final)
    _sync(final.parent)
    return Stored(path, sha256, size, kind.media_type, safe_name(name, kind.extensions), state)


def open_stored(path: str) -> BinaryIO:
    """Open a kept file for reading; NotFound if it is no longer there."""
    try:
        return _locate(path).open("rb")
    except FileNotFoundError as error:
        raise NotFound(_("The file is no longer kept.")) from error


def scan(path: str) -> Scan:
    """Ask the scanner about a kept file, for instance again once the scanner is back."""
    with open_stored(path) as file:
        return scan_stream(file)


def sweep() -> int:
    """Remove what uploads left behind whose process died; returns how many there were."""
    left = [
        file
        for file in (Path(settings.MEDIA_ROOT) / "incoming").glob("*")
        if file.stat().st_mtime < time.time() - _LONGEST_UPLOAD
    ]
    for file in left:
        file.unlink(missing_ok=True)
    return len(left)


def discard(path: str, *, unused_for: float = 0) -> bool:
    """Remove a kept file, unless the same bytes came again within so many seconds; whether it is gone.

    The caller knows that no row needs them (`held`). It is taken aside before it is looked at, so
    that what is stored in the meantime stays.
    """
    kept = _locate(path)
    incoming = Path(settings.MEDIA_ROOT) / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    aside = incoming / f"leaving-{kept.name}-{os.getpid()}-{threading.get_ident()}"
    try:
        kept.replace(aside)
    except FileNotFoundError:
        return False
    if unused_for and aside.stat().st_mtime > time.time() - unused_for:
        aside.replace(kept)
        return False
    aside.unlink(missing_ok=True)
    return True


def _locate(path: str) -> Path:
    if not _PATH.fullmatch(path):
        raise ValueError("not a path of the store")
    return Path(settings.MEDIA_ROOT) / path


def _sync(folder: Path) -> None:
    """Make the new name survive a power cut, not only the content."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

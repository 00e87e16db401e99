"""Signed checkpoints: what the end of the chain was, minute by minute, in a file outside the database.

Whoever rewrites the whole chain in the database cannot rewrite these without the key; copied to
another host they show it. One JSON object a line, one file a year.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils import timezone

from crm.audit.models import Seal
from crm.kit.tasks import exclusive


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One line: that the chain ended with this seal then; `genuine` when our key signed it."""

    place: str = field(compare=False)  # which line of which file
    number: int
    root: bytes
    at: datetime | None
    total: int
    genuine: bool


def write() -> bool:
    """Sign the end of the chain and add it to this year's file; False when it has not moved."""
    with exclusive("audit.checkpoint") as mine:
        last = (
            Seal.objects.order_by("-number").only("number", "generation", "total", "root").first()
        )
        if not mine or last is None:
            return False
        newest = latest()
        if newest is not None and (newest.number, newest.root) == (last.number, bytes(last.root)):
            return False
        now = timezone.now()
        said = {
            "at": now.isoformat(),
            "generation": str(last.generation),
            "number": last.number,
            "total": last.total,
            "root": bytes(last.root).hex(),
        }
        signature = _private_key().sign(_signed_text(said))
        line = json.dumps({**said, "signature": base64.b64encode(signature).decode()})
        _append(settings.CHECKPOINTS_DIR / f"audit-{now:%Y}.jsonl", line)
        return True


def read(*paths: Path) -> list[Checkpoint]:
    """The checkpoints of these files, or of the installation's own; a line that is not one is kept
    as not genuine, so that it is reported."""
    key = _private_key().public_key()
    return [
        _parse(line, key, f"{path.name}:{number}")
        for path in paths or _own_files()
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if line.strip()
    ]


def latest() -> Checkpoint | None:
    """The last checkpoint written here."""
    for path in reversed(_own_files()):
        line = _last_line(path)
        if line:
            return _parse(line, _private_key().public_key(), path.name)
    return None


def _own_files() -> list[Path]:
    return sorted(Path(settings.CHECKPOINTS_DIR).glob("audit-*.jsonl"))


def _last_line(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        lines = file.read().splitlines()
    return lines[-1] if lines else b""


def _parse(line: bytes, key: Ed25519PublicKey, place: str) -> Checkpoint:
    """What the line says; whatever bytes it holds, it stops nobody who reads on."""
    try:
        said = json.loads(line)
        signature = base64.b64decode(said.pop("signature"), validate=True)
        return Checkpoint(
            place=place,
            number=int(said["number"]),
            root=bytes.fromhex(said["root"]),
            at=timezone.localtime(datetime.fromisoformat(said["at"])),
            total=int(said["total"]),
            genuine=_is_signed(key, signature, said),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return Checkpoint(place=place, number=0, root=b"", at=None, total=0, genuine=False)


def _is_signed(key: Ed25519PublicKey, signature: bytes, said: Mapping[str, Any]) -> bool:
    try:
        key.verify(signature, _signed_text(said))
    except InvalidSignature:
        return False
    return True


def _signed_text(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


# --- the key --------------------------------------------------------------------------------------


def _private_key() -> Ed25519PrivateKey:
    """The installation's key, made at the first need; the public half lies beside it."""
    path = Path(settings.KEYS_DIR) / "audit-checkpoints.pem"
    if not path.exists():
        _make_key(path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    try:
        os.link(draft, path)  # whole or not at all, and never over another process's key
    except FileExistsError:
        return
    finally:
        draft.unlink()
    path.with_suffix(".pub.pem").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )

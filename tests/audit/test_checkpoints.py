"""Signed checkpoints: written when the chain has moved, believed only with our signature."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from crm.audit import chain, checkpoints
from crm.audit.chain import Kind
from crm.audit.models import Seal
from tests.audit.conftest import seal_all, write

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_end_of_the_chain_is_signed_once_each_time_it_moved(outside: Path) -> None:
    assert checkpoints.write() is False
    write("viewed")
    seal_all()

    assert checkpoints.write() is True
    assert checkpoints.write() is False
    write("viewed", "viewed")
    seal_all()
    assert checkpoints.write() is True

    first, second = checkpoints.read()
    assert (first.number, first.total, first.genuine) == (1, 1, True)
    assert (second.number, second.total, second.genuine) == (2, 3, True)
    assert second.root == bytes(Seal.objects.get(number=2).root)
    assert checkpoints.latest() == second
    (file,) = (outside / "checkpoints").iterdir()
    assert len(file.read_text().splitlines()) == 2


def test_the_key_is_made_once_for_us_alone_and_its_public_half_lies_beside_it(
    outside: Path,
) -> None:
    write("viewed")
    seal_all()
    checkpoints.write()
    private = (outside / "keys" / "audit-checkpoints.pem").read_bytes()
    write("viewed")
    seal_all()
    checkpoints.write()

    assert (outside / "keys" / "audit-checkpoints.pem").read_bytes() == private
    mode = (outside / "keys" / "audit-checkpoints.pem").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    load_pem_public_key((outside / "keys" / "audit-checkpoints.pub.pem").read_bytes())
    assert sorted(path.name for path in (outside / "keys").iterdir()) == [
        "audit-checkpoints.pem",
        "audit-checkpoints.pub.pem",
    ]


@pytest.mark.parametrize(
    ("field", "value"), [("number", 7), ("root", "00" * 32), ("total", 9), ("signature", "AAAA")]
)
def test_a_line_that_was_changed_is_not_genuine(outside: Path, field: str, value: object) -> None:
    write("viewed")
    seal_all()
    checkpoints.write()
    (file,) = (outside / "checkpoints").iterdir()

    file.write_text(json.dumps({**json.loads(file.read_text()), field: value}))

    assert [checkpoint.genuine for checkpoint in checkpoints.read(file)] == [False]


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\x00",
        b'{"number": "\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"signature": "", "root": "", "total": 1, "at": "2026-01-01T00:00Z", "number": Infinity}',
        b'{"signature": "", "root": "", "total": 1, "at": "2026-01-01T00:00Z", "number": %d}'
        % 10**30,
        b'{"signature": "", "root": "", "total": 1, "at": "2026-01-01T00:00", "number": 1}',
        b'{"signature": "", "root": "", "total": 1, "at": "9999-12-31T23:59Z", "number": 1}',
    ],
)
def test_no_line_stops_the_verification_and_the_broken_one_is_named(
    outside: Path, line: bytes
) -> None:
    write("viewed")
    seal_all()
    checkpoints.write()
    (file,) = (outside / "checkpoints").iterdir()
    file.write_bytes(file.read_bytes() + line + b"\n")

    (fault,) = chain.verify(checkpoints.read()).faults

    assert (fault.kind, fault.place) == (Kind.CHECKPOINT, f"{file.name}:2")
    assert f"{file.name}:2" in str(fault)
    last = checkpoints.latest()
    assert last is not None
    assert not last.genuine


def test_one_changed_byte_of_a_checkpoint_is_named(outside: Path) -> None:
    write("viewed")
    seal_all()
    checkpoints.write()
    (file,) = (outside / "checkpoints").iterdir()
    whole = file.read_bytes()

    for place in range(0, len(whole) - 1, 7):
        file.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        (fault,) = chain.verify(checkpoints.read()).faults
        assert (fault.kind, fault.place) == (Kind.CHECKPOINT, f"{file.name}:1"), place


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", '{"signature": 1}', '"x"', "null"])
def test_a_line_that_is_no_checkpoint_is_kept_as_not_genuine(outside: Path, line: str) -> None:
    file = outside / "copy.jsonl"
    file.write_text(line + "\n")

    assert [checkpoint.genuine for checkpoint in checkpoints.read(file)] == [False] * bool(line)

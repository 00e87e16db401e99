"""Signed checkpoints: written when the chain has moved, believed only with our signature."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from crm.audit import checkpoints
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


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", '{"signature": 1}', '"x"', "null"])
def test_a_line_that_is_no_checkpoint_is_kept_as_not_genuine(outside: Path, line: str) -> None:
    file = outside / "copy.jsonl"
    file.write_text(line + "\n")

    assert [checkpoint.genuine for checkpoint in checkpoints.read(file)] == [False] * bool(line)

"""What `boot.py run` promises: one at a time, nothing left behind, up again after any death."""

import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tests.launcher.conftest import Checkout

MakeCheckout = Callable[[str], Checkout]


def serves(checkout: Checkout) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", checkout.port, timeout=5)
    connection.request("GET", "/healthz")
    return connection.getresponse().read() == b"well"


def test_run_serves_alone_and_leaves_nothing(checkout: MakeCheckout) -> None:
    here = checkout("here")
    first = here.run()
    assert serves(here)
    running = json.loads((here.root / "var" / "run.json").read_text())
    assert running["url"] == f"http://127.0.0.1:{here.port}"
    assert (here.root / "var" / "run.json").stat().st_mode & 0o077 == 0
    assert (here.root / "var" / "secret_key").stat().st_mode & 0o077 == 0

    code, said = here.answer("run")
    assert code == 1
    assert f"already runs in this checkout: {running['url']}" in said
    assert f"process {first.pid}" in said
    code, said = here.answer("demo-reset")
    assert code == 1, "it would pull the data from under the running product"

    code, said = here.answer("manage", "check")
    assert code == 0
    assert f"at {running['DATABASE_URL']} {running['REDIS_URL']}\n" in said, (
        "it borrows the services"
    )
    assert serves(here)

    first.terminate()
    assert first.wait(10) == 0
    assert here.processes() == []
    assert not (here.root / "var" / "run.json").exists()


def test_run_recovers_from_every_death(checkout: MakeCheckout) -> None:
    here = checkout("here")
    first = here.run()
    assert here.answer("manage", "write", "kept")[0] == 0

    first.kill()
    left = here.wait_until_empty(5)
    assert [pid for pid in left if "celery" not in command_of(pid)] == []
    assert len(left) <= 1, (
        "the children follow their launcher; theirs may stay until the next start"
    )

    here.run()
    assert set(left).isdisjoint(here.processes())
    here.kill_everything()
    assert here.wait_until_empty(5) == []

    third = here.run()
    assert serves(here)
    assert "notes: kept\n" in here.answer("manage", "read")[1]

    worker = min(pid for pid in here.processes() if "celery\0-A\0crm\0worker" in command_of(pid))
    os.kill(worker, signal.SIGKILL)
    said = third.communicate(timeout=20)[0]
    assert third.returncode == 1
    assert "worker ended unexpectedly" in said
    assert here.processes() == [], "nor does the orphan of the worker stay"


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def test_a_launcher_whose_children_cannot_follow_it_is_cleaned_up_after(
    checkout: MakeCheckout,
) -> None:
    here = checkout("here")
    holder = here.boot("manage", "check", "60")
    assert holder.stdout
    assert any(line.startswith("at ") for line in holder.stdout)
    postgres = next(pid for pid in here.processes() if "\0-D\0" in command_of(pid))
    os.kill(postgres, signal.SIGSTOP)  # it keeps its locks and notes, and hears nothing
    holder.kill()
    time.sleep(0.2)
    assert postgres in here.processes()
    code, said = here.answer("manage", "check")
    assert code == 0, said
    assert here.wait_until_empty(5) == []


def test_two_checkouts_stand_side_by_side(checkout: MakeCheckout) -> None:
    one, other = checkout("one"), checkout("other")
    addresses = []
    for each in (one, other):
        process = each.boot("manage", "check", "60")
        assert process.stdout
        addresses.append(next(line.split() for line in process.stdout if line.startswith("at ")))
    (_, database, valkey), (_, other_database, other_valkey) = addresses
    assert database != other_database
    assert valkey != other_valkey
    one.started[0].terminate()
    one.started[0].wait(10)
    assert one.processes() == []
    assert other.started[0].poll() is None


def test_a_taken_port_is_said_before_anything_starts(checkout: MakeCheckout) -> None:
    here = checkout("here")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", here.port))
        taken.listen()
        code, said = here.answer("run")
    assert code == 1
    assert f"Port {here.port} is taken" in said
    assert not (here.root / "var" / "demo").exists()


def test_demo_reset_makes_the_data_anew(checkout: MakeCheckout) -> None:
    here = checkout("here")
    assert here.answer("manage", "write", "old")[0] == 0
    code, said = here.answer("demo-reset")
    assert code == 0, said
    code, said = here.answer("manage", "read")
    assert "notes:\n" in said
    assert "old" not in said

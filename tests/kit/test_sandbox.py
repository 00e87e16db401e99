"""The sandbox holds even when the program inside it is the attacker's."""

import ctypes
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from crm.kit import sandbox

LIMITS = sandbox.Limits(seconds=10, memory=512 * 1024 * 1024, output=1024 * 1024)
landlocked = ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1

TRIES = """
import ctypes, json, os, socket, subprocess, urllib.request

def attempt(act):
    try:
        act()
    except BaseException as error:
        return type(error).__name__
    return "done"

def main(payload, arguments, report):
    libc = ctypes.CDLL(None, use_errno=True)
    canary, port = arguments["canary"], arguments["port"]
    address = (2).to_bytes(2, "little") + port.to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    return json.dumps({
        "open": attempt(lambda: open(canary).read()),
        "os.open": attempt(lambda: os.open(canary, os.O_RDONLY)),
        "relative": attempt(lambda: open("../" + canary.split("/tmp/", 1)[-1]).read()),
        "write": attempt(lambda: open(canary, "a")),
        "own folder": attempt(lambda: open("scratch", "w").write("x")),
        "socket": attempt(lambda: socket.socket()),
        "resolve": attempt(lambda: socket.getaddrinfo("localhost", port)),
        "http": attempt(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/")),
        "process": attempt(lambda: subprocess.run(["true"])),
        "shell": attempt(lambda: os.system("true")),
        "fork": attempt(lambda: os.fork()),
        "native open": libc.open(canary.encode(), os.O_RDONLY),
        "native connect": libc.connect(libc.socket(2, 1, 0), address, 16),
        "environment": sorted(os.environ),
        "input": payload.read().decode(),
    }).encode()
"""


@pytest.fixture
def canary_port() -> Iterator[tuple[int, list[str]]]:
    hits: list[str] = []

    class Canary(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port, hits
    server.shutdown()
    server.server_close()


def run(
    tmp_path: Path, source: str, limits: sandbox.Limits = LIMITS, **arguments: str | int
) -> bytes:
    program = tmp_path / "program.py"
    program.write_text(source)
    with tempfile.TemporaryFile() as payload:
        payload.write(b"given")
        payload.seek(0)
        return sandbox.run(program, payload, arguments, limits=limits)


def test_a_hostile_program_reaches_no_file_no_network_no_process_and_no_secret(
    tmp_path: Path, canary_port: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary-secret")
    canary = tmp_path / "canary.txt"
    canary.write_text("canary")
    port, hits = canary_port

    answers = json.loads(run(tmp_path, TRIES, canary=str(canary), port=port))

    assert answers.pop("own folder") == "done"
    assert answers.pop("input") == "given"
    assert set(answers.pop("environment")) <= {"PATH", "LANG", "TMPDIR", "HOME", "LC_CTYPE"}
    native_open, native_connect = answers.pop("native open"), answers.pop("native connect")
    assert native_connect == -1
    if landlocked:
        assert native_open == -1
    assert answers == dict.fromkeys(answers, "PermissionError") | {"http": "URLError"}
    assert hits == []
    assert canary.read_text() == "canary"


@pytest.mark.parametrize(
    ("reason", "body"),
    [
        ("timeout", "import time; time.sleep(60)"),
        ("timeout", "\n    while True: report({'busy': 1})"),
        ("memory", "bytearray(2**30)"),
        ("failed", "return b'x' * (2 * 1024 * 1024)"),
        ("failed", "import os; os.abort()"),
        ("failed", "raise ValueError('a citizen name')"),
        ("too_complex", "return main(payload, arguments, report)"),
    ],
)
def test_a_run_that_costs_too_much_ends_with_its_reason(
    tmp_path: Path, reason: str, body: str
) -> None:
    started = time.monotonic()
    with pytest.raises(sandbox.SandboxError) as caught:
        run(
            tmp_path,
            f"def main(payload, arguments, report):\n    {body.strip()}\n",
            sandbox.Limits(seconds=2, memory=LIMITS.memory, output=LIMITS.output),
        )
    assert caught.value.reason == reason
    assert "citizen" not in str(caught.value)
    assert time.monotonic() - started < 5


def test_a_run_leaves_no_process_no_file_and_no_descriptor(tmp_path: Path) -> None:
    folders = set(Path(tempfile.gettempdir()).glob("sandbox-*"))
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(sandbox.SandboxError):
        run(
            tmp_path,
            "import time\ndef main(payload, arguments, report): time.sleep(60)",
            sandbox.Limits(seconds=0.5, memory=LIMITS.memory, output=1),
        )
    assert set(Path(tempfile.gettempdir()).glob("sandbox-*")) <= folders
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)

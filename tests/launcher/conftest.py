"""Small checkouts with the real boot.py and a product just large enough to start, serve and store."""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import boot

ROOT = boot.ROOT

PRODUCT = {
    "manage.py": """
        import os, sys, time, psycopg
        command, *arguments = sys.argv[1:]
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
            if command == "prepare":
                database.execute("CREATE TABLE IF NOT EXISTS note (text text)")
            if command == "write":
                database.execute("INSERT INTO note VALUES (%s)", arguments)
            if command == "read":
                print("notes:", *(row[0] for row in database.execute("SELECT text FROM note")))
            print("at", os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
            if command == "check" and arguments:
                time.sleep(float(arguments[0]))
    """,
    "daphne.py": """
        import sys
        from http.server import BaseHTTPRequestHandler, HTTPServer
        class Well(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"well")
        HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("-p") + 1])), Well).serve_forever()
    """,
    # like the real one, the worker has a child of its own, which only the worker itself ends
    "celery.py": """
        import os, signal, sys, time
        pid = os.fork() if "worker" in sys.argv else 0
        def stop(*_):
            if pid:
                os.kill(pid, signal.SIGKILL)
            sys.exit()
        signal.signal(signal.SIGTERM, stop if pid else signal.SIG_IGN if "worker" in sys.argv else stop)
        while True:
            time.sleep(60)
    """,
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Checkout:
    """A directory with boot.py in it, and what runs there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = free_port()
        self.started: list[subprocess.Popen[str]] = []
        for name, text in PRODUCT.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            lines = text.strip("\n").splitlines()
            indent = len(lines[0]) - len(lines[0].lstrip())
            (root / name).write_text("\n".join(line[indent:] for line in lines))
        for name in ("boot.py", "requirements-dev.lock", "package-lock.json"):
            shutil.copy(ROOT / name, root)
        for name in (".venv", "node_modules"):
            (root / name).symlink_to(ROOT / name)

    @property
    def env(self) -> dict[str, str]:
        ours = ("DATABASE_URL", "REDIS_URL", "APP_ENV", "SECRET_KEY", "PUBLIC_URL")
        env = {
            name: value
            for name, value in os.environ.items()
            if name not in ours and not name.startswith(("VENTANILLA", "PYTEST", "DJANGO"))
        }
        return env | {"PORT": str(self.port)}

    def boot(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start boot.py without waiting for it."""
        process = subprocess.Popen(
            [sys.executable, "boot.py", *arguments],
            cwd=self.root,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def answer(self, *arguments: str, **env: str) -> tuple[int, str]:
        """Run boot.py to its end: its exit code and all it said."""
        process = self.boot(*arguments, **env)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def run(self) -> subprocess.Popen[str]:
        """Start the product and wait until it says that it is ready."""
        process = self.boot("run")
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if "Stop: Ctrl-C" in line:
                return process
        raise AssertionError("".join(said))

    def processes(self) -> list[int]:
        """Everything that works for this checkout: by its mark, its data or its directory."""
        identity = self.root / "var" / "identity"
        place = f"ventanilla-{identity.read_text()}" if identity.exists() else str(self.root)
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                environment = (process / "environ").read_bytes().decode(errors="replace")
                stands = str((process / "cwd").readlink())
                command = (process / "cmdline").read_bytes().decode(errors="replace")
                if any(
                    str(self.root) in text or place in text
                    for text in (environment, stands, command)
                ):
                    found.append(int(process.name))
        return found

    def kill_everything(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait_until_empty(self, seconds: float) -> list[int]:
        """The processes still there after that time at most; none is what one hopes for."""
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Callable[[str], Checkout]]:
    """Make small checkouts by name; whatever they left running or on disk goes away afterwards."""
    if sys.platform != "linux":
        pytest.skip("looks at processes through /proc")
    wanted = hashlib.sha256((ROOT / "requirements-dev.lock").read_bytes()).hexdigest()
    stamp = ROOT / ".venv" / ".stamp"
    if not stamp.exists() or not stamp.read_text().startswith(wanted):
        pytest.skip("needs the .venv that boot.py made: run it by `python3 boot.py test`")
    made: list[Checkout] = []

    def make(name: str) -> Checkout:
        (tmp_path / name).mkdir()
        made.append(Checkout(tmp_path / name))
        return made[-1]

    yield make
    for each in made:
        each.kill_everything()
        for process in each.started:
            process.communicate()
        identity = each.root / "var" / "identity"
        if identity.exists():
            shutil.rmtree(boot.OUTSIDE / f"ventanilla-{identity.read_text()}", ignore_errors=True)

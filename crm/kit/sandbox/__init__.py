"""Runs one of our programs over hostile input, in a process that reaches nothing and costs little.

A program is a file with `main(payload, arguments, report) -> bytes`. It is run by `guard.py`, which
first gives up network, files, memory and time; it cannot import this project. What it passes to
`report` arrives here at once as a dictionary, so that long work can show its progress.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

Reason = Literal["timeout", "memory", "too_complex", "failed"]
Report = Mapping[str, object]

_GUARD = Path(__file__).with_name("guard.py")
_LONGEST_REPORT = 64 * 1024
_REASONS: dict[object, Reason] = {"memory": "memory", "too_complex": "too_complex"}


@dataclass(frozen=True)
class Limits:
    """What one run may cost: wall-clock seconds, bytes of address space, bytes of result."""

    seconds: float
    memory: int
    output: int


class SandboxError(Exception):
    """The program gave no result. `detail` is for the log and quotes nothing of the input."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


def run(
    program: Path,
    payload: IO[bytes],
    arguments: Mapping[str, str | int],
    *,
    limits: Limits,
    on_report: Callable[[Report], None] | None = None,
) -> bytes:
    """Return what `program` makes of `payload` (a real file); the process is gone afterwards."""
    reader, writer = os.pipe()
    deadline = time.monotonic() + limits.seconds
    listener = _Listener(on_report)
    with (
        tempfile.TemporaryDirectory(prefix="sandbox-") as folder,
        tempfile.TemporaryFile() as result,
        os.fdopen(reader, "rb", buffering=0) as reports,
    ):
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [
                    *(sys.executable, "-I", "-B", "-X", "utf8", str(_GUARD), str(program)),
                    json.dumps(dict(arguments)),
                    *(str(writer), str(int(limits.seconds) + 1)),
                    *(str(limits.memory), str(limits.output)),
                ],
                stdin=payload,
                stdout=result,
                stderr=subprocess.DEVNULL,
                pass_fds=(writer,),
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": folder, "HOME": folder},
                start_new_session=True,
            )
        finally:
            os.close(writer)
        try:
            listener.listen(reports, deadline)
            code = process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise SandboxError("timeout", f"{limits.seconds:g} s") from None
        finally:
            _end(process)
        if code == -signal.SIGXCPU:
            raise SandboxError("timeout", "processor time")
        if code or listener.failure:
            raise SandboxError(
                _REASONS.get(listener.failure, "failed"), listener.detail or str(code)
            )
        result.seek(0)
        return result.read(limits.output)


class _Listener:
    """Reads the program's reports, one JSON object a line, until it closes its end."""

    def __init__(self, on_report: Callable[[Report], None] | None) -> None:
        self._on_report = on_report
        self.failure: object = None
        self.detail = ""

    def listen(self, reports: IO[bytes], deadline: float) -> None:
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(reports, selectors.EVENT_READ)
            while True:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not selector.select(remaining):
                    raise TimeoutError
                chunk = os.read(reports.fileno(), _LONGEST_REPORT)
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._take(line)
                if not chunk or len(rest) > _LONGEST_REPORT:
                    return

    def _take(self, line: bytes) -> None:
        try:
            report = json.loads(line)
        except ValueError:
            return
        if not isinstance(report, dict):
            return
        if "failed" in report:
            self.failure, self.detail = report["failed"], str(report.get("detail", ""))
        elif self._on_report is not None:
            self._on_report(report)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

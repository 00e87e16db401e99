"""What an operator reads is what the code does: roles, settings and system packages agree."""

import os
import pwd
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import yaml

import boot

IMAGE = (boot.ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((boot.ROOT / "compose.yaml").read_text())["services"]
START = (boot.ROOT / "deploy" / "start").read_text()
ROLES = set(re.findall(r"^(\w+)\) ?", START, re.MULTILINE))


def test_every_process_of_compose_is_a_role_that_start_knows() -> None:
    ours = {name: service["command"][0] for name, service in COMPOSE.items() if "build" in service}
    assert ours == {
        "prepare": "manage",
        "web": "web",
        "live": "live",
        "worker": "worker",
        "beat": "beat",
    }
    assert set(ours.values()) == ROLES


def test_every_setting_that_the_operator_is_told_of_is_read() -> None:
    settings = (boot.ROOT / "crm" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    read |= set(re.findall(r"\$\{([A-Z_]+):-", START))
    guide = (boot.ROOT / "docs" / "operator.md").read_text()
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", guide, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"[A-Z_]+", row)}
    assert {"SECRET_KEY", "DATABASE_URL", "PUBLIC_URL", "WEB_WORKERS"} <= told
    assert told - read == set()
    example = (boot.ROOT / "deploy" / "env.example").read_text()
    filled_in = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    assert filled_in - read == {"POSTGRES_PASSWORD"}, "only compose.yaml reads that one"


def test_the_image_has_the_system_libraries_that_boot_asks_for() -> None:
    pango = next(need for need in boot.NEEDS if need.name == "Pango")
    assert set(pango.apt.split()) <= set(IMAGE.split())


def test_the_database_of_compose_can_be_made(tmp_path: Path) -> None:
    """Without its encoding initdb refuses: the image's own would be another."""
    arguments = COMPOSE["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    program = boot.postgres_binaries(boot.place_outside()) / "initdb"
    place = boot.place_outside() / f"made-by-compose-{tmp_path.name}"
    place.mkdir()
    try:
        if user:
            os.chown(place, user.pw_uid, user.pw_gid)
        made = subprocess.run(
            [program, "-U", "ventanilla", "-D", place / "data", *shlex.split(arguments), "-N"],
            env={"LANG": "en_US.utf8", "PATH": os.environ["PATH"]},  # the image's
            user=user.pw_uid if user else None,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        assert "encoding" not in made.stderr
    finally:
        shutil.rmtree(place)


def test_the_database_counts_as_there_only_when_others_reach_it() -> None:
    check = COMPOSE["postgres"]["healthcheck"]["test"]
    assert check[:4] == ["CMD", "pg_isready", "-h", "127.0.0.1"]


def test_what_the_image_copies_and_calls_is_in_the_repository() -> None:
    ignored = (boot.ROOT / ".dockerignore").read_text().split()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", IMAGE, re.MULTILINE)
    files = {name for names in copied for name in names.split()}
    assert {"package.json", "package-lock.json", ".npmrc", "requirements.lock", "."} == files
    entry = re.findall(r'^ENTRYPOINT \["/app/(.+)"\]$', IMAGE, re.MULTILINE)
    health = {
        part
        for service in COMPOSE.values()
        for part in service.get("healthcheck", {}).get("test", [])
        if part.startswith("deploy/")
    }
    for name in [*files, *entry, *health]:
        assert (boot.ROOT / name).exists()
        assert name.split("/")[0] not in ignored
    assert os.access(boot.ROOT / entry[0], os.X_OK)
    # every room is compiled for whoever may not write beside it
    compiled = re.findall(r"compileall -q manage\.py (.+)$", IMAGE, re.MULTILINE)[0].split()
    rooms = {path.parent.name for path in boot.ROOT.glob("*/__init__.py")} - {"tests"}
    assert set(compiled) == rooms


def test_a_translation_that_cannot_be_compiled_stops_the_image(tmp_path: Path) -> None:
    step = re.findall(r"^RUN (for po in .+)$", IMAGE, re.MULTILINE)[0]
    for language, text in (("es", "Sí"), ("ca", "%(otro)s"), ("fr", "Oui")):
        folder = tmp_path / "locale" / language / "LC_MESSAGES"
        folder.mkdir(parents=True)
        head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        message = f'#, python-format\nmsgid "%(name)s"\nmsgstr "{text}"\n'
        (folder / "django.po").write_text(head + message)
    broken = subprocess.run(["sh", "-c", step], cwd=tmp_path, capture_output=True, check=False)
    assert broken.returncode == 1
    for folder in tmp_path.glob("locale/*/LC_MESSAGES"):
        (folder / "django.po").write_text(head + message.replace(text, "%(name)s"))
    subprocess.run(["sh", "-c", step], cwd=tmp_path, capture_output=True, check=True)
    assert len(list(tmp_path.glob("locale/*/LC_MESSAGES/django.mo"))) == 3

"""What an operator reads is what the code does: roles, settings and system packages agree."""

import re

import yaml

import boot

START = (boot.ROOT / "deploy" / "start").read_text()
ROLES = set(re.findall(r"^(\w+)\) ?", START, re.MULTILINE))


def test_every_process_of_compose_is_a_role_that_start_knows() -> None:
    services = yaml.safe_load((boot.ROOT / "compose.yaml").read_text())["services"]
    ours = {name: service["command"][0] for name, service in services.items() if "build" in service}
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
    image = (boot.ROOT / "Dockerfile").read_text()
    pango = next(need for need in boot.NEEDS if need.name == "Pango")
    assert set(pango.apt.split()) <= set(image.split())

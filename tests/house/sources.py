"""The house's own code, read once."""

import ast
from functools import cache
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ROOMS = ("crm", "cases", "channels_app", "scheduling", "campaigns", "reporting")


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the rooms but migrations: its path from the root → its syntax tree."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text())
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in path.parts
    }


@cache
def calls(name: str) -> list[tuple[str, ast.Call]]:
    """Every call of a function or method of this name, with the module's path."""
    return [
        (path, node)
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node.func) == name
    ]


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


@cache
def templates() -> dict[str, str]:
    """Every template of the house: its name → its text."""
    places = [ROOT / "templates", *(ROOT / room for room in ROOMS)]
    return {
        str(path.relative_to(ROOT)): path.read_text()
        for place in places
        for path in sorted(place.rglob("*.html"))
    }

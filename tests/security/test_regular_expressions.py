"""No pattern of the house takes long over a text made for it (attacks-and-faults.md B2.9)."""

import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, ModuleType

import pytest

from crm.kit.errors import DomainError

ROOMS = ("crm", "cases", "scheduling", "reporting")
SIZE = 100_000
MOST = 1.0  # seconds of our own time; what goes wrong takes minutes
TEXTS = {
    "letters": "a" * SIZE + "!",
    "digits": "1" * SIZE + "!",
    "blanks": " " * SIZE + "!",
    "dashes": "-" * SIZE + "!",
    "dots": "a." * (SIZE // 2) + "!",
    "mails": "a@a." * (SIZE // 4) + "!",
    "ats": "@" * SIZE,
    "words": "a b" * (SIZE // 3) + "!",
    "capitals": "A1" * (SIZE // 2) + "!",
    "marks": "<" * SIZE,
    "elements": "<svg " * (SIZE // 5),
    "dates": "1/1/" * (SIZE // 4),
    "accents": "á" * SIZE + "!",
    "street": "Calle " * (SIZE // 6),
    "empty": "",
}


def _modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        package = importlib.import_module(room)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if "migrations" in found.name or found.name.endswith((".asgi", ".wsgi", "guard")):
                continue
            try:
                yield importlib.import_module(found.name)
            except ImportError:  # programs of the sandbox bring their own path
                continue


def _patterns() -> dict[str, re.Pattern[str]]:
    found: dict[str, re.Pattern[str]] = {}
    for module in _modules():
        for name, value in vars(module).items():
            each = value.items() if isinstance(value, dict) else [("", value)]
            for key, pattern in each:
                if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
                    found[f"{module.__name__}.{name}{f'[{key}]' if key else ''}"] = pattern
    return found


PATTERNS = _patterns()


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Stop a pattern that would never come back."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_there_are_patterns() -> None:
    assert len(PATTERNS) > 20


@pytest.mark.parametrize("name", PATTERNS)
def test_no_text_holds_a_pattern_up(name: str) -> None:
    pattern = PATTERNS[name]
    for kind, text in TEXTS.items():
        begun = time.process_time()
        with within(20):
            pattern.fullmatch(text)
            pattern.match(text)
            sum(1 for _found in pattern.finditer(text[: SIZE // 5]))
        took = time.process_time() - begun
        assert took < MOST, f"{name} takes {took:.1f} s over {kind}"


@pytest.mark.parametrize("kind", TEXTS)
def test_no_text_holds_up_what_reads_numbers_and_names(kind: str) -> None:
    from crm.citizens.identifiers import folded, guess
    from crm.kit.files import safe_name
    from crm.organisations.dir3 import normalise

    text = TEXTS[kind]
    for function in (guess, folded, normalise, lambda raw: safe_name(raw, (".pdf",))):
        begun = time.process_time()
        with within(20), suppress(DomainError, ValueError):  # a refusal is an answer, too
            function(text)
        assert time.process_time() - begun < MOST

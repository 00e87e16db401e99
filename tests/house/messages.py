"""Messages as the code marks them, and catalogues as translators leave them."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from django.utils.translation.template import templatize

from tests.house.sources import ROOMS, ROOT

KEYWORDS = (
    *("gettext_noop", "gettext_lazy", "ngettext_lazy:1,2", "pgettext:1c,2", "npgettext:1c,2,3"),
    *("pgettext_lazy:1c,2", "npgettext_lazy:1c,2,3"),
)
_LINE = re.compile(r'^(?:(msgctxt|msgid|msgid_plural|msgstr)(?:\[(\d)\])? )?(".*")$')

Key = tuple[str, str]  # context, msgid


@dataclass
class Entry:
    """One message of a catalogue."""

    context: str = ""
    msgid: str = ""
    plural: str = ""
    translations: dict[int, str] = field(default_factory=dict)
    places: set[str] = field(default_factory=set)
    fuzzy: bool = False
    obsolete: bool = False

    @property
    def key(self) -> Key:
        """By what it is looked up."""
        return self.context, self.msgid

    @property
    def translated(self) -> bool:
        """Whether every form of it says something."""
        return bool(self.translations) and all(self.translations.values()) and not self.fuzzy


@cache
def marked() -> dict[Key, Entry]:
    """Every message that code and templates mark, with the files where they do."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        names = list(_copied(place))
        command = ["xgettext", "-d", "django", "--language=Python", "--from-code=UTF-8", "-o", "-"]
        command += [f"--keyword={keyword}" for keyword in KEYWORDS]
        done = subprocess.run(
            [*command, *names], cwd=place, capture_output=True, check=True, text=True
        )
    return {entry.key: entry for entry in read(done.stdout) if entry.msgid}


def _copied(place: Path) -> Iterator[str]:
    """Python modules as they are, templates as the Python that makemessages sees in them."""
    for folder in (*ROOMS, "templates"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".py", ".html", ".txt"} or "migrations" in path.parts:
                continue
            name = str(path.relative_to(ROOT))
            text = path.read_text()
            copy = place / (name if path.suffix == ".py" else f"{name}.py")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text if path.suffix == ".py" else templatize(text, origin=name))
            yield str(copy.relative_to(place))


def read(text: str) -> list[Entry]:
    """The entries of a catalogue's text."""
    return [_entry(block.splitlines()) for block in re.split(r"\n\s*\n", text) if block.strip()]


def _entry(lines: list[str]) -> Entry:
    parts: dict[str, str] = {}
    name = ""
    for line in lines:
        found = _LINE.match(line.removeprefix("#~").strip())
        if found:
            name = f"{found[1]}{found[2] or ''}" if found[1] else name
            parts[name] = parts.get(name, "") + ast.literal_eval(found[3])
    places = [place for line in lines if line.startswith("#:") for place in line[2:].split()]
    return Entry(
        context=parts.get("msgctxt", ""),
        msgid=parts.get("msgid", ""),
        plural=parts.get("msgid_plural", ""),
        translations={
            int(name[6:] or 0): text for name, text in parts.items() if name.startswith("msgstr")
        },
        places={place.rpartition(":")[0].removesuffix(".html.py") for place in places},
        fuzzy=any(line.startswith("#,") and "fuzzy" in line for line in lines),
        obsolete=any(line.startswith("#~") for line in lines),
    )

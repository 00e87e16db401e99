"""What the columns of a foreign file mean: a readable TOML file, checked, and rows turned by it (pure).

source = "avisos.example.es"          # the system that the file comes from
[file]                                # encoding, delimiter, quote, missing (values meaning nothing)
[case]                                # field = "column", or a table: column | columns | value,
external_id = "id"                    #   values (foreign → ours), default, formats, zone, separator
[data]                                # the case type's own fields, in the same way
[case_type]                           # made when the organisation has no type of this code yet
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.citizens.models import Channel
from crm.kit.errors import Invalid

READY = Path(__file__).parent / "mappings"
SUBJECT_LENGTH = 240
LIMITS = {"external_id": 120, "type": 60, "address": 300, "outcome": 240}
TEXT_LENGTH = 100_000
FIELDS = {
    "external_id": gettext_lazy("Identifier in the other system"),
    "subject": gettext_lazy("Subject"),
    "type": gettext_lazy("Case type (its code)"),
    "state": gettext_lazy("State"),
    "opened_at": gettext_lazy("Opening date"),
    "description": gettext_lazy("Description"),
    "closed_at": gettext_lazy("Closing date"),
    "channel": gettext_lazy("Channel"),
    "priority": gettext_lazy("Priority"),
    "language": gettext_lazy("Language"),
    "address": gettext_lazy("Address"),
    "latitude": gettext_lazy("Latitude"),
    "longitude": gettext_lazy("Longitude"),
    "outcome": gettext_lazy("Outcome"),
    "citizen": gettext_lazy("Citizen's identification number"),
    "unit": gettext_lazy("Unit (its code)"),
}
"""What a row says of a case, and what people call it."""
REQUIRED = ("external_id", "subject", "type", "opened_at")
PRIORITIES = {"low": 0, "normal": 1, "high": 2, "urgent": 3}
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class BadMapping(Invalid):
    """The mapping itself is wrong; nothing was read."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}", code="bad_mapping", where=where)
        self.reason = message  # for who sees the place by itself


class BadRow(Exception):  # noqa: N818 - the row is bad, not the program
    """A row cannot become a case; the sentence says why."""


@dataclass(frozen=True)
class FileShape:
    """How the file is written."""

    encoding: str = "utf-8-sig"
    delimiter: str = ","
    quote: str = '"'
    missing: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Source:
    """Where one field's value comes from, and what becomes of it."""

    columns: tuple[str, ...] = ()
    separator: str = " · "
    value: str | None = None
    values: Mapping[str, str] | None = None
    default: str | None = None
    formats: tuple[str, ...] = ("iso",)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Madrid"))


@dataclass(frozen=True)
class ImportMapping:
    """A whole mapping, ready to be bound to a file's header."""

    source: str
    file: FileShape
    case: Mapping[str, Source]
    data: Mapping[str, Source]
    case_type: Mapping[str, Any] | None
    raw: Mapping[str, Any]

    @property
    def columns(self) -> set[str]:
        """Every column that the mapping reads."""
        return {c for s in (*self.case.values(), *self.data.values()) for c in s.columns}


def read(text: str) -> ImportMapping:
    """Parse and check a mapping; BadMapping says where it is wrong and what would be right."""
    try:
        return build(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadMapping("TOML", str(error)) from None


def ready_names() -> list[str]:
    """The mappings that come with the product."""
    return sorted(path.stem for path in READY.glob("*.toml"))


def open_mapping(name: str) -> ImportMapping:
    """The mapping in a file, or a ready one by its name."""
    path = Path(name) if name not in ready_names() else READY / f"{name}.toml"
    if not path.is_file():
        raise BadMapping(
            name,
            _("There is no such file, and the ready mappings are: %(names)s.")
            % {"names": ", ".join(ready_names())},
        )
    return read(path.read_text(encoding="utf-8"))


def build(raw: Mapping[str, Any]) -> ImportMapping:
    """A mapping from its parsed form (also as it is stored with an import)."""
    unknown = sorted(set(raw) - {"name", "source", "file", "case", "data", "case_type"})
    if unknown:
        raise BadMapping(unknown[0], _("There is no such section."))
    source = raw.get("source")
    if not isinstance(source, str) or not 0 < len(source) <= 60:
        raise BadMapping("source", _("Name the system that the file comes from (1 to 60 letters)."))
    case = {name: _source(f"case.{name}", spec) for name, spec in _table(raw, "case").items()}
    for name in case:
        if name not in FIELDS:
            raise BadMapping(
                f"case.{name}",
                _("There is no such field; there are: %(names)s.") % {"names": ", ".join(FIELDS)},
            )
    for name in REQUIRED:
        if name not in case:
            raise BadMapping(f"case.{name}", _("This field is needed."))
    data = {name: _source(f"data.{name}", spec) for name, spec in _table(raw, "data").items()}
    return ImportMapping(source, _shape(_table(raw, "file")), case, data, raw.get("case_type"), raw)


def _table(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = raw.get(name, {})
    if not isinstance(table, dict):
        raise BadMapping(name, _("This must be a section."))
    return table


def _shape(raw: Mapping[str, Any]) -> FileShape:
    unknown = sorted(set(raw) - {"encoding", "delimiter", "quote", "missing"})
    if unknown:
        raise BadMapping(f"file.{unknown[0]}", _("There is no such setting."))
    encoding = raw.get("encoding", "utf-8-sig")
    try:
        "".encode(encoding)
    except (LookupError, TypeError, ValueError):
        raise BadMapping("file.encoding", _("There is no such encoding.")) from None
    for key in ("delimiter", "quote"):
        mark = raw.get(key, ",")
        if not isinstance(mark, str) or len(mark) != 1 or mark in "\r\n\0":
            raise BadMapping(f"file.{key}", _("Give one character."))
    missing = raw.get("missing", [""])
    if not isinstance(missing, list) or not all(isinstance(word, str) for word in missing):
        raise BadMapping("file.missing", _("Give a list of texts."))
    return FileShape(
        encoding, raw.get("delimiter", ","), raw.get("quote", '"'), tuple(sorted({"", *missing}))
    )


def _source(where: str, spec: Any) -> Source:
    if isinstance(spec, str):
        return Source(columns=(spec,))
    if not isinstance(spec, dict):
        raise BadMapping(where, _("Give the name of a column, or a table."))
    unknown = sorted(
        set(spec)
        - {"column", "columns", "separator", "value", "values", "default", "formats", "zone"}
    )
    if unknown:
        raise BadMapping(f"{where}.{unknown[0]}", _("There is no such setting."))
    columns = spec.get("columns", [spec["column"]] if "column" in spec else [])
    if not columns and "value" not in spec:
        raise BadMapping(where, _("Say the column, or a fixed value."))
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise BadMapping(where, _("Columns are given by their names."))
    values = spec.get("values")
    if values is not None and not isinstance(values, dict):
        raise BadMapping(f"{where}.values", _("Give a table: foreign value = ours."))
    try:
        zone = ZoneInfo(spec.get("zone", "Europe/Madrid"))
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        raise BadMapping(f"{where}.zone", _("There is no such time zone.")) from None
    return Source(
        columns=tuple(columns),
        separator=str(spec.get("separator", " · ")),
        value=None if "value" not in spec else str(spec["value"]),
        values=None if values is None else {str(k): str(v) for k, v in values.items()},
        default=None if "default" not in spec else str(spec["default"]),
        formats=tuple(spec.get("formats", ["iso"])),
        zone=zone,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file as a case to be; types and states are still codes."""

    external_id: str
    subject: str
    type: str
    state: str
    opened_at: datetime
    closed_at: datetime | None
    description: str
    channel: str
    priority: int
    language: str
    address: str
    latitude: float | None
    longitude: float | None
    outcome: str
    citizen: str
    unit: str
    data: Mapping[str, str]


Getter = Callable[[Sequence[str]], str]


class Binding:
    """A mapping bound to the header of one file: turns its rows."""

    def __init__(self, mapping: ImportMapping, header: Sequence[str]) -> None:
        self.width = len(header)
        places = {name.strip(): at for at, name in reversed(list(enumerate(header)))}
        missing = sorted(mapping.columns - set(places))
        if missing:
            raise BadMapping(
                "file",
                _("The file has no column %(name)s; it has: %(columns)s.")
                % {"name": ", ".join(missing), "columns": ", ".join(header)[:500]},
            )
        nothing = frozenset(mapping.file.missing)
        self._case = {
            name: _getter(name, source, places, nothing) for name, source in mapping.case.items()
        }
        self._data = [
            (name, _getter(name, source, places, nothing)) for name, source in mapping.data.items()
        ]
        self._opened = mapping.case["opened_at"]
        self._closed = mapping.case.get("closed_at")

    def turn(self, cells: Sequence[str]) -> Row:
        """The case in a row; BadRow says why there is none."""
        if len(cells) != self.width:
            raise BadRow(
                _("It has %(found)s columns instead of %(expected)s.")
                % {"found": len(cells), "expected": self.width}
            )
        for cell in cells:
            if _NOT_TEXT.search(cell):
                raise BadRow(_("It holds characters that are not in the stated encoding."))
        opened = _moment("opened_at", self._text("opened_at", cells), self._opened)
        if opened is None:
            raise BadRow(_("It has no opening date."))
        return Row(
            external_id=self._needed("external_id", cells),
            subject=_shortened(self._needed("subject", cells)),
            type=self._needed("type", cells),
            state=self._text("state", cells),
            opened_at=opened,
            closed_at=self._closing(cells, opened),
            description=self._text("description", cells)[:TEXT_LENGTH],
            channel=self._channel(cells),
            priority=self._priority(cells),
            language=self._text("language", cells),
            address=self._bounded("address", cells),
            latitude=_degrees("latitude", self._text("latitude", cells), 90),
            longitude=_degrees("longitude", self._text("longitude", cells), 180),
            outcome=self._bounded("outcome", cells),
            citizen=self._text("citizen", cells),
            unit=self._text("unit", cells),
            data={name: value for name, get in self._data if (value := get(cells))},
        )

    def _text(self, name: str, cells: Sequence[str]) -> str:
        get = self._case.get(name)
        return get(cells) if get else ""

    def _needed(self, name: str, cells: Sequence[str]) -> str:
        value = self._text(name, cells) if name == "subject" else self._bounded(name, cells)
        if not value:
            raise BadRow(_("%(field)s is empty.") % {"field": _called(name)})
        return value

    def _bounded(self, name: str, cells: Sequence[str]) -> str:
        value = self._text(name, cells)
        if len(value) > LIMITS[name]:
            raise BadRow(
                _("%(field)s is longer than %(limit)s characters.")
                % {"field": _called(name), "limit": LIMITS[name]}
            )
        return value

    def _closing(self, cells: Sequence[str], opened: datetime) -> datetime | None:
        if self._closed is None:
            return None
        text = self._text("closed_at", cells)
        if text == "opened_at":
            return opened
        return _moment("closed_at", text, self._closed)

    def _channel(self, cells: Sequence[str]) -> str:
        channel = self._text("channel", cells) or Channel.WEB_FORM
        if channel not in Channel:
            raise BadRow(_("There is no channel %(value)s.") % {"value": channel})
        return channel

    def _priority(self, cells: Sequence[str]) -> int:
        priority = self._text("priority", cells) or "normal"
        if priority not in PRIORITIES:
            raise BadRow(_("There is no priority %(value)s.") % {"value": priority})
        return PRIORITIES[priority]


def _called(name: str) -> str:
    """What people call a field; the case type's own ones by their name."""
    return str(FIELDS.get(name, name))


def _getter(
    name: str, source: Source, places: Mapping[str, int], nothing: frozenset[str]
) -> Getter:
    """How one field is got out of a row's cells."""
    if source.value is not None:
        fixed = source.value
        return lambda _cells: fixed
    default = source.default or ""
    at = [places[column] for column in source.columns]

    def get(cells: Sequence[str]) -> str:
        found = [cells[i].strip() for i in at]
        text = source.separator.join(part for part in found if part not in nothing)
        if not text:
            return default
        if source.values is None:
            return text
        if text in source.values:
            return source.values[text]
        if source.default is not None:
            return default
        raise BadRow(
            _("%(field)s has the value “%(value)s”, which the mapping does not know.")
            % {"field": _called(name), "value": text[:60]}
        )

    return get


def _moment(name: str, text: str, source: Source) -> datetime | None:
    """The instant that a text says; times without a zone are of the mapping's zone."""
    if not text:
        return None
    for pattern in source.formats:
        try:
            if pattern == "iso":
                at = datetime.fromisoformat(text)
            elif pattern == "epoch":
                at = datetime.fromtimestamp(float(text), UTC)
            else:
                at = datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone follows
        except (ValueError, OverflowError, OSError):
            continue
        if at.tzinfo is None:
            at = at.replace(tzinfo=source.zone)
        if not 1900 <= at.year <= 2200:
            break
        return at.astimezone(UTC)
    raise BadRow(
        _("%(field)s is not a date: %(value)s.") % {"field": _called(name), "value": text[:40]}
    )


def _degrees(name: str, text: str, limit: int) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not abs(value) <= limit:
        raise BadRow(
            _("%(field)s is not a coordinate: %(value)s.")
            % {"field": _called(name), "value": text[:40]}
        )
    return value


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SUBJECT_LENGTH else text[: SUBJECT_LENGTH - 1] + "…"

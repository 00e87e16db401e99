"""Several histories as one zip, written while it is sent: nothing of it lies on disk or in memory whole."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from crm.kit.actor import Actor
from crm.kit.errors import Unavailable
from crm.kit.files import safe_name
from reporting.failures import words_of
from reporting.models import IssuedHistory, Status
from reporting.services import original_bytes

_MADE = (1980, 1, 1, 0, 0, 0)
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")


def file_name(history: IssuedHistory) -> str:
    """How the document is called when it is saved."""
    return safe_name(history.file_name, (".pdf",))


def zipped(
    actor: Actor, histories: Sequence[IssuedHistory], left_out: Sequence[tuple[str, str]]
) -> Iterator[bytes]:
    """The documents and `index.csv`, which also says what is missing and why.

    `left_out` holds (case, code of the reason).
    """
    sink = _Sink()
    rows: list[list[object]] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for history in histories:
            name, problem = file_name(history), ""
            if history.valid:
                try:
                    archive.writestr(
                        _entry(name, history.issued_at), original_bytes(history, actor)
                    )
                except Unavailable as error:
                    name, problem = "", str(error)
            else:
                name, problem = "", _problem(history)
            rows.append(_row(history, name, problem))
            yield sink.taken()
        for case, code in left_out:
            rows.append([case, "", "", "", "", "", "", "", str(words_of(code))])
        archive.writestr(_entry("index.csv", None), _index(rows))
        yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Takes what is written and gives it away; it cannot go back, so the zip is written forwards."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held


def _entry(name: str, moment: datetime | None) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, moment.timetuple()[:6] if moment else _MADE)


def _row(history: IssuedHistory, name: str, problem: str) -> list[object]:
    return [
        history.case.reference if history.case else "",
        history.variant,
        name,
        history.code if name else "",
        history.sha256 if name else "",
        history.pages,
        history.seal_level,
        history.issued_at.isoformat() if history.issued_at else "",
        problem,
    ]


def _problem(history: IssuedHistory) -> str:
    if history.revoked_at:
        return _("Revoked")
    if history.status == Status.FAILED:
        return str(words_of(history.error))
    return str(history.get_status_display())


def _index(rows: list[list[object]]) -> bytes:
    """RFC 4180, in UTF-8 with the mark by which spreadsheets know it, and no cell a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ["case", "variant", "file", "csv", "sha256", "pages", "seal", "issued_at", "problem"]
    )
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(_DANGEROUS) else text

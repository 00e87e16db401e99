"""Reading rows out of large files: plain or gzip, any encoding, never more than a line in memory."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from cases.imports.mapping import BadMapping, FileShape

CELL_LIMIT = 1024 * 1024
MOST_COLUMNS = 1_000
GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def open_rows(
    path: Path, shape: FileShape
) -> Iterator[tuple[list[str], Iterator[list[str] | str]]]:
    """The header and the rows; a row that cannot be read is its reason instead of a list."""
    csv.field_size_limit(CELL_LIMIT)
    with _opened(path) as stream:
        # surrogateescape keeps a wrong byte as what the mapping recognises as no text
        text = io.TextIOWrapper(
            io.BufferedReader(stream), encoding=shape.encoding, errors="surrogateescape", newline=""
        )
        reader = csv.reader(text, delimiter=shape.delimiter, quotechar=shape.quote, strict=False)
        try:
            header = next(reader, [])
        except (csv.Error, UnicodeError) as error:
            raise BadMapping("file", str(error)) from None
        if not header:
            raise BadMapping("file", _("The file is empty."))
        if len(header) > MOST_COLUMNS:
            raise BadMapping("file", _("The file has more columns than an import may have."))
        yield [shown(name.lstrip("\ufeff")) for name in header], _rows(reader)


def shown(text: str) -> str:
    """A text of the file for people, with a question mark for each wrong byte."""
    return text.encode(errors="replace").decode()


def count_lines(path: Path) -> int:
    """How many lines the file has, unpacked: a guess of its rows that is quick to make."""
    buffer = memoryview(bytearray(1024 * 1024))
    lines = 0
    with _opened(path) as stream:
        while size := stream.readinto(buffer):
            lines += bytes(buffer[:size]).count(b"\n")
    return lines


def guess_shape(path: Path) -> FileShape:
    """The encoding and the separator that the beginning of a file suggests."""
    with _opened(path) as stream:
        start = stream.read(64 * 1024)
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encoding = "utf-16"
    else:
        try:
            start.decode("utf-8-sig")
            encoding = "utf-8-sig"
        except UnicodeDecodeError as error:
            cut = len(start) - error.start < 4  # a character cut by the end of the sample
            encoding = "utf-8-sig" if cut else "cp1252"
    text = start.decode(encoding, errors="replace").splitlines()
    header = text[0] if text else ""
    delimiter = max(",;\t|", key=header.count)
    return FileShape(encoding=encoding, delimiter=delimiter)


@contextmanager
def _opened(path: Path) -> Iterator["_Bounded"]:
    """The bytes of a file, unpacked."""
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == GZIP_MAGIC
        yield _Bounded(gzip.GzipFile(fileobj=raw) if packed else raw, settings.IMPORT_MAX_BYTES)


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str] | str]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield str(error)
        except UnicodeError as error:
            yield str(error)
            return
        else:
            if cells:
                yield cells


class _Bounded(io.RawIOBase):
    """A stream that ends with an error instead of unpacking without end."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def readable(self) -> bool:
        """It is read."""
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Fill the buffer, counting what came out of the packing."""
        try:
            data = self._stream.read(len(buffer))
        except (gzip.BadGzipFile, zlib.error, EOFError):
            raise BadMapping("file", _("The packed file is damaged.")) from None
        self._left -= len(data)
        if self._left < 0:
            raise BadMapping("file", _("Unpacked, the file is larger than an import may be."))
        buffer[: len(data)] = data
        return len(data)

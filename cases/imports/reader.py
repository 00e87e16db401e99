"""Reading rows out of large files: plain or gzip, any encoding, never more than a line in memory."""

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from cases.imports.mapping import BadMapping, FileShape

CELL_LIMIT = 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def open_rows(
    path: Path, shape: FileShape
) -> Iterator[tuple[list[str], Iterator[list[str] | str]]]:
    """The header and the rows; a row that cannot be read is its reason instead of a list."""
    csv.field_size_limit(CELL_LIMIT)
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == GZIP_MAGIC
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
        bounded = io.BufferedReader(_Bounded(stream, settings.IMPORT_MAX_BYTES))
        # surrogateescape keeps a wrong byte as what the mapping recognises as no text
        text = io.TextIOWrapper(
            bounded, encoding=shape.encoding, errors="surrogateescape", newline=""
        )
        reader = csv.reader(text, delimiter=shape.delimiter, quotechar=shape.quote, strict=False)
        try:
            header = next(reader, [])
        except (csv.Error, UnicodeError, OSError, EOFError) as error:
            raise BadMapping("file", str(error)) from None
        if not header:
            raise BadMapping("file", _("The file is empty."))
        yield [name.lstrip("\ufeff") for name in header], _rows(reader)


def count_lines(path: Path) -> int:
    """How many lines the file has, unpacked: a guess of its rows that is quick to make."""
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == GZIP_MAGIC
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
        bounded = _Bounded(stream, settings.IMPORT_MAX_BYTES)
        buffer = memoryview(bytearray(1024 * 1024))
        lines = 0
        try:
            while size := bounded.readinto(buffer):
                lines += bytes(buffer[:size]).count(b"\n")
        except (OSError, EOFError) as error:
            raise BadMapping("file", str(error)) from None
    return lines


def guess_shape(path: Path) -> FileShape:
    """The encoding and the separator that the beginning of a file suggests."""
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == GZIP_MAGIC
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
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
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise BadMapping("file", _("Unpacked, the file is larger than an import may be."))
        buffer[: len(data)] = data
        return len(data)

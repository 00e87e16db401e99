"""Which kinds of file are taken, and how their content tells them apart. The name never decides."""

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Literal

import puremagic
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from PIL import Image

from crm.kit.errors import Invalid, Text
from crm.kit.files.names import safe_name

Group = Literal["document", "image", "text", "office", "media"]

_MEGABYTE = 1024 * 1024
_HEAD = 64 * 1024
_MOST_PIXELS = 60_000_000
_MOST_ENTRIES = 10_000
_MOST_UNPACKED = 250 * _MEGABYTE
_MOST_RATIO, _RATIO_FROM = 150, 20 * _MEGABYTE
_MARKUP = re.compile(r"\s*<\s*[a-z!?/]", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """One kind of file we take: its media type, the extensions it may bear, its size limit."""

    media_type: str
    extensions: tuple[str, ...]
    group: Group
    most_bytes: int | None = None

    @property
    def limit(self) -> int:
        """The most bytes a file of this kind may have; never above FILES_MAX_BYTES."""
        most: int = settings.FILES_MAX_BYTES
        return most if self.most_bytes is None else min(self.most_bytes, most)


class FileRefused(Invalid):
    """A file is not taken; the message names it and says why and what would be taken."""

    title = _("The file was not accepted")

    def __init__(self, code: str, message: Text, name: str) -> None:
        self.name = safe_name(name)
        text = format_lazy("“{name}”: {message}", name=self.name, message=message)
        super().__init__(text, code=code, errors={"file": [text]}, name=self.name)


_OPENXML = "application/vnd.openxmlformats-officedocument."
_OPENDOCUMENT = "application/vnd.oasis.opendocument."
PDF = Kind("application/pdf", (".pdf",), "document")
RASTER = {
    "JPEG": Kind("image/jpeg", (".jpg", ".jpeg"), "image"),
    "PNG": Kind("image/png", (".png",), "image"),
    "GIF": Kind("image/gif", (".gif",), "image"),
    "WEBP": Kind("image/webp", (".webp",), "image"),
    "TIFF": Kind("image/tiff", (".tif", ".tiff"), "image"),
}
OFFICE = {
    "word/document.xml": Kind(f"{_OPENXML}wordprocessingml.document", (".docx",), "office"),
    "xl/workbook.xml": Kind(f"{_OPENXML}spreadsheetml.sheet", (".xlsx",), "office"),
    "ppt/presentation.xml": Kind(f"{_OPENXML}presentationml.presentation", (".pptx",), "office"),
    f"{_OPENDOCUMENT}text": Kind(f"{_OPENDOCUMENT}text", (".odt",), "office"),
    f"{_OPENDOCUMENT}spreadsheet": Kind(f"{_OPENDOCUMENT}spreadsheet", (".ods",), "office"),
    f"{_OPENDOCUMENT}presentation": Kind(f"{_OPENDOCUMENT}presentation", (".odp",), "office"),
}
CSV = Kind("text/csv", (".csv",), "text", 10 * _MEGABYTE)
TEXT = Kind("text/plain", (".txt", ".text", ".log", ".md"), "text", 5 * _MEGABYTE)
MEDIA = {  # by the extension that puremagic gives
    ".heif": Kind("image/heif", (".heic", ".heif"), "image"),
    ".mp3": Kind("audio/mpeg", (".mp3",), "media"),
    ".m4a": Kind("audio/mp4", (".m4a",), "media"),
    ".ogg": Kind("audio/ogg", (".ogg", ".oga", ".opus"), "media"),
    ".wav": Kind("audio/wav", (".wav",), "media"),
    ".amr": Kind("audio/amr", (".amr",), "media"),
    ".mp4": Kind("video/mp4", (".mp4",), "media"),
    ".3ga": Kind("video/3gpp", (".3gp", ".3ga"), "media"),
    ".webm": Kind("video/webm", (".webm",), "media"),
}
KINDS = (PDF, *RASTER.values(), *OFFICE.values(), CSV, TEXT, *MEDIA.values())
_RASTER_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*")


def recognise(file: IO[bytes], name: str, size: int) -> Kind:
    """Return what `file` is by its content, or raise FileRefused naming it."""
    head = file.read(_HEAD)
    file.seek(0)
    if not head:
        raise FileRefused("file_empty", _("The file is empty."), name)
    kind = _by_content(file, head, name)
    if kind is None:
        raise FileRefused("file_kind", _unknown(), name)
    claimed = _claimed_group(name)
    if claimed is not None and claimed != kind.group:
        raise FileRefused("file_mismatch", _("Its content is not what its name says."), name)
    if size > kind.limit:
        raise too_large(name, kind.limit)
    return kind


def too_large(name: str, limit: int) -> FileRefused:
    """The refusal of a file above `limit` bytes."""
    message = format_lazy(_("The file is larger than {limit}."), limit=filesizeformat(limit))
    return FileRefused("file_too_large", message, name)


def _unknown() -> Text:
    extensions = ", ".join(kind.extensions[0][1:].upper() for kind in KINDS)
    return format_lazy(
        _("Files of this kind are not accepted. Accepted are: {kinds}."), kinds=extensions
    )


def _claimed_group(name: str) -> Group | None:
    suffix = PurePosixPath(safe_name(name)).suffix.lower()
    return next((kind.group for kind in KINDS if suffix in kind.extensions), None)


def _by_content(file: IO[bytes], head: bytes, name: str) -> Kind | None:
    checks: list[Callable[[], Kind | None]] = [
        lambda: PDF if head.startswith(b"%PDF-") else None,
        lambda: _raster(file, head, name),
        lambda: _office(file, head, name),
        lambda: _text(head, name),
        lambda: _media(head),
    ]
    return next((kind for check in checks if (kind := check()) is not None), None)


def _raster(file: IO[bytes], head: bytes, name: str) -> Kind | None:
    """An image whose header Pillow understands; the pixels are not read here."""
    if not head.startswith(_RASTER_SIGNATURES) and head[8:12] != b"WEBP":
        return None
    flood = FileRefused(
        "file_pixels", _("The image has too many pixels. Send it in a smaller size."), name
    )
    try:
        image = Image.open(file, formats=tuple(RASTER))
        width, height = image.size
        kind = RASTER[str(image.format)]
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise flood from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise FileRefused("file_damaged", _("The image is damaged."), name) from error
    finally:
        file.seek(0)
    if width * height > _MOST_PIXELS:
        raise flood
    return kind


def _office(file: IO[bytes], head: bytes, name: str) -> Kind | None:
    """A zip that is an office document, unpacks to a bounded size and holds no macros."""
    if not head.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            entries = {entry.filename for entry in archive.infolist()}
            if len(archive.infolist()) > _MOST_ENTRIES:
                raise _bomb(name)
            kind = _office_kind(archive, entries)
            if kind is not None:
                _unpack_within_bounds(archive, name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise FileRefused(
            "file_damaged", _("The document is damaged or encrypted."), name
        ) from error
    finally:
        file.seek(0)
    if kind is not None and any(_is_macro(entry) for entry in entries):
        raise FileRefused(
            "file_macros", _("The document contains macros. Send it without them."), name
        )
    return kind


def _office_kind(archive: zipfile.ZipFile, entries: set[str]) -> Kind | None:
    if "[Content_Types].xml" in entries:
        return next((OFFICE[part] for part in OFFICE if part in entries), None)
    if "mimetype" in entries:
        with archive.open("mimetype") as declared:
            return OFFICE.get(declared.read(100).decode("ascii", errors="replace").strip())
    return None


def _unpack_within_bounds(archive: zipfile.ZipFile, name: str) -> None:
    """Unpack to nowhere: what a zip declares about its sizes may be a lie."""
    packed = sum(entry.compress_size for entry in archive.infolist()) or 1
    unpacked = 0
    for entry in archive.infolist():
        if unpacked + entry.file_size > _MOST_UNPACKED:
            raise _bomb(name)
        with archive.open(entry) as content:
            while chunk := content.read(_MEGABYTE):
                unpacked += len(chunk)
                flood = unpacked > _RATIO_FROM and unpacked > packed * _MOST_RATIO
                if flood or unpacked > _MOST_UNPACKED:
                    raise _bomb(name)


def _bomb(name: str) -> FileRefused:
    return FileRefused("file_bomb", _("The document unpacks to an unreasonable size."), name)


def _is_macro(entry: str) -> bool:
    return entry.lower().endswith("vbaproject.bin") or entry.startswith(("Basic/", "Scripts/"))


def _text(head: bytes, name: str) -> Kind | None:
    """Plain text: printable in UTF-8, UTF-16 or Windows-1252, and not markup."""
    text = _decoded(head)
    if text is None or any(char < " " and char not in "\t\n\r\f\x1b" for char in text):
        return None
    if _MARKUP.match(text.lstrip("\ufeff")) or text.startswith("{\\rtf"):
        return None
    return CSV if PurePosixPath(name).suffix.lower() == ".csv" else TEXT


def _decoded(head: bytes) -> str | None:
    utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp1252"):
        decoder = io.TextIOWrapper(io.BytesIO(head), encoding=encoding)
        try:
            return decoder.read()
        except UnicodeDecodeError as error:
            if len(head) == _HEAD and error.start >= len(head) - 4:
                return head[: error.start].decode(encoding)
    return None


def _media(head: bytes) -> Kind | None:
    """Sound, video and telephone pictures, of which puremagic knows the signatures."""
    if head[:1] == b"\xff" and len(head) > 3 and head[1] & 0xE6 == 0xE2:  # an MPEG audio frame
        return MEDIA[".mp3"]
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    best = max((match.confidence for match in matches), default=0)
    extensions = (match.extension for match in matches if match.confidence == best)
    return next((MEDIA[extension] for extension in extensions if extension in MEDIA), None)

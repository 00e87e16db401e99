"""Hostile uploads are told apart by content, bounded, refused by name (B2.5, B2.10, B2.12)."""

import io
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from PIL import Image

from crm.kit import files

MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.CLAMD_URL = ""
    settings.FILES_MAX_BYTES = 25 * MEGABYTE
    return tmp_path / "media"


def zipped(entries: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries.items():
            archive.writestr(name, body)
    return content.getvalue()


def docx(**more: bytes) -> bytes:
    parts = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}
    return zipped(parts | {name.replace("__", "/"): body for name, body in more.items()})


def raster(form: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, form)
    return content.getvalue()


def png_header(width: int, height: int) -> bytes:
    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack("!I", 13) + chunk + struct.pack("!I", zlib.crc32(chunk))
    ) + b"\0\0\0\0IDAT5\xaf\x06\x1e"


def refused(content: bytes, name: str, media: Path) -> files.FileRefused:
    with pytest.raises(files.FileRefused) as caught:
        files.store([content], name)
    assert not [path for path in media.rglob("*") if path.is_file()]
    assert caught.value.name in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("content", "name", "media_type", "kept_as"),
    [
        (b"%PDF-1.7\n", "informe.PDF", "application/pdf", "informe.PDF"),
        (raster("JPEG"), "foto.png", "image/jpeg", "foto.png.jpg"),
        (raster("PNG") + b"<script>alert(1)</script>", "foto.png", "image/png", "foto.png"),
        (raster("WEBP"), "sin extensión", "image/webp", "sin extensión.webp"),
        (docx(), "escrito.docx", files.KINDS[6].media_type, "escrito.docx"),
        ("Año,Ñandú\n1,2".encode("cp1252"), "datos.csv", "text/csv", "datos.csv"),
        ("hola €".encode("utf-16"), "nota.txt", "text/plain", "nota.txt"),
        (b"x" * 65535 + "ñ".encode() * 10, "larga.txt", "text/plain", "larga.txt"),
        (b"@echo off", "virus.bat", "text/plain", "virus.bat.txt"),
        (b"ID3\4\0\0\0\0\0\0" + b"\0" * 64, "voz.mp3", "audio/mpeg", "voz.mp3"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0" * 64, "v.mp4", "video/mp4", "v.mp4"),
        (b"OggS\0\2" + b"\0" * 60, "voz.ogg", "audio/ogg", "voz.ogg"),
    ],
)
def test_content_decides_what_a_file_is(
    content: bytes, name: str, media_type: str, kept_as: str
) -> None:
    stored = files.store([content], name)
    assert (stored.media_type, stored.name) == (media_type, kept_as)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"<!DOCTYPE html><script>alert(1)</script>", "image.jpg", "file_kind"),
        (
            b"\xef\xbb\xbf \n<svg onload=alert(1) xmlns='http://www.w3.org/2000/svg'/>",
            "a.svg",
            "file_kind",
        ),
        (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y 'z'>]><x/>", "a.xml", "file_kind"),
        ("<html>".encode("utf-16"), "a.txt", "file_kind"),
        (b"plain words", "image.jpg", "file_mismatch"),
        (b"%PDF-1.7", "hoja.xlsx", "file_mismatch"),
        (b"MZ\x90\0\3\0\0\0" + b"\0" * 60, "informe.pdf", "file_kind"),
        (b"\x7fELF" + b"\0" * 60, "informe.pdf", "file_kind"),
        (b"{\\rtf1 \\object}", "carta.txt", "file_kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "viejo.doc", "file_kind"),
        (zipped({"a.txt": b"x"}), "cosas.zip", "file_kind"),
        (zipped({"META-INF/MANIFEST.MF": b"x"}), "app.docx", "file_kind"),
        (docx()[:-30], "roto.docx", "file_damaged"),
        (b"", "vacío.pdf", "file_empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "rota.png", "file_damaged"),
        (bytes(range(256)) * 8, "azar.txt", "file_kind"),
    ],
)
def test_the_wrong_kind_is_refused_by_name(
    content: bytes, name: str, code: str, media: Path
) -> None:
    assert refused(content, name, media).code == code


def test_macros_are_refused(media: Path) -> None:
    parts = {"[Content_Types].xml": b"x", "word/document.xml": b"x", "word/vbaProject.bin": b"x"}
    assert refused(zipped(parts), "macro.docx", media).code == "file_macros"
    text = {"mimetype": b"application/vnd.oasis.opendocument.text", "Basic/script-lc.xml": b"x"}
    assert refused(zipped(text), "macro.odt", media).code == "file_macros"


def test_the_size_limit_stops_the_reading(settings: Any, media: Path) -> None:
    settings.FILES_MAX_BYTES = 3 * MEGABYTE
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += MEGABYTE
            yield b"%PDF-" + b" " * (MEGABYTE - 5)

    with pytest.raises(files.FileRefused) as caught:
        files.store(endless(), "grande.pdf")
    assert caught.value.code == "file_too_large"
    assert "grande.pdf" in str(caught.value)
    assert "MB" in str(caught.value)
    assert read == 4 * MEGABYTE
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_a_kind_has_its_own_limit(media: Path) -> None:
    assert refused(b"a" * (6 * MEGABYTE), "largo.txt", media).code == "file_too_large"


@pytest.mark.parametrize("size", [(50_000, 50_000), (60_001, 1_000), (2**31 - 1, 2**31 - 1)])
def test_a_pixel_flood_is_refused_before_it_is_unpacked(size: tuple[int, int], media: Path) -> None:
    assert refused(png_header(*size), "lago.png", media).code == "file_pixels"


def test_a_zip_bomb_is_refused_in_bounded_memory_and_time(media: Path) -> None:
    bombs = [
        docx(word__media=b"\0" * (100 * MEGABYTE)),
        zipped(
            {"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"}
            | {f"xl/{number}": b"" for number in range(10_001)}
        ),
    ]
    for bomb in bombs:
        tracemalloc.start()
        started = time.monotonic()
        assert refused(bomb, "bomba.docx", media).code == "file_bomb"
        assert time.monotonic() - started < 3
        assert tracemalloc.get_traced_memory()[1] < 40 * MEGABYTE
        tracemalloc.stop()


def test_a_zip_that_lies_about_its_size_is_damaged(media: Path) -> None:
    honest = docx(word__media=b"a" * MEGABYTE)
    lying = honest.replace(struct.pack("<I", MEGABYTE), struct.pack("<I", 10))
    assert lying != honest
    assert refused(lying, "mentira.docx", media).code == "file_damaged"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\DNI.pdf", "DNI.pdf"),
        ('"><svg onload=alert(1)>.png', "___svg onload=alert(1)_.png"),
        ("factura\u202efdp.exe", "facturafdp.exe"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie_ x=1.pdf"),
        ("a\0.pdf", "a.pdf"),
        ("\u200b\u2066año\u2069 1.pdf", "año 1.pdf"),
        ("n\u0303.txt", "ñ.txt"),
        (".htaccess", "htaccess"),
        ("con.txt", "_con.txt"),
        ("...", "file"),
        ("", "file"),
        ("ñ" * 400 + ".pdf", "ñ" * 73 + ".pdf"),
        ("a." + "b" * 400, "a." + "b" * 20),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert files.safe_name(name) == safe
    assert len(files.safe_name(name).encode()) <= 150
    assert files.safe_name(files.safe_name(name)) == safe


@pytest.mark.parametrize(
    "name",
    ['a"; filename="b.html', "a\r\nX-Evil: 1", "\u202etxt.exe", "ñ;%0d%0a.pdf", "\ud800.pdf"],
)
def test_no_name_breaks_the_header(name: str) -> None:
    response: HttpResponse = files.serve_preview(b"", name=name)
    header = response["Content-Disposition"]
    assert header.startswith("inline; filename")
    assert header.count('"') in {0, 2}
    assert not set(header) & {"\r", "\n", "\0", "\u202e"}
    assert "X-Evil" not in response.headers

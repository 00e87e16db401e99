"""Files: stored whole under their hash, scanned, served as downloads, previewed as pictures."""

import errno
import hashlib
import io
import os
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from crm.kit import files
from crm.kit.errors import Conflict, NotFound, Unavailable

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>"
    b"endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.CLAMD_URL = ""
    return tmp_path / "media"


def kept(media: Path) -> list[Path]:
    return sorted(path for path in media.rglob("*") if path.is_file())


def picture(form: str, size: tuple[int, int] = (40, 20), **options: object) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "red").save(content, form, **options)
    return content.getvalue()


def test_a_file_is_kept_once_under_its_hash(media: Path) -> None:
    stored = files.store([PDF[:20], PDF[20:]], "informe.pdf")
    digest = hashlib.sha256(PDF).hexdigest()
    assert stored == files.Stored(
        path=f"sha256/{digest[:2]}/{digest[2:4]}/{digest}",
        sha256=digest,
        size=len(PDF),
        media_type="application/pdf",
        name="informe.pdf",
        scan=files.Scan.UNSCANNED,
    )
    assert files.store([PDF], "otro.pdf").path == stored.path
    assert [path.read_bytes() for path in kept(media)] == [PDF]
    with files.open_stored(stored.path) as file:
        assert file.read() == PDF
    files.discard(stored.path)
    assert kept(media) == []
    with pytest.raises(NotFound):
        files.open_stored(stored.path)


def test_a_full_disk_leaves_no_truncated_file_under_a_good_hash(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("crm.kit.files.storing.os.fsync", full)
    with pytest.raises(Unavailable) as caught:
        files.store([PDF], "informe.pdf")
    assert caught.value.code == "store_full"
    assert "no room" in str(caught.value)
    assert kept(media) == []


def test_an_upload_that_breaks_off_leaves_nothing(media: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield PDF[:50]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        files.store(broken(), "informe.pdf")
    assert kept(media) == []


def test_a_damaged_copy_is_healed_by_storing_the_same_bytes_again(media: Path) -> None:
    stored = files.store([PDF], "informe.pdf")
    (media / stored.path).write_bytes(PDF[:10])
    files.store([PDF], "informe.pdf")
    assert (media / stored.path).read_bytes() == PDF


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "sha256/aa/bb/x", ""])
def test_only_paths_of_the_store_are_opened(path: str) -> None:
    with pytest.raises(ValueError, match="not a path of the store"):
        files.open_stored(path)


# --- The scanner ---------------------------------------------------------------------------------


class Clamd(socketserver.BaseRequestHandler):
    """Answers like clamd: INSTREAM, the standard test virus, its size limit."""

    def handle(self) -> None:
        stream = self.request.makefile("rb")
        assert stream.read(10) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!I", stream.read(4))[0]:
            content += stream.read(length)
        if EICAR in content:
            answer = b"stream: Eicar-Test-Signature FOUND\0"
        elif b"too big" in content:
            answer = b"INSTREAM size limit exceeded. ERROR\0"
        elif b"hang up" in content:
            answer = b""
        else:
            answer = b"stream: OK\0"
        self.request.sendall(answer)


@pytest.fixture(params=["unix", "tcp"])
def clamd(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Iterator[None]:
    server: socketserver.BaseServer
    if request.param == "unix":
        path = str(tmp_path / "clamd")
        server = socketserver.UnixStreamServer(path, Clamd)
        settings.CLAMD_URL = f"unix:{path}"
    else:
        server = tcp = socketserver.TCPServer(("127.0.0.1", 0), Clamd)
        settings.CLAMD_URL = f"tcp://127.0.0.1:{tcp.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("clamd")
def test_the_scanner_clears_or_refuses(media: Path) -> None:
    large = b"line of text\n" * 20_000
    stored = files.store([large], "limpio.txt")
    assert stored.scan == files.Scan.CLEAN
    assert files.scan(stored.path) == files.Scan.CLEAN
    with pytest.raises(files.FileRefused) as caught:
        files.store([EICAR], "virus.txt")
    assert caught.value.code == "file_infected"
    assert len(kept(media)) == 1


@pytest.mark.usefixtures("clamd")
@pytest.mark.parametrize("content", [b"too big", b"hang up"])
def test_a_scanner_that_cannot_tell_clears_nothing(content: bytes) -> None:
    assert files.store([content], "nota.txt").scan == files.Scan.UNAVAILABLE


def test_a_file_waits_for_a_scanner_that_does_not_answer(
    settings: Any, media: Path, tmp_path: Path
) -> None:
    settings.CLAMD_URL = f"unix:{tmp_path}/nobody"
    stored = files.store([PDF], "informe.pdf")
    assert stored.scan == files.Scan.UNAVAILABLE
    assert len(kept(media)) == 1
    with pytest.raises(Conflict) as caught:
        files.serve(stored.path, name="x.pdf", media_type="application/pdf", scan=stored.scan)
    assert caught.value.code == "file_not_cleared"


# --- Handing out ---------------------------------------------------------------------------------


def test_a_file_is_served_as_a_download_that_cannot_run() -> None:
    stored = files.store([PDF], "informe.pdf")
    response = files.serve(
        stored.path, name="año «1».pdf", media_type=stored.media_type, scan=stored.scan
    )
    assert b"".join(response.streaming_content) == PDF  # type: ignore[arg-type]
    assert dict(response.items()) == {
        "Content-Type": "application/pdf",
        "Content-Length": str(len(PDF)),
        "Content-Disposition": "attachment; filename*=utf-8''a%C3%B1o%20%C2%AB1%C2%BB.pdf",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
    }


@pytest.mark.parametrize("state", [files.Scan.UNAVAILABLE, files.Scan.INFECTED, "infected"])
def test_what_is_not_cleared_is_not_handed_out(state: str) -> None:
    stored = files.store([PDF], "informe.pdf")
    with pytest.raises(Conflict):
        files.serve(stored.path, name="x.pdf", media_type=stored.media_type, scan=state)


def test_a_preview_is_a_new_picture_without_the_place_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x010F] = "CANARY-CAMERA"
    exif[0x0112] = 6  # lying on its side
    stored = files.store([picture("JPEG", (3000, 1000), exif=exif)], "foto.jpg")
    shown = files.preview(stored.path, stored.media_type, edge=600)
    assert shown is not None
    assert b"CANARY" not in shown
    with Image.open(io.BytesIO(shown)) as image:
        assert (image.format, image.size) == ("WEBP", (200, 600))
        assert dict(image.getexif()) == {}
    response = files.serve_preview(shown, name=stored.name)
    assert response["Content-Type"] == "image/webp"
    assert response["Content-Disposition"] == 'inline; filename="foto.jpg.webp"'
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP", "TIFF"])
def test_every_raster_has_a_preview(form: str) -> None:
    stored = files.store([picture(form)], f"foto.{form.lower()}")
    shown = files.preview(stored.path, stored.media_type)
    assert shown is not None
    with Image.open(io.BytesIO(shown)) as image:
        assert (image.format, image.size) == ("WEBP", (40, 20))


def test_a_pdf_shows_its_first_page() -> None:
    stored = files.store([PDF], "informe.pdf")
    shown = files.preview(stored.path, stored.media_type, edge=300)
    assert shown is not None
    with Image.open(io.BytesIO(shown)) as image:
        assert image.size == (300, 150)


def test_what_cannot_be_drawn_has_no_preview() -> None:
    text = files.store([b"hola"], "nota.txt")
    broken = files.store([b"%PDF-1.7 nothing more"], "roto.pdf")
    cut = files.store([picture("PNG", (500, 500))[:60]], "cortada.png")
    assert files.preview(text.path, text.media_type) is None
    assert files.preview(broken.path, broken.media_type) is None
    assert files.preview(cut.path, cut.media_type) is None


def test_what_a_killed_upload_left_is_swept(media: Path) -> None:
    incoming = media / "incoming"
    incoming.mkdir(parents=True)
    for name, age in (("old", 25 * 3600), ("running", 3600)):
        (incoming / name).write_bytes(b"half a paper")
        moment = time.time() - age
        os.utime(incoming / name, (moment, moment))
    assert files.sweep() == 1
    assert [file.name for file in incoming.iterdir()] == ["running"]

"""Runs inside the sandbox: draws one image, or a PDF's first page, as a small WebP."""

import io
from collections.abc import Callable
from typing import IO

from PIL import Image, ImageOps

MOST_PIXELS = 60_000_000
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF")


def main(
    payload: IO[bytes],
    arguments: dict[str, str | int],
    report: Callable[[dict[str, object]], None],
) -> bytes:
    """Return the picture; anything of the original but its pixels is left behind."""
    edge = int(arguments["edge"])
    pdf = arguments["media_type"] == "application/pdf"
    image = first_page(payload, edge) if pdf else raster(payload, edge)
    image.info.clear()  # comments, profiles, EXIF with the place where it was taken
    result = io.BytesIO()
    image.save(result, "WEBP", quality=80)
    return result.getvalue()


def raster(payload: IO[bytes], edge: int) -> Image.Image:
    """The image upright, with transparency if it had any."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow refuses from twice as many
    opened = Image.open(payload, formats=FORMATS)
    opened.draft("RGB", (edge, edge))
    image = ImageOps.exif_transpose(opened)
    image.thumbnail((edge, edge))
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def first_page(payload: IO[bytes], edge: int) -> Image.Image:
    """The first page as a browser without scripts or forms would draw it."""
    import pypdfium2  # half of the start-up time: only where it is needed

    page = pypdfium2.PdfDocument(payload.read())[0]
    width, height = page.get_size()
    longest = max(width, height, 1)
    picture: Image.Image = page.render(scale=min(edge / longest, 3)).to_pil()
    return picture.convert("RGB")

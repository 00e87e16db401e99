"""Papers that the demo's citizens hand in: small pictures and PDFs, drawn here, of nobody."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from random import Random
from time import gmtime

from PIL import Image, ImageDraw, ImageFont

from crm.kit.demo import Demo
from crm.kit.files import Stored, store

VARIANTS = 3  # of each: many people hand in what looks alike
_PAGE, _PHOTO = (620, 877), (640, 480)  # A4 at 75 points an inch
_INK, _FAINT, _PAPER = (38, 44, 52), (176, 184, 192), (252, 251, 247)


def make_papers(demo: Demo, names: Iterable[str]) -> Mapping[str, Sequence[Stored]]:
    """The papers of those names are kept, each in a few variants."""
    dice = demo.dice("papers")
    papers = {
        name: [_paper(demo, dice, name, number) for number in range(1, VARIANTS + 1)]
        for name in sorted(set(names))
    }
    demo.made["files"] += sum(map(len, papers.values()))
    return papers


def _paper(demo: Demo, dice: Random, name: str, number: int) -> Stored:
    content = BytesIO()
    if name.startswith("Foto"):
        _photo(dice).save(content, "PNG")
    elif name.endswith(".pdf"):
        _page(dice, name, number).save(content, "PDF", **_dates(demo.began))
    else:
        _page(dice, name, number).save(content, "PNG")
    return store([content.getvalue()], name)


def _dates(moment: datetime) -> dict[str, object]:
    made = gmtime(moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    return {"creationDate": made, "modDate": made}


def _page(dice: Random, name: str, number: int) -> Image.Image:
    """A scanned sheet: a heading, lines of text as grey bars, a stamp that says what it is."""
    page = Image.new("RGB", _PAGE, _PAPER)
    draw = ImageDraw.Draw(page)
    draw.rectangle((48, 52, 108, 112), outline=_INK, width=3)
    draw.text((128, 60), Path(name).stem, fill=_INK, font=ImageFont.load_default(26))
    draw.text((128, 94), f"Ejemplar {number}", fill=_INK, font=ImageFont.load_default(14))
    for line in range(dice.randint(14, 22)):
        top = 170 + line * 26
        draw.rectangle((48, top, 48 + dice.randint(300, 524), top + 9), fill=_FAINT)
    draw.rectangle((330, 770, 572, 822), outline=(150, 40, 40), width=3)
    draw.text(
        (346, 786), "DOCUMENTO DE MUESTRA", fill=(150, 40, 40), font=ImageFont.load_default(18)
    )
    return page


def _photo(dice: Random) -> Image.Image:
    """A street in a few shapes: sky, houses, pavement and a lamp."""
    light = dice.randint(150, 225)
    photo = Image.new("RGB", _PHOTO, (light - 40, light, 240))
    draw = ImageDraw.Draw(photo)
    left = 0
    while left < _PHOTO[0]:
        width, top = dice.randint(80, 150), dice.randint(90, 220)
        shade = dice.randint(150, 210)
        draw.rectangle((left, top, left + width, 360), fill=(shade, shade - 18, shade - 46))
        for window in range(top + 20, 330, 46):
            draw.rectangle((left + 18, window, left + 40, window + 26), fill=(74, 84, 98))
        left += width
    draw.rectangle((0, 360, *_PHOTO), fill=(112, 112, 116))
    lamp = dice.randint(120, 520)
    draw.line((lamp, 400, lamp, 130, lamp + 46, 122), fill=_INK, width=7)
    draw.ellipse((lamp + 36, 112, lamp + 66, 134), fill=(228, 222, 190))
    return photo

"""An organisation's accent colour: whether what is written on it can be read in every theme.

The style sheet makes every accent token from one colour, with lightness fixed in oklch; the same
sums are done here before the colour is kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import atan2, cos, hypot, sin

from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Invalid

MINIMUM_CONTRAST = 4.5  # WCAG 2.2, 1.4.3 level AA, text of any size

Triple = tuple[float, float, float]
Derive = Callable[[float], float]  # from the lightness of the accent


@dataclass(frozen=True, slots=True)
class Contrast:
    """The contrast (1 to 21) between a token made from the accent and the colour it stands with."""

    theme: str
    token: str
    beside: str
    ratio: float


def _fixed(lightness: float) -> Derive:
    return lambda _base: lightness


def _at_most(lightness: float) -> Derive:
    return lambda base: min(base, lightness)


def _share(part: float) -> Derive:
    return lambda base: base * part


@dataclass(frozen=True, slots=True)
class _Token:
    """One use of a token of tokens.css: its oklch lightness, its share of the accent's chroma."""

    theme: str
    token: str
    lightness: Derive
    chroma: float
    beside: str
    colour: str


# Kept in step with static/css/tokens.css.
_TOKENS = (
    _Token("light", "accent", _at_most(0.46), 1, "on-accent", "#ffffff"),
    _Token("light", "accent", _at_most(0.46), 1, "canvas", "#f3f1ec"),
    _Token("light", "accent-hover", _fixed(0.36), 1, "on-accent", "#ffffff"),
    _Token("light", "rail-bg", _fixed(0.325), 0.8, "rail-text", "#f4f1ea"),
    _Token("light", "rail-on", _fixed(0.47), 1, "rail-text", "#f4f1ea"),
    _Token("dark", "accent", _fixed(0.82), 0.58, "on-accent", "#11100d"),
    _Token("dark", "accent", _fixed(0.82), 0.58, "surface", "#1e1c18"),
    _Token("dark", "accent-hover", _fixed(0.88), 0.48, "on-accent", "#11100d"),
    _Token("dark", "rail-bg", _fixed(0.215), 0.38, "rail-text", "#f4f1ea"),
    _Token("dark", "rail-on", _fixed(0.39), 0.75, "rail-text", "#f4f1ea"),
    # The high-contrast theme mixes the accent with 30 % of black, so a pale one stays pale.
    _Token("contrast", "accent", _share(0.7), 0.7, "on-accent", "#ffffff"),
)


def check_accent(raw: str) -> str:
    """The accent as `#rrggbb`, every text beside what is made from it at 4.5:1 or more.

    Raises Invalid with code `colour` (not a colour) or `contrast`.
    """
    accent = raw.strip().lower() if len(raw) <= 20 else ""
    if short := re.fullmatch(r"#([0-9a-f])([0-9a-f])([0-9a-f])", accent):
        accent = "#" + "".join(digit * 2 for digit in short.groups())
    if not re.fullmatch(r"#[0-9a-f]{6}", accent):
        raise Invalid(_("Write the colour as # and six digits, such as #0b5a6b."), code="colour")
    if any(contrast.ratio < MINIMUM_CONTRAST for contrast in contrasts(accent)):
        message = _("Text on this colour could not be read well. Choose a darker one.")
        raise Invalid(message, code="contrast")
    return accent


def contrasts(accent: str) -> tuple[Contrast, ...]:
    """What an accent (`#rrggbb`) gives in each theme.

    Of a colour no screen has, browsers clip the channels and the CSS standard lowers the chroma:
    the worse of the two counts.
    """
    base, chroma, hue = _oklch(_rgb(accent))
    found = []
    for token in _TOKENS:
        lightness = token.lightness(base)
        wanted = chroma * token.chroma
        shown = (_clipped(lightness, wanted, hue), _reduced(lightness, wanted, hue))
        colour = _rgb(token.colour)
        ratio = min(contrast_ratio(colour, rgb) for rgb in shown)
        found.append(Contrast(token.theme, token.token, token.beside, ratio))
    return tuple(found)


def contrast_ratio(one: Triple, other: Triple) -> float:
    """The WCAG contrast of two sRGB colours with channels from 0 to 1."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(rgb: Triple) -> float:
    red, green, blue = map(_linear, rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(text: str) -> Triple:
    red, green, blue = bytes.fromhex(text[1:])
    return red / 255, green / 255, blue / 255


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _encoded(channel: float) -> float:
    return channel * 12.92 if channel <= 0.0031308 else float(1.055 * channel ** (1 / 2.4) - 0.055)


def _oklch(rgb: Triple) -> Triple:
    """Lightness, chroma and hue (radians) of an sRGB colour: CSS Color 4, section 9.2."""
    red, green, blue = map(_linear, rgb)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return lightness, hypot(a, b), atan2(b, a)


def _linear_srgb(lightness: float, chroma: float, hue: float) -> Triple:
    """Linear channels of an oklch colour, below 0 or above 1 where no screen has it."""
    a, b = chroma * cos(hue), chroma * sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _clipped(lightness: float, chroma: float, hue: float) -> Triple:
    red, green, blue = (
        _encoded(min(max(channel, 0), 1)) for channel in _linear_srgb(lightness, chroma, hue)
    )
    return red, green, blue


def _reduced(lightness: float, chroma: float, hue: float) -> Triple:
    """The colour with as much of its chroma as a screen has."""
    least, most = 0.0, chroma
    for _each in range(20):
        middle = (least + most) / 2
        if all(-1e-6 <= channel <= 1 + 1e-6 for channel in _linear_srgb(lightness, middle, hue)):
            least = middle
        else:
            most = middle
    return _clipped(lightness, least, hue)

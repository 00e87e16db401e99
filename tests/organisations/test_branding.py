import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.kit.errors import Invalid
from crm.organisations import branding
from crm.organisations.branding import check_accent, contrast_ratio, contrasts

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
TOKENS = Path(__file__).parents[2] / "static/css/tokens.css"


@pytest.mark.parametrize(
    ("raw", "accent"),
    [("#0b5a6b", "#0b5a6b"), (" #8A2C55 ", "#8a2c55"), ("#036", "#003366"), ("#000", "#000000")],
)
def test_a_dark_enough_colour_is_kept_as_six_digits(raw, accent):
    assert check_accent(raw) == accent


@pytest.mark.parametrize("raw", ["#ffffff", "#ffff00", "#7fffd4", "#ffc0cb"])
def test_a_pale_colour_is_refused_for_the_high_contrast_theme(raw):
    with pytest.raises(Invalid) as refused:
        check_accent(raw)
    assert refused.value.code == "contrast"
    low = {item.theme for item in contrasts(raw) if item.ratio < branding.MINIMUM_CONTRAST}
    assert low == {"contrast"}


@pytest.mark.parametrize(
    "raw",
    ["", "red", "0b5a6b", "#0b5a6", "#0b5a6g", "#０b5a6b", "#0b5a6b;}", "url(x)", "#" * 1_000_000],
)
def test_what_is_not_a_colour_is_refused(raw):
    with pytest.raises(Invalid) as refused:
        check_accent(raw)
    assert refused.value.code == "colour"


def test_the_ratio_is_that_of_wcag():
    white, black, grey = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0x77 / 255,) * 3
    assert contrast_ratio(white, black) == pytest.approx(21)
    assert contrast_ratio(black, black) == pytest.approx(1)
    assert contrast_ratio(grey, white) == pytest.approx(4.478, abs=0.001)


def test_oklch_gives_the_values_of_the_css_standard_and_back():
    lightness, chroma, hue = branding._oklch((1.0, 0.0, 0.0))
    assert (lightness, chroma) == pytest.approx((0.6280, 0.2577), abs=0.0001)
    assert hue == pytest.approx(0.5102, abs=0.0001)  # 29.23 degrees
    assert branding._clipped(lightness, chroma, hue) == pytest.approx((1, 0, 0), abs=0.001)


@settings(max_examples=300)
@given(colours)
def test_light_and_dark_can_be_read_whatever_the_colour(accent):
    for item in contrasts(accent):
        assert item.ratio >= branding.MINIMUM_CONTRAST or item.theme == "contrast", item


@pytest.mark.skipif(not TOKENS.exists(), reason="the style sheet is not there yet")
def test_the_sums_are_those_of_the_style_sheet():
    """A changed lightness in tokens.css has to be changed in branding.py too."""
    css = re.sub(r"\s+", " ", TOKENS.read_text()).replace("( ", "(").replace(" )", ")")
    base = "oklch(from var(--accent-base)"
    for token in (
        f"--accent: light-dark({base} min(l, .46) c h), {base} .82 calc(c * .58) h));",
        f"--accent-hover: light-dark({base} .36 c h), {base} .88 calc(c * .48) h));",
        f"--rail-bg: light-dark({base} .325 calc(c * .8) h), {base} .215 calc(c * .38) h));",
        f"--rail-on: light-dark({base} .47 c h), {base} .39 calc(c * .75) h));",
        "--accent: color-mix(in oklab, var(--accent-base) 70%, black);",
        "--on-accent: light-dark(#ffffff, #11100d);",
        "--rail-text: #f4f1ea;",
    ):
        assert token in css

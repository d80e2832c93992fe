"""Colours that can be read: every pair of text and ground of the tokens, in both themes (WCAG 2.2, 1.4.3 and 1.4.11).

Charts are drawn on a canvas, which no browser check looks into, so their pairs are worked out here.
"""

import re
from pathlib import Path

import pytest

from analytics.scores import Name

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"
SEGMENTS = [name.slug for name in Name if name.slug]
GROUNDS = ("bg", "surface", "raise", "hover")
TEXT_PAIRS = [
    *((text, ground) for text in ("text", "muted", "primary-text") for ground in GROUNDS),
    *((f"{tone}-text", ground) for tone in ("good", "bad", "warn") for ground in ("surface", "hover")),
    *((f"{tone}-text", f"{tone}-soft") for tone in ("good", "bad", "warn")),
    ("text", "good-soft"), ("text", "bad-soft"), ("text", "warn-soft"), ("bg", "text"),
    ("on-primary", "primary"), ("on-primary", "primary-h"), ("primary-text", "primary-soft"), ("text", "primary-soft"),
]  # fmt: skip
MARKS = ("1", "2", "ghost", "good", "bad", "warn")


def tokens(theme):
    block = re.search(rf'\[data-bs-theme="{theme}"\] {{(.*?)\n}}', TOKENS.read_text(), re.DOTALL).group(1)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))


def luminance(colour):
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21():
    assert contrast("#000", "#fff") == pytest.approx(21)


@pytest.fixture(params=["light", "dark"])
def colours(request):
    return tokens(request.param)


@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text(colours, text, ground):
    assert contrast(colours[f"c-{text}"], colours[f"c-{ground}"]) >= 4.5


@pytest.mark.parametrize("slug", SEGMENTS)
def test_names_in_the_treemap(colours, slug):
    assert contrast(colours[f"seg-{slug}-on"], colours[f"seg-{slug}"]) >= 4.5


@pytest.mark.parametrize("slug", SEGMENTS)
def test_segments_stand_out_from_the_card(colours, slug):
    assert contrast(colours[f"seg-{slug}"], colours["c-surface"]) >= 3


@pytest.mark.parametrize("mark", MARKS)
def test_lines_and_bars_stand_out_from_the_card(colours, mark):
    assert contrast(colours[f"c-{mark}"], colours["c-surface"]) >= 3


@pytest.mark.parametrize("number", range(8))
def test_letters_of_avatars(colours, number):
    assert contrast(colours[f"av-{number}-on"], colours[f"av-{number}"]) >= 4.5


@pytest.mark.parametrize("shade", range(11))
def test_figures_in_heat_tables(shade):
    light, dark = tokens("light"), tokens("dark")
    assert contrast("#fff" if shade >= 7 else "#17182b", light[f"h{shade}"]) >= 4.5
    assert contrast("#0d0e1c" if shade >= 8 else "#fff" if shade == 7 else "#e8eaf6", dark[f"h{shade}"]) >= 4.5

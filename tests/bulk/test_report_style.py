"""``bulk/_report_style.py``: colours that can be read, and that are all there."""

from __future__ import annotations

import re

import pytest

from aiohttpclient.bulk._report_style import DARK, LIGHT, STYLE


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(colours: dict[str, str]) -> None:
    """Text has a contrast of 4.5, what is drawn one of 3 (WCAG 2.2, 1.4.3 and 1.4.11), on pages and on cards."""
    for ground in ("page", "card"):
        for text in ("ink", "soft", "bad"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for shape in ("ok", "bad"):
            assert contrast(colours[shape], colours[ground]) >= 3, (shape, ground)


def test_light_and_dark_have_the_same_colours() -> None:
    """Each colour that is used is there in light and in dark, and none that is not used."""
    assert LIGHT.keys() == DARK.keys() == set(re.findall(r"var\(--(\w+)\)", STYLE))


def test_nothing_from_elsewhere() -> None:
    """The style needs no other file, its braces match, and it cannot end the element that it is in."""
    assert not re.search(r"url\(|@import|@font-face|<", STYLE)
    assert STYLE.count("{") == STYLE.count("}")

"""The colours of a picture, each for light and for dark, and the stylesheet that uses them."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Choose = Callable[[str, str], str]

FONT_FAMILY = 'ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace'
HUES = 12
HUE_STEP = 5  # steps on the circle of hues from one module to the next, so that neighbours differ
LINEAR_LIMIT = 0.0031308  # up to this intensity the sRGB transfer function is linear (IEC 61966-2-1)

# part of the picture: light, dark
_NAMED = {
    "ground": ("#ffffff", "#0d1117"),
    "box": ("#ffffff", "#161b22"),
    "edge": ("#8c959f", "#6e7681"),
    "rule": ("#eaeef2", "#21262d"),
    "text": ("#1f2328", "#e6edf3"),
    "faint": ("#59636e", "#9198a1"),
    "key": ("#7d4e00", "#e3b341"),
}


def title_colours(number: int) -> tuple[str, str]:
    """Return the background of a module's titles: light, for dark text, and dark, for light text."""
    return _colour(number, 0.88, 0.06), _colour(number, 0.34, 0.07)


def line_colours(number: int) -> tuple[str, str]:
    """Return the colour of the lines that lead to a table, light and dark."""
    return _colour(number, 0.52, 0.13), _colour(number, 0.74, 0.11)


def stylesheet(choose: Choose, modules: int, scope: str = "") -> str:
    """Return the CSS rules of a picture.

    `choose` makes a CSS value of a light and a dark colour; `scope` is a selector that goes before every other one.
    """
    css = {name: choose(*pair) for name, pair in _NAMED.items()}
    rules = [
        f".ground{{fill:{css['ground']}}}",
        f"text{{font:12px {FONT_FAMILY};fill:{css['text']};white-space:pre}}",
        f".title{{font-weight:bold}} .name{{font-size:16px;font-weight:bold}} .faint,.type,.nn{{fill:{css['faint']}}}",
        f".key{{fill:{css['key']};font-weight:bold}} .required{{font-weight:bold}}",
        f".body{{fill:{css['box']}}} .frame{{fill:none;stroke:{css['edge']}}} .stub .frame{{stroke-dasharray:4 3}}",
        f".rule{{stroke:{css['rule']}}}",
        ".way{fill:none;stroke-width:1.5} .optional .way{stroke-dasharray:5 3} .sign{fill:none;stroke-width:1.5}",
        *(f".m{number}{{fill:{choose(*title_colours(number))}}}" for number in range(max(modules, 1))),
        *(
            f".l{number} .way,.l{number} .sign{{stroke:{line}}} .l{number} .arrow{{fill:{line}}}"
            for number, line in enumerate(choose(*line_colours(number)) for number in range(HUES))
        ),
    ]
    return "\n".join(_scoped(rule, scope) for rule in rules)


def _scoped(rules: str, scope: str) -> str:
    """Return rules with the scope before every selector."""
    if not scope:
        return rules
    parts = [part.split("{", 1) for part in rules.split("}") if part.strip()]
    return " ".join(
        ",".join(f"{scope} {selector.strip()}" for selector in selectors.split(",")) + "{" + body + "}"
        for selectors, body in parts
    )


def _colour(number: int, lightness: float, chroma: float) -> str:
    """Return a colour as #rrggbb whose lightness is equal for every number.

    The coefficients are those of the OKLab colour space (Björn Ottosson, "A perceptual color space", 2020).
    """
    hue = 2 * pi * (number * HUE_STEP % HUES) / HUES
    a, b = chroma * cos(hue), chroma * sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _encoded(min(max(channel, 0.0), 1.0))):02x}" for channel in linear)


def _encoded(linear: float) -> float:
    """Return the value of an sRGB channel for a linear intensity, both from 0 to 1."""
    return 12.92 * linear if linear <= LINEAR_LIMIT else 1.055 * linear ** (1 / 2.4) - 0.055

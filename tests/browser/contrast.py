"""The contrast of colours, as WCAG 2.2 defines it."""

from __future__ import annotations


def contrast(first: list[float], second: list[float]) -> float:
    """Return the contrast ratio of two sRGB colours with channels from 0 to 255."""
    darker, lighter = sorted(_luminance(colour) for colour in (first, second))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: list[float]) -> float:
    channels = [value / 255 for value in colour[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

"""Passwords in the text of a review: whoever may read a pull request reads it, and mails and copies of it stay."""

from __future__ import annotations

import re

MASK = "***"

_NO_END = r"""[^'"\\\s]"""
"""A character of a password in a text that may be JSON: its quotes and escapes stay."""
_FORMS = (
    re.compile(
        rf"(?P<before>\bpassword\s*(?::?=>?)?\s*'){_NO_END}+(?=')", re.IGNORECASE
    ),  # PASSWORD 'x', password => 'x'
    re.compile(rf"(?P<before>://[^/\s:@'\"\\]*:)(?:(?!@){_NO_END})+(?=@)"),  # of a connection string
    re.compile(r"(?P<before>\bpassword=)[^\s'\"\\&;,)]+", re.IGNORECASE),  # of keywords (manual, 32.1.1)
)


def masked(text: str) -> str:
    """Return a text with a mask for each password in SQL and in connection strings."""
    for form in _FORMS:
        text = form.sub(rf"\g<before>{MASK}", text)
    return text

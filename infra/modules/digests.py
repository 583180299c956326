"""The digest of a module's text; the digest of its statements is in statements.py, which has the parser."""

from __future__ import annotations

import hashlib


def text_digest(text: str) -> str:
    """Return the digest of a text as it is, every character counted.

    The prefix names the algorithm: digests are stored in ledgers, and one of a later algorithm must not look the same.
    """
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

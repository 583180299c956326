"""Digests of a module: of its bytes, and of its statements whatever their comments, white space and letter case."""

from __future__ import annotations

import hashlib


def text_digest(text: str) -> str:
    """Digest the text as it is; the prefix names the way it was made, so that a later way is never mistaken for it."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

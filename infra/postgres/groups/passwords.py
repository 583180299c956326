"""Passwords of a group's roles, derived from one random key: the state has the key, however many roles there are."""

from __future__ import annotations

import base64
import hashlib
import hmac

_LENGTH = 32  # characters of 6 bits


def derived_password(key: str, role: str) -> str:
    """Return a role's password: its name's HMAC-SHA-256 (RFC 2104) with the key, as letters, digits, - and _.

    Whoever knows some of the passwords learns neither the key nor another password from them.
    """
    digest = hmac.digest(key.encode(), role.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode("ascii")[:_LENGTH]

"""A SCRAM-SHA-256 verifier: what PostgreSQL stores for a password, so that the password itself never travels."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from base64 import b64encode

ITERATIONS = 4096  # PostgreSQL's own number (scram_iterations)
SALT_BYTES = 16

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def verifier(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """Give `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` (PostgreSQL manual, 51.8; RFC 5802, 3)."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", prepared(password), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def prepared(password: str) -> bytes:
    """Give the bytes that are hashed: SASLprep (RFC 4013), or the password as it is where that does not allow it.

    The second half is PostgreSQL's rule, in libpq and in the server alike (src/common/saslprep.c).
    """
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in password
        if not stringprep.in_table_b1(character)
    )
    text = unicodedata.normalize("NFKC", mapped)
    allowed = text and not any(table(character) for character in text for table in _PROHIBITED)
    return (text if allowed and _one_direction(text) else password).encode()


def _one_direction(text: str) -> bool:
    """Say whether text keeps the rule for right-to-left characters (RFC 3454, 6)."""
    if not any(stringprep.in_table_d1(character) for character in text):
        return True
    mixed = any(stringprep.in_table_d2(character) for character in text)
    return not mixed and stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])


def _text(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")

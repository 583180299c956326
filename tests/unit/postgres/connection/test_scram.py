"""Tests for SCRAM verifiers: the keys are those of the RFCs, for every password."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode

import pytest

from infra.postgres.connection.scram import verifier


def verifier_of(prepared: bytes, salt: bytes, iterations: int) -> str:
    """Compute the verifier of a prepared password (RFC 5802, section 3)."""
    salted = hashlib.pbkdf2_hmac("sha256", prepared, salt, iterations)
    client_key, server_key = (hmac.digest(salted, text, "sha256") for text in (b"Client Key", b"Server Key"))
    keys = [b64encode(key).decode() for key in (hashlib.sha256(client_key).digest(), server_key)]
    return f"SCRAM-SHA-256${iterations}:{b64encode(salt).decode()}${':'.join(keys)}"


def test_keys_of_the_rfc() -> None:
    """The function above computes the keys of RFC 7677's example (user "user", password "pencil")."""
    assert verifier_of(b"pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_every_verifier_has_a_salt_of_its_own() -> None:
    """Two verifiers of one password differ."""
    assert verifier("pencil") != verifier("pencil")


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("pencil", b"pencil"),
        ("I\u00adX", b"IX"),
        ("user", b"user"),
        ("USER", b"USER"),
        ("\u00aa", b"a"),
        ("\u2168", b"IX"),
        ("\u0007", b"\x07"),
        ("\u0627\u0031", "\u0627\u0031".encode()),
        ("a\u00a0b", b"a b"),
        ("\u00ad", "\u00ad".encode()),
    ],
)
def test_saslprep(password: str, prepared: bytes) -> None:
    """The password is prepared as in RFC 4013's examples; what the RFC prohibits is not changed, as in PostgreSQL."""
    text = verifier(password)
    parameters = text.split("$")[1]
    iterations, salt = parameters.split(":")
    assert text == verifier_of(prepared, b64decode(salt), int(iterations))
    assert iterations == "4096"

"""SCRAM-SHA-256 verifiers, which PostgreSQL stores for passwords, so that a password itself is never sent or logged."""

from __future__ import annotations

from psycopg.pq import PGconn


def verifier(password: str) -> str:
    """Return `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` (PostgreSQL manual, 51.8), with a new salt.

    libpq computes it, SASLprep (RFC 4013) included. Its function wants a connection object only for the server's
    settings when no algorithm is named; one that fails to parse its connection string opens no connection.
    """
    unconnected = PGconn.connect_start(b"none")
    try:
        return unconnected.encrypt_password(password.encode(), b"", b"scram-sha-256").decode("ascii")
    finally:
        unconnected.finish()

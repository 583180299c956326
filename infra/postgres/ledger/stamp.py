"""The revision that a database is at: Alembic's own table, beside the ledger, which only the owner role can change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import LedgerError
from infra.postgres.ledger.identity import leave_to_owner

if TYPE_CHECKING:
    from infra.postgres.connection.pool import Connection

_CREATE = """
CREATE TABLE sqlmodule.alembic_version (
    version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY
)
"""
_TABLE = "SELECT to_regclass('sqlmodule.alembic_version')"


def read_stamp(connection: Connection) -> str | None:
    """Return the id of the revision that a database is at, None for none; raises LedgerError for several."""
    if connection.execute(_TABLE).fetchone() == (None,):
        return None
    rows = connection.execute("SELECT version_num FROM sqlmodule.alembic_version").fetchall()
    if len(rows) > 1:
        named = ", ".join(sorted(str(row[0]) for row in rows))
        raise LedgerError(
            f"has {len(rows)} revisions ({named}), and the history has one line only",
            place="sqlmodule.alembic_version",
            remedy="delete the rows of those that are not the last one",
        )
    return str(rows[0][0]) if rows else None


def write_stamp(connection: Connection, revision: str) -> None:
    """Write the revision that a database is at, in the current transaction; the ledger must exist."""
    if connection.execute(_TABLE).fetchone() == (None,):
        connection.execute(_CREATE)
        leave_to_owner(connection)
    connection.execute("DELETE FROM sqlmodule.alembic_version")
    connection.execute("INSERT INTO sqlmodule.alembic_version (version_num) VALUES (%s)", (revision,))

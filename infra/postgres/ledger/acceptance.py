"""Accepting a database whose ledger names another stack, server or database, by a person who knows better.

A dump that was restored, a base backup and a database under another name keep the identity of where they come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import LedgerError
from infra.plan.ledger_rows import Program
from infra.postgres.ledger.identity import current_identity, read_identity, write_identity

if TYPE_CHECKING:
    from infra.postgres.connection.pool import Connection


def accept_ledger(connection: Connection, stack: str) -> str:
    """Write this stack, server and database into a ledger, and return a sentence that says what was there before.

    Only the identity changes: modules, rows and objects stay, and the next preview compares them. Raises LedgerError
    where there is no ledger.
    """
    place = f"database {connection.info.dbname}"
    found, current = read_identity(connection), current_identity(connection, Program(stack))
    if found is None:
        raise LedgerError("it has no ledger to accept", place=place, remedy="see what `make preview` says of it")
    if found == current:
        return f"{place} is stack {stack}'s already: nothing was changed"
    write_identity(connection, current)
    differs = [
        f"of {what} {before}, not {now}"
        for what, before, now in (
            ("stack", found.stack, current.stack),
            ("server", found.system_identifier, current.system_identifier),
            ("database number", found.database, current.database),
        )
        if before != now
    ]
    return f"{place} is stack {stack}'s now; its ledger was {' and '.join(differs)}"

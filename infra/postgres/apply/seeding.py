"""Inserts the rows of a seed, in one transaction with the record that the database has them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import psycopg

from infra.errors import ModuleError
from infra.modules.seed_parts import seed_parts
from infra.postgres.apply.module_text import end_module, refuse_stack_privileges, run_text
from infra.postgres.introspection.effects import catalog_change_of, prepare_observer
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from infra.modules.seed import SeedFile
    from infra.modules.seed_parts import SeedPart
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

_LINE = re.compile(r"^COPY .*?, line (\d+)", re.DOTALL)
"""Where the server was in the rows of a COPY; the rest of such a context has values."""
_CHUNK = 1 << 20


def run_seed(connection: Connection, session: Session, seed: SeedFile) -> None:
    """Insert the rows of a seed as the owner, and write its row into the ledger, which exists.

    Raises ModuleError, with file and line, for what PostgreSQL refuses, and where the seed changes more than rows; then
    none of its rows are there.
    """
    parts, of_ledger = seed_parts(seed)
    if of_ledger:
        session.tell(f"{seed.path}: {of_ledger} statements about the ledger's tables are left out: it has its own")
    prepare_observer(session.target)
    started = time.perf_counter()

    def act() -> None:
        for part in parts:
            if part.rows is None:
                run_text(connection, session, part.module)
            else:
                _copy(connection, part, part.rows)
        if parts:
            end_module(connection, session, parts[-1].module)

    with session.transaction(connection):
        change = catalog_change_of(connection, session.target, act)
        if parts:
            refuse_stack_privileges(parts[-1].module, change)
        _refuse_change(seed, list(map(str, change.objects)))
        milliseconds = (time.perf_counter() - started) * 1000
        ledger.record_seed(connection, seed.digest, session.program, milliseconds=milliseconds)


def _copy(connection: Connection, part: SeedPart, rows: str) -> None:
    """Send the rows of a COPY; raises ModuleError with the line of the row that is refused."""
    try:
        with connection.cursor() as cursor, cursor.copy(part.module.text.strip().encode()) as copy:
            for start in range(0, len(rows), _CHUNK):
                copy.write(rows[start : start + _CHUNK])
    except psycopg.Error as error:
        if connection.broken or not error.sqlstate:
            raise
        found = _LINE.search(error.diag.context or "")
        line = part.first_row + int(found[1]) - 1 if found else part.module.text.count("\n") + 1
        raise ModuleError(
            error.diag.message_primary or str(error),
            sqlstate=error.sqlstate,
            path=f"{part.module.path}:{line}",
            detail=error.diag.message_detail or "",
            hint=error.diag.message_hint or "",
        ) from None


def _refuse_change(seed: SeedFile, changed: list[str]) -> None:
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise ModuleError(
            f"changes {changed[0]}{more}, and a seed has rows alone", path=seed.path, hint="move that into a module"
        )

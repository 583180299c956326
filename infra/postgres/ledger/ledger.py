"""The ledger remembers, inside the database, which modules are applied; its rows share the modules' transactions."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary, WeakSet

from psycopg import errors
from psycopg.pq import TransactionStatus

from infra.catalog.changes import CatalogChange
from infra.errors import LedgerError
from infra.modules.decision import Digests, Step
from infra.modules.module import order

if TYPE_CHECKING:
    from collections.abc import Generator

    from typing_extensions import LiteralString

    from infra.postgres.connection.pool import Connection

_FORMAT = 1
_PLACE = "sqlmodule.identity"
RETAINED = "retained"
OUTCOMES = {Step.APPLY: "applied", Step.REBUILD: "applied", Step.ADOPT: "adopted", Step.VERIFY: "verified"}

_HERE = """
SELECT s.system_identifier::text, d.oid FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()
"""

ENTRY = "SELECT module, text_digest, statements_digest, outcome, objects FROM sqlmodule.ledger"

RECORD = """
WITH happened AS (
    INSERT INTO sqlmodule.event (module, step, statements_digest, stack, duration)
    VALUES (%(module)s, %(step)s, %(statements)s, %(stack)s, %(ms)s * interval '1 ms')
), resumed AS (
    DELETE FROM sqlmodule.resume WHERE %(ran)s AND module = %(module)s
)
INSERT INTO sqlmodule.ledger AS old (module, text_digest, statements_digest, outcome, stack, duration, objects)
VALUES (
    %(module)s, %(text)s, %(statements)s, coalesce(%(outcome)s, 'applied'), %(stack)s, %(ms)s * interval '1 ms',
    coalesce(%(objects)s::jsonb, '[]')
)
ON CONFLICT (module) DO UPDATE SET
    text_digest = excluded.text_digest,
    statements_digest = excluded.statements_digest,
    stack = excluded.stack,
    outcome = coalesce(%(outcome)s, old.outcome),
    objects = coalesce(%(objects)s::jsonb, old.objects),
    applied_by = CASE WHEN %(ran)s THEN excluded.applied_by ELSE old.applied_by END,
    applied_at = CASE WHEN %(ran)s THEN excluded.applied_at ELSE old.applied_at END,
    duration = CASE WHEN %(ran)s THEN excluded.duration ELSE old.duration END
"""

_here: WeakKeyDictionary[Connection, tuple[str, int]] = WeakKeyDictionary()
_with_ledger: WeakSet[Connection] = WeakSet()


@dataclass(frozen=True)
class LedgerIdentity:
    """Whose a ledger is, and of which database on which server (`system_identifier` as pg_control_system gives it)."""

    stack: str
    system_identifier: str
    database: int


@dataclass(frozen=True)
class LedgerEntry:
    """What the ledger says of one module."""

    module: str
    digests: Digests
    outcome: str
    effect: CatalogChange


@cache
def _definition() -> LiteralString:
    return cast("LiteralString", Path(__file__).with_suffix(".sql").read_text())


def exists(connection: Connection) -> bool:
    """Say whether the database has a ledger; a connection is asked until it has one."""
    if connection not in _with_ledger:
        if connection.execute("SELECT to_regclass('sqlmodule.identity')").fetchone() == (None,):
            return False
        if connection.info.transaction_status == TransactionStatus.IDLE:  # else it may be undone yet
            _with_ledger.add(connection)
    return True


def identity(connection: Connection) -> LedgerIdentity | None:
    """Read whose the ledger is, or None where the database has none; raises LedgerError for one of a newer program."""
    if not exists(connection):
        return None
    with _readable():
        row = connection.execute("SELECT format, stack, system_identifier, database FROM sqlmodule.identity").fetchone()
    if row is None:
        raise LedgerError("the ledger's one row is gone", place=_PLACE, remedy="restore it from a backup")
    if row[0] > _FORMAT:
        raise LedgerError(
            f"the ledger has format {row[0]} and this program knows {_FORMAT}",
            place=_PLACE,
            remedy="use the newer program",
        )
    return LedgerIdentity(row[1], row[2], row[3])


@contextmanager
def _readable() -> Generator[None]:
    try:
        yield
    except (errors.UndefinedColumn, errors.UndefinedTable) as error:
        raise LedgerError(
            f"its tables are not those of format {_FORMAT} ({error.diag.message_primary})",
            place="schema sqlmodule",
            remedy="use the program that made it, or restore the schema from a backup",
        ) from None


def here(connection: Connection, stack: str) -> LedgerIdentity:
    """Give the identity that a ledger made here and now would have; where a connection leads to does not change."""
    if connection not in _here:
        row = connection.execute(_HERE).fetchone() or ("", 0)
        _here[connection] = (str(row[0]), int(row[1]))
    return LedgerIdentity(stack, *_here[connection])


def create(connection: Connection, stack: str) -> LedgerIdentity:
    """Make the ledger in the current transaction, owned by the current role."""
    mine = here(connection, stack)
    connection.execute(_definition())
    connection.execute(
        "INSERT INTO sqlmodule.identity (format, stack, system_identifier, database) VALUES (%s, %s, %s, %s)",
        (_FORMAT, mine.stack, mine.system_identifier, mine.database),
    )
    return mine


def entry(connection: Connection, module: str) -> LedgerEntry | None:
    """Read one module's row, or None."""
    return entry_and_likes(connection, module, "")[0]


def entry_and_likes(
    connection: Connection, module: str, statements_digest: str
) -> tuple[LedgerEntry | None, list[str]]:
    """Read one module's row, or None, and name those that it may have been: of its statements, then of its number."""
    query = ENTRY + " WHERE module = %s OR statements_digest = %s OR split_part(module, '-', 1)::numeric = %s"
    with _readable():
        rows = [_entry(row) for row in connection.execute(query, (module, statements_digest, order(module)[0]))]
    mine = next((one for one in rows if one.module == module), None)
    ranked = sorted((one.digests.statements != statements_digest, order(one.module), one) for one in rows)
    return mine, [one.module for other, _, one in ranked if one is not mine and not (other and one.outcome == RETAINED)]


def begun(connection: Connection) -> dict[str, LedgerEntry]:
    """Give what is done of modules that run statement by statement and were not finished, as if it were their rows."""
    with _readable():
        rows = connection.execute("SELECT module, objects FROM sqlmodule.resume").fetchall()
    return {
        module: LedgerEntry(module, Digests("", ""), "", CatalogChange.of_json(objects)) for module, objects in rows
    }


def note(connection: Connection, module: str, *, done: int, digest: str, effect: CatalogChange, begun: bool) -> None:
    """Write how far a module got that runs statement by statement: what is done, and whether the next one was begun."""
    with _readable():
        connection.execute(
            "INSERT INTO sqlmodule.resume (module, statements_digest, done, begun, objects) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (module) DO UPDATE SET statements_digest = excluded.statements_digest,"
            " done = excluded.done, begun = excluded.begun, objects = excluded.objects",
            (module, digest, done, begun, json.dumps(effect.as_json(), ensure_ascii=False)),
        )


def entries(connection: Connection) -> list[LedgerEntry]:
    """Read every row, in the modules' order."""
    with _readable():
        return sorted(map(_entry, connection.execute(ENTRY)), key=lambda entry: order(entry.module))


def _entry(row: tuple[str, str, str, str, list[list[object]]]) -> LedgerEntry:
    return LedgerEntry(row[0], Digests(row[1], row[2]), row[3], CatalogChange.of_json(row[4]))


def record(
    connection: Connection,
    module: str,
    digests: Digests,
    *,
    step: Step,
    stack: str,
    milliseconds: float,
    effect: CatalogChange | None = None,
) -> None:
    """Write a module's row and its event, in the current transaction; without an effect the row keeps its own.

    Of a module that ran, whose row is new then in all it says, nothing is left to resume.
    """
    with _readable():
        connection.execute(
            RECORD,
            {
                "module": module,
                "text": digests.text,
                "statements": digests.statements,
                "step": step.value,
                "ran": step in {Step.APPLY, Step.REBUILD},
                "outcome": OUTCOMES.get(step),
                "stack": stack,
                "ms": milliseconds,
                "objects": None if effect is None else json.dumps(effect.as_json(), ensure_ascii=False),
            },
            prepare=True,
        )


def record_failure(
    connection: Connection, module: str, digests: Digests, *, step: Step, stack: str, sqlstate: str
) -> None:
    """Write that something was tried in vain."""
    connection.execute(
        "INSERT INTO sqlmodule.event (module, step, failure, statements_digest, stack, duration)"
        " VALUES (%s, %s, %s, %s, %s, '0')",
        (module, step.value, sqlstate, digests.statements, stack),
    )


def retain(connection: Connection, module: str) -> None:
    """Note that a module's file is gone and its objects stay."""
    connection.execute("UPDATE sqlmodule.ledger SET outcome = %s WHERE module = %s", (RETAINED, module))


def rename(connection: Connection, old: str, new: str) -> None:
    """Give a module's row the file's new name."""
    connection.execute("UPDATE sqlmodule.ledger SET module = %s WHERE module = %s", (new, old))


def forget(connection: Connection, modules: list[str]) -> None:
    """Remove the rows of modules whose objects are dropped in the same transaction."""
    connection.execute(
        "WITH resumed AS (DELETE FROM sqlmodule.resume WHERE module = ANY (%(modules)s))"
        " DELETE FROM sqlmodule.ledger WHERE module = ANY (%(modules)s)",
        {"modules": modules},
    )

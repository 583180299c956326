"""The ledger remembers, inside the database, which modules are applied; its rows share the modules' transactions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from infra.errors import LedgerError
from infra.modules.decide import Digests, Step

if TYPE_CHECKING:
    import psycopg
    from typing_extensions import LiteralString

FORMAT = 1

OUTCOMES = {Step.APPLY: "applied"}


@dataclass(frozen=True)
class Entry:
    """What the ledger says of one module; `applied_at` is ISO 8601 with its offset."""

    module: str
    digests: Digests
    outcome: str
    applied_at: str


@dataclass(frozen=True)
class Ledger:
    """The ledger of one database as it was read: whose it is and what it holds."""

    stack: str
    entries: dict[str, Entry]


@cache
def _definition() -> LiteralString:
    return cast("LiteralString", Path(__file__).with_suffix(".sql").read_text())


def read(connection: psycopg.Connection[tuple[Any, ...]]) -> Ledger | None:
    """Read the ledger, or None where the database has none; raises LedgerError for one of a newer program."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('sqlmodule.identity')")
        if cursor.fetchone() == (None,):
            return None
        cursor.execute("SELECT format, stack FROM sqlmodule.identity")
        identity = cursor.fetchone()
        if identity is None:
            raise LedgerError("the ledger's identity row is gone", place="sqlmodule.identity", remedy="restore it")
        if identity[0] > FORMAT:
            raise LedgerError(
                f"the ledger has format {identity[0]}, this program knows {FORMAT}",
                place="sqlmodule.identity",
                remedy="use the newer program",
            )
        cursor.execute(
            "SELECT module, text_digest, statements_digest, outcome, to_json(applied_at) #>> '{}' FROM sqlmodule.ledger"
        )
        entries = {row[0]: Entry(row[0], Digests(row[1], row[2]), row[3], row[4]) for row in cursor}
    return Ledger(identity[1], entries)


def create(connection: psycopg.Connection[tuple[Any, ...]], stack: str) -> Ledger:
    """Make the ledger in the current transaction, owned by the current role."""
    connection.execute(_definition())
    connection.execute(
        "INSERT INTO sqlmodule.identity (format, stack, system_identifier, database)"
        " SELECT %s, %s, s.system_identifier::text, d.oid"
        " FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()",
        (FORMAT, stack),
    )
    return Ledger(stack, {})


def record(
    connection: psycopg.Connection[tuple[Any, ...]],
    module: str,
    digests: Digests,
    *,
    step: Step,
    stack: str,
    milliseconds: float,
) -> None:
    """Write a module's row and its event, in the current transaction."""
    connection.execute(
        "INSERT INTO sqlmodule.ledger (module, text_digest, statements_digest, outcome, stack, duration)"
        " VALUES (%s, %s, %s, %s, %s, %s * interval '1 ms')"
        " ON CONFLICT (module) DO UPDATE SET text_digest = excluded.text_digest,"
        " statements_digest = excluded.statements_digest",
        (module, digests.text, digests.statements, OUTCOMES.get(step, "applied"), stack, milliseconds),
    )
    event(connection, module, digests, step=step, stack=stack, milliseconds=milliseconds)


def event(
    connection: psycopg.Connection[tuple[Any, ...]],
    module: str,
    digests: Digests,
    *,
    step: Step,
    stack: str,
    milliseconds: float,
    failure: str | None = None,
) -> None:
    """Write that something was done or, with its SQLSTATE, tried in vain."""
    connection.execute(
        "INSERT INTO sqlmodule.event (module, step, failure, statements_digest, stack, duration)"
        " VALUES (%s, %s, %s, %s, %s, %s * interval '1 ms')",
        (module, step.value, failure, digests.statements, stack, milliseconds),
    )

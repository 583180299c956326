"""The ledger: tables in the database that record which modules are applied, written in the modules' transactions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.changes import CatalogChange
from infra.modules.decision import Digests, Step
from infra.modules.module import order
from infra.postgres.ledger.identity import translated_format_errors

if TYPE_CHECKING:
    from infra.postgres.connection.pool import Connection

ORPHANED = "orphaned"
OUTCOMES = {Step.APPLY: "applied", Step.REBUILD: "applied", Step.ADOPT: "adopted", Step.VERIFY: "verified"}

ENTRIES = "SELECT module, text_digest, statements_digest, outcome, objects FROM sqlmodule.ledger"

RECORD = """
WITH logged AS (
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


@dataclass(frozen=True)
class LedgerEntry:
    """A module's row."""

    module: str
    digests: Digests
    outcome: str
    effect: CatalogChange


def read_entry(connection: Connection, module: str) -> LedgerEntry | None:
    """Return a module's row, or None."""
    return read_entry_and_candidates(connection, module, "")[0]


def read_entry_and_candidates(
    connection: Connection, module: str, statements_digest: str
) -> tuple[LedgerEntry | None, list[str]]:
    """Return a module's row, or None, and the names of rows that may be this module's under an earlier file name.

    Those are the rows with the same statements, then the rows with the same number that are not orphaned.
    """
    query = ENTRIES + " WHERE module = %s OR statements_digest = %s OR split_part(module, '-', 1)::numeric = %s"
    with translated_format_errors():
        rows = [_entry(row) for row in connection.execute(query, (module, statements_digest, order(module)[0]))]
    entry = next((row for row in rows if row.module == module), None)
    ranked = sorted(
        (row.digests.statements != statements_digest, order(row.module), row.module)
        for row in rows
        if row.module != module and (row.digests.statements == statements_digest or row.outcome != ORPHANED)
    )
    return entry, [name for _, _, name in ranked]


def read_unfinished(connection: Connection) -> dict[str, LedgerEntry]:
    """Return the modules that run by statement and have not completed, with what is done of them as their effect."""
    with translated_format_errors():
        rows = connection.execute("SELECT module, objects FROM sqlmodule.resume").fetchall()
    return {
        module: LedgerEntry(module, Digests("", ""), "", CatalogChange.of_json(objects)) for module, objects in rows
    }


def record_progress(
    connection: Connection, module: str, *, done: int, digest: str, effect: CatalogChange, begun: bool
) -> None:
    """Write how many statements of a module are done that runs by statement, and whether the next one was begun."""
    with translated_format_errors():
        connection.execute(
            "INSERT INTO sqlmodule.resume (module, statements_digest, done, begun, objects) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (module) DO UPDATE SET statements_digest = excluded.statements_digest,"
            " done = excluded.done, begun = excluded.begun, objects = excluded.objects",
            (module, digest, done, begun, json.dumps(effect.as_json(), ensure_ascii=False)),
        )


def read_entries(connection: Connection) -> list[LedgerEntry]:
    """Return every module's row, in the modules' order."""
    with translated_format_errors():
        return sorted(map(_entry, connection.execute(ENTRIES)), key=lambda entry: order(entry.module))


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
    """Write a module's row and its event, in the current transaction; without `effect` the row keeps the one it has.

    After a full run (apply, rebuild), the module's progress record is deleted: there is nothing left to resume.
    """
    with translated_format_errors():
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
    """Write the event of a step that failed."""
    connection.execute(
        "INSERT INTO sqlmodule.event (module, step, failure, statements_digest, stack, duration)"
        " VALUES (%s, %s, %s, %s, %s, '0')",
        (module, step.value, sqlstate, digests.statements, stack),
    )


def mark_orphaned(connection: Connection, module: str) -> None:
    """Record that a module's file was removed and its objects stay."""
    connection.execute("UPDATE sqlmodule.ledger SET outcome = %s WHERE module = %s", (ORPHANED, module))


def rename_entry(connection: Connection, old: str, new: str) -> None:
    """Change the module's name in its row to the file's new name."""
    connection.execute("UPDATE sqlmodule.ledger SET module = %s WHERE module = %s", (new, old))


def delete_entries(connection: Connection, modules: list[str]) -> None:
    """Delete the rows of modules whose objects are dropped in the same transaction."""
    connection.execute(
        "WITH resumed AS (DELETE FROM sqlmodule.resume WHERE module = ANY (%(modules)s))"
        " DELETE FROM sqlmodule.ledger WHERE module = ANY (%(modules)s)",
        {"modules": modules},
    )

"""The ledger: tables in the database that record which modules are applied, written in the modules' transactions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from infra.catalog.changes import CatalogChange
from infra.modules.decision import Digests, Step
from infra.modules.module import order
from infra.plan.ledger_rows import ORPHANED, SEED_ROW, LedgerEntry, Program
from infra.postgres.ledger.identity import current_identity, read_identity_and_event, translated_format_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.catalog.catalog import Catalog
    from infra.plan.ledger_rows import LedgerIdentity
    from infra.postgres.connection.pool import Connection

OUTCOMES = {Step.APPLY: "applied", Step.REBUILD: "applied", Step.ADOPT: "adopted", Step.VERIFY: "verified"}

ENTRIES = "SELECT module, text_digest, statements_digest, outcome, objects, seeds FROM sqlmodule.ledger"

RECORD = """
WITH logged AS (
    INSERT INTO sqlmodule.event (module, step, statements_digest, stack, duration)
    VALUES (%(module)s, %(step)s, %(statements)s, %(stack)s, %(ms)s * interval '1 ms')
    RETURNING id
), resumed AS (
    DELETE FROM sqlmodule.resume WHERE %(ran)s AND module = %(module)s
), written AS (
    SELECT counted.*
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN format('%%I.%%I', n.nspname, c.relname) AS t (name)
    CROSS JOIN pg_stat_get_xact_tuples_deleted(c.oid) AS d (rows)
    CROSS JOIN LATERAL (
        VALUES (t.name, pg_stat_get_xact_tuples_inserted(c.oid) - d.rows),
            ('changes of ' || t.name, pg_stat_get_xact_tuples_updated(c.oid) + d.rows)
    ) AS counted (name, rows)
    WHERE %(ran)s AND c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384 AND n.nspname <> 'sqlmodule'
), written_before AS (  -- in this transaction, by the modules before
    SELECT key AS name, sum(value::bigint) AS rows
    FROM sqlmodule.ledger, jsonb_each_text(seeds) WHERE applied_at = now() AND module <> %(module)s GROUP BY key
), seeds AS (
    SELECT jsonb_object_agg(name, w.rows - coalesce(b.rows, 0)) AS rows, pg_stat_force_next_flush()
    FROM written w LEFT JOIN written_before b USING (name)
    WHERE w.rows > coalesce(b.rows, 0)
)
INSERT INTO sqlmodule.ledger AS old (module, text_digest, statements_digest, outcome, stack, duration, objects, seeds)
VALUES (
    %(module)s, %(text)s, %(statements)s, coalesce(%(outcome)s, 'applied'), %(stack)s, %(ms)s * interval '1 ms',
    coalesce(%(objects)s::jsonb, '[]'), coalesce((SELECT rows FROM seeds), '{}')
)
ON CONFLICT (module) DO UPDATE SET
    text_digest = excluded.text_digest,
    statements_digest = excluded.statements_digest,
    stack = excluded.stack,
    outcome = coalesce(%(outcome)s, old.outcome),
    objects = coalesce(%(objects)s::jsonb, old.objects),
    seeds = CASE WHEN %(ran)s THEN excluded.seeds ELSE old.seeds END,
    applied_by = CASE WHEN %(ran)s THEN excluded.applied_by ELSE old.applied_by END,
    applied_at = CASE WHEN %(ran)s THEN excluded.applied_at ELSE old.applied_at END,
    duration = CASE WHEN %(ran)s THEN excluded.duration ELSE old.duration END
RETURNING (SELECT id FROM logged)
"""

"""Writes a module's row and its event. The numbers of rows inserted, and of those changed or deleted, are those since
the session's statistics were last flushed (PostgreSQL manual, 27.2.3), which is therefore asked for; tables of the
system have OIDs below 16384."""


class LedgerVersion(NamedTuple):
    """What changes with every write to a ledger: whose it is, whose it should be, and its last event."""

    identity: LedgerIdentity
    current: LedgerIdentity
    event: int


def read_version(connection: Connection, program: Program) -> LedgerVersion | None:
    """Return the ledger's version, None where there is no ledger."""
    found = read_identity_and_event(connection)
    return LedgerVersion(found[0], current_identity(connection, program), found[1]) if found else None


class Compared(NamedTuple):
    """What was so when a catalog was found as the modules left it, and what it had besides."""

    catalog_version: str
    event: int
    files: str
    further: Catalog


def record_compared(connection: Connection, compared: Compared) -> None:
    """Write that the catalog was found as the modules left it, in the current transaction. It is no event."""
    further = [[*identity, text] for identity, text in sorted(compared.further.objects.items())]
    connection.execute(
        "INSERT INTO sqlmodule.compared (catalog_version, event, files, further) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (only_row) DO UPDATE SET (catalog_version, event, files, further)"
        " = (excluded.catalog_version, excluded.event, excluded.files, excluded.further)",
        (*compared[:3], json.dumps(further, ensure_ascii=False)),
    )


def read_entry(connection: Connection, module: str, program: Program) -> LedgerEntry | None:
    """Return the row of a program's module, or None."""
    with translated_format_errors():
        row = connection.execute(ENTRIES + " WHERE module = %s", (program.row(module),)).fetchone()
    return _entry(row) if row else None


def read_unfinished(connection: Connection) -> dict[str, LedgerEntry]:
    """Return what all programs' rows have of modules that run by statement and have not completed, as their effect."""
    with translated_format_errors():
        rows = connection.execute(
            "SELECT module, objects FROM sqlmodule.resume WHERE NOT starts_with(module, 'revision ')"
        ).fetchall()
    return {
        module: LedgerEntry(module, Digests("", ""), "", CatalogChange.of_json(objects)) for module, objects in rows
    }


def has_begun(connection: Connection, row: str) -> bool:
    """Return whether an earlier run began with what runs by statement, and did not complete it."""
    query = "SELECT FROM sqlmodule.resume WHERE module = %s"
    return connection.execute(query, (row,)).fetchone() is not None


def record_progress(
    connection: Connection, row: str, *, done: int, digest: str, effect: CatalogChange, begun: bool
) -> None:
    """Write how many statements of a module are done that runs by statement, and whether the next one was begun."""
    with translated_format_errors():
        connection.execute(
            "INSERT INTO sqlmodule.resume (module, statements_digest, done, begun, objects) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (module) DO UPDATE SET statements_digest = excluded.statements_digest,"
            " done = excluded.done, begun = excluded.begun, objects = excluded.objects",
            (row, digest, done, begun, json.dumps(effect.as_json(), ensure_ascii=False)),
        )


def read_entries(connection: Connection) -> list[LedgerEntry]:
    """Return every module's row, in the modules' order: those of all programs."""
    with translated_format_errors():
        return sorted(map(_entry, connection.execute(ENTRIES)), key=lambda entry: order(entry.module))


def _entry(row: tuple[str, str, str, str, list[list[object]], dict[str, int]]) -> LedgerEntry:
    return LedgerEntry(row[0], Digests(row[1], row[2]), row[3], CatalogChange.of_json(row[4]), row[5])


def record(
    connection: Connection,
    module: str,
    digests: Digests,
    *,
    step: Step,
    program: Program,
    milliseconds: float,
    effect: CatalogChange | None = None,
) -> int:
    """Write a module's row and its event, in the current transaction, and return the event's number.

    Without `effect` the row keeps the one it has.

    After a full run (apply, rebuild), the module's progress record is deleted: there is nothing left to resume.
    """
    with translated_format_errors():
        written = connection.execute(
            RECORD,
            {
                "module": program.row(module),
                "text": digests.text,
                "statements": digests.statements,
                "step": step.value,
                "ran": step in {Step.APPLY, Step.REBUILD},
                "outcome": OUTCOMES.get(step),
                "stack": program.stack,
                "ms": milliseconds,
                "objects": None if effect is None else json.dumps(effect.as_json(), ensure_ascii=False),
            },
            prepare=True,
        ).fetchone()
    return int(written[0]) if written else 0


def record_failure(
    connection: Connection, module: str, digests: Digests, *, step: Step, program: Program, sqlstate: str
) -> None:
    """Write the event of a step that failed; rows that it inserted no longer count as inserted."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    record_event(connection, module, step.value, digests.statements, program=program, failure=sqlstate)


def mark_orphaned(connection: Connection, module: str, program: Program) -> None:
    """Record that a module's file was removed and its objects stay."""
    connection.execute("UPDATE sqlmodule.ledger SET outcome = %s WHERE module = %s", (ORPHANED, program.row(module)))
    _record_event(connection, module, Step.RETAIN.value, program)


def rename_entries(connection: Connection, renames: Mapping[str, str], program: Program) -> None:
    """Change modules' names in their rows, given new names by old ones."""
    for old, new in renames.items():
        rows = (program.row(new), program.row(old))
        connection.execute("UPDATE sqlmodule.ledger SET module = %s WHERE module = %s", rows)
        _record_event(connection, new, "rename", program)


def delete_entries(connection: Connection, modules: list[str], program: Program) -> None:
    """Delete the rows of modules whose objects are dropped in the same transaction."""
    connection.execute(
        "WITH resumed AS (DELETE FROM sqlmodule.resume WHERE module = ANY (%(modules)s)),"
        " logged AS (INSERT INTO sqlmodule.event (module, step, statements_digest, stack, duration)"
        " SELECT unnest(%(modules)s), %(step)s, '', %(stack)s, '0')"
        " DELETE FROM sqlmodule.ledger WHERE module = ANY (%(modules)s)",
        {"modules": [*map(program.row, modules)], "step": Step.DROP.value, "stack": program.stack},
    )


def record_seed(connection: Connection, digest: str, program: Program, *, milliseconds: float) -> None:
    """Write that the database has the rows of a seed, which the current transaction inserted."""
    digests = Digests(digest, digest)
    row_of = Program(program.stack)  # the programs of a database share its seed
    record(
        connection,
        SEED_ROW,
        digests,
        step=Step.APPLY,
        program=row_of,
        milliseconds=milliseconds,
        effect=CatalogChange(),
    )


def delete_seed(connection: Connection) -> None:
    """Write that the database has the rows of a seed no longer, or not all of them, in the current transaction."""
    connection.execute("DELETE FROM sqlmodule.ledger WHERE module = %s", (SEED_ROW,))


def _record_event(connection: Connection, module: str, step: str, program: Program) -> None:
    record_event(connection, module, step, "", program=program)


def record_event(
    connection: Connection,
    module: str,
    step: str,
    digest: str,
    *,
    program: Program,
    milliseconds: float = 0,
    failure: str | None = None,
) -> None:
    """Write an event, in the current transaction; `failure` is the SQLSTATE of what failed. Revisions have no rows."""
    connection.execute(
        "INSERT INTO sqlmodule.event (module, step, failure, statements_digest, stack, duration)"
        " VALUES (%s, %s, %s, %s, %s, %s * interval '1 ms')",
        (program.row(module), step, failure, digest, program.stack, milliseconds),
    )


def take_over_rows(connection: Connection, program: Program) -> None:
    """Write this program's stack into all rows, in the current transaction: the database is a clone of another's."""
    connection.execute(
        "UPDATE sqlmodule.ledger SET stack = %(stack)s WHERE stack <> %(stack)s", {"stack": program.stack}
    )


def rewrite_effects(connection: Connection, rewrite: Callable[[CatalogChange], CatalogChange], *, step: str) -> None:
    """Replace what the ledger has of each module's effect, in the current transaction; `step` is the event's."""
    for table in (b"sqlmodule.ledger", b"sqlmodule.resume"):
        for module, objects in connection.execute(b"SELECT module, objects FROM " + table).fetchall():
            rewritten = rewrite(CatalogChange.of_json(objects)).as_json()
            if rewritten != objects:
                connection.execute(
                    b"UPDATE " + table + b" SET objects = %s WHERE module = %s",
                    (json.dumps(rewritten, ensure_ascii=False), module),
                )
    connection.execute(
        "INSERT INTO sqlmodule.event (module, step, statements_digest, stack, duration)"
        " SELECT module, %s, statements_digest, stack, '0' FROM sqlmodule.ledger",
        (step,),
    )

"""Which rows a plan loses, and the refusal of a run that may not lose them."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.catalog.identifiers import last, parent
from infra.errors import RefusedError
from infra.postgres.apply.live_status import connect_to_look
from infra.postgres.connection.error_messages import translate_error
from infra.postgres.connection.failure import ConnectionFailure, classify_connection_error
from infra.postgres.introspection.copied_rows import copied_rows, count_rows
from infra.postgres.ledger.identity import ledger_exists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from infra.postgres.apply.plan_cache import PlanInProgress
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.connection.target import Target

_COUNT_SECONDS = 2
"""The time limit for counting the rows of one table."""

_OWN_ROWS = "SELECT count(*) FROM ONLY {}"
_ESTIMATE = """
SELECT greatest(c.reltuples, pg_catalog.pg_stat_get_live_tuples(c.oid))::bigint
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%s)
"""
_TABLES = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'sqlmodule')
ORDER BY 1
"""


def rows_at_risk(session: Session, planned: PlanInProgress) -> dict[str, str]:
    """Return how many rows a plan drops, by table, as text: `about` an estimate where counting takes long.

    What the modules and the seed inserted is not counted, since it is inserted again.
    """
    tables = [] if planned.plan.refusals else planned.plan.tables_dropped()
    if not tables:
        return {}
    with connect_to_look(session.target) as connection:
        counts = _count_rows(connection, session.owner, tables)
        entries = [*planned.status.entries.values(), *planned.status.others.values()]
        return _without_seeds(counts, [entry.seeds for entry in entries])


def values_at_risk(session: Session, planned: PlanInProgress) -> dict[str, str]:
    """Return how many values a migration drops, by table or column, in words; `planned.plan.lost` are those."""
    if not planned.plan.lost:
        return {}
    values: dict[str, str] = {}
    with connect_to_look(session.target) as connection:
        for kind, name in planned.plan.lost:
            if kind == "table":
                rows = _count_rows(connection, session.owner, [name]).get(name, "0")
                values[f"table {name}"] = "1 row" if rows == "1" else f"{_with_commas(rows)} rows"
                continue
            table = parent(name)
            rows, filled = (
                _count_rows(connection, session.owner, [table], query).get(table, "0")
                for query in ("SELECT count(*) FROM {}", f"SELECT count({last(name)}) FROM {{}}")
            )
            of_rows = f"of {_with_commas(rows)} rows"
            values[f"column {name}"] = f"set in {_with_commas(filled)} {of_rows}" if filled.isdigit() else of_rows
    return values


def _with_commas(count: str) -> str:
    return f"{int(count):,}" if count.isdigit() else count


def rows_of_database(target: Target) -> dict[str, str]:
    """Return how many rows a database has, as `rows_at_risk` does; `target` is the administrator's.

    A database that does not exist has none. Nothing that its owner has defined is run: what is counted is copied.
    """
    try:
        with connect_to_look(target) as connection:
            tables = [str(row[0]) for row in connection.execute(_TABLES)]
            counts = _counted(connection, tables, partial(count_rows, connection))
            return _without_seeds(counts, _copied_seeds(connection))
    except psycopg.Error as error:
        if classify_connection_error(error) is ConnectionFailure.NO_DATABASE:
            return {}
        raise translate_error(error, f"database {target.database}") from None


def _copied_seeds(connection: Connection) -> list[Mapping[str, int]]:
    """Return the numbers of rows that modules inserted, none where the ledger is not as this program made it."""
    try:
        rows = copied_rows(connection, "sqlmodule.ledger", ["seeds"]) if ledger_exists(connection) else []
        return [{str(table): int(count) for table, count in json.loads(seeds).items()} for (seeds,) in rows]
    except (psycopg.ProgrammingError, TypeError, ValueError, AttributeError):
        return []


def _without_seeds(counts: Mapping[str, str], seeds: Iterable[Mapping[str, int]]) -> dict[str, str]:
    inserted = Counter[str]()
    for rows in seeds:
        inserted.update(rows)
    left = {
        table: str(max(0, int(rows) - inserted[table])) if rows.isdigit() else rows for table, rows in counts.items()
    }
    return {table: rows for table, rows in left.items() if rows != "0"}


def _count_rows(connection: Connection, owner: str, tables: Sequence[str], query: str = _OWN_ROWS) -> dict[str, str]:
    """Return what a query counts in those tables that exist: their rows, those of a partition or an heir left out."""
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(owner)))

    def count(table: str) -> int:
        return int((connection.execute(query.format(table).encode()).fetchone() or (0,))[0])

    return _counted(connection, tables, count)


def _counted(connection: Connection, tables: Sequence[str], count: Callable[[str], int]) -> dict[str, str]:
    """Return the numbers of rows as text: an estimate where counting takes long, or somebody else's table is closed."""
    counts: dict[str, str] = {}
    connection.execute(sql.SQL("SET statement_timeout = {}").format(_COUNT_SECONDS * 1000))
    for table in tables:
        try:
            counts[table] = str(count(table))
        except psycopg.errors.UndefinedTable:
            continue
        except (psycopg.errors.QueryCanceled, psycopg.errors.InsufficientPrivilege):
            counts[table] = f"about {(connection.execute(_ESTIMATE, (table,)).fetchone() or ('?',))[0]}"
    return counts


def refuse_losses(session: Session, planned: PlanInProgress) -> None:
    """Raise RefusedError where rows would be lost that nobody has given up, and write which into the session's file."""
    if session.losses:
        _refuse({session.place: rows_at_risk(session, planned)}, session.losses)


def refuse_dropped(databases: Sequence[Target], file: str) -> None:
    """Raise RefusedError where databases that are to be dropped have rows, and write which into a file, if given."""
    if file:
        _refuse({f"database {target.database}": rows_of_database(target) for target in databases}, file)


def _refuse(rows: Mapping[str, Mapping[str, str]], file: str) -> None:
    losses = {place: ", ".join(f"{table} {count}" for table, count in counts.items()) for place, counts in rows.items()}
    refusals = [
        RefusedError(
            f"would lose rows that no module inserted: {named}",
            place=place,
            remedy="`make up ARGS=--allow-loss` drops them",
        )
        for place, named in losses.items()
        if named
    ]
    if refusals:
        with Path(file).open("a") as lines:
            lines.writelines(f"{place}: {named}\n" for place, named in losses.items() if named)
        raise refusals[0] if len(refusals) == 1 else RefusedError("\n".join(map(str, refusals)))

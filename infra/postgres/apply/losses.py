"""Which rows a plan loses, and the refusal of a run that may not lose them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.errors import RefusedError
from infra.postgres.apply.planning import connect_to_look

if TYPE_CHECKING:
    from infra.postgres.apply.plan_cache import PlanInProgress
    from infra.postgres.connection.session import Session

_COUNT_SECONDS = 2
"""The time limit for counting the rows of one table."""


def rows_at_risk(session: Session, planned: PlanInProgress) -> dict[str, str]:
    """Return how many rows a plan drops, by table, as text: `about` an estimate where counting takes long.

    Tables that have no more rows than the modules inserted are left out.
    """
    tables = [] if planned.plan.refusals else planned.plan.tables_dropped()
    counts = _count_rows(session, tables) if tables else {}
    seeds = Counter[str]()
    for entry in planned.status.entries.values():
        seeds.update(entry.seeds)
    return {
        table: count for table, count in counts.items() if not (count.isdigit() and int(count) <= seeds.get(table, 0))
    }


def _count_rows(session: Session, tables: list[str]) -> dict[str, str]:
    """Return the number of rows of those tables that exist; rows of a partition or an heir are its own."""
    counts: dict[str, str] = {}
    with connect_to_look(session.target) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(session.owner)))
        connection.execute(sql.SQL("SET statement_timeout = {}").format(_COUNT_SECONDS * 1000))
        for table in tables:
            try:
                row = connection.execute(f"SELECT count(*) FROM ONLY {table}".encode()).fetchone()
                counts[table] = str(row[0]) if row else "0"
            except psycopg.errors.UndefinedTable:
                continue
            except psycopg.errors.QueryCanceled:
                row = connection.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", (table,))
                counts[table] = f"about {(row.fetchone() or ('?',))[0]}"
    return counts


def refuse_losses(session: Session, planned: PlanInProgress) -> None:
    """Raise RefusedError where rows would be lost that nobody has given up, and write which into the session's file."""
    rows = rows_at_risk(session, planned) if session.losses else {}
    if not rows:
        return
    named = ", ".join(f"{table} {count}" for table, count in rows.items())
    with Path(session.losses).open("a") as file:
        file.write(f"{session.place}: {named}\n")
    raise RefusedError(
        f"would lose rows that no module inserted: {named}",
        place=session.place,
        remedy="`make up ARGS=--allow-loss` drops them",
    )

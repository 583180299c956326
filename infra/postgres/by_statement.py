"""Runs a module that declares to run statement by statement: outside a transaction, with a resume point for each."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from psycopg import sql

from infra.catalog.owned import Effect, effect_between
from infra.modules.acceptance import needs_no_transaction
from infra.modules.statements import Statement, parse
from infra.postgres import ledger
from infra.postgres.execute import send
from infra.postgres.run import Applied
from infra.postgres.snapshot import read_catalog

if TYPE_CHECKING:
    from infra.catalog.catalog import Catalog
    from infra.modules.decide import Digests, Step
    from infra.modules.module import Module
    from infra.postgres.pool import Connection
    from infra.postgres.session import Session

INDEX = """
SELECT format('%%I.%%I', n.nspname, c.relname), i.indisvalid
FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relname = %s
"""


def run_by_statement(connection: Connection, session: Session, module: Module, digests: Digests, step: Step) -> Applied:
    """Run a module's statements one after the other, from where an earlier run of it got to, and write its row."""
    started = time.perf_counter()
    with connection.transaction():
        session.begin(connection)
        if not ledger.identity(connection):
            ledger.create(connection, session.stack)
        done, effect = _resumed(connection, module, digests)
    for number, statement in enumerate(parse(module.text, module.path)):
        if number >= done:
            before = read_catalog(connection)
            if needs_no_transaction(statement):
                _run_outside(connection, session, module, statement, number)
                with connection.transaction():
                    session.begin(connection)
                    effect = _note(connection, module, digests, number + 1, _then(effect, before, connection))
            else:
                with connection.transaction():
                    session.begin(connection)
                    send(connection, module, module.text[statement.start : statement.end], first=number)
                    session.begin(connection)
                    effect = _note(connection, module, digests, number + 1, _then(effect, before, connection))
    milliseconds = (time.perf_counter() - started) * 1000
    with connection.transaction():
        session.begin(connection)
        ledger.record(
            connection, module.name, digests, step=step, stack=session.stack, milliseconds=milliseconds, effect=effect
        )
        connection.execute("DELETE FROM sqlmodule.resume WHERE module = %s", (module.name,))
    return Applied(step, milliseconds)


def _run_outside(connection: Connection, session: Session, module: Module, statement: Statement, number: int) -> None:
    """Run one statement on its own; an index that an earlier try left invalid is dropped first, a valid one is kept."""
    limits = sql.SQL("SET ROLE {}; SET search_path = public; SET lock_timeout = {}; SET statement_timeout = {}")
    connection.execute(
        limits.format(
            sql.Identifier(session.owner), int(session.lock_timeout * 1000), int(session.statement_timeout * 1000)
        )
    )
    try:
        tree: Any = statement.tree
        if statement.kind == "index_stmt":
            row = connection.execute(INDEX, (tree.idxname,)).fetchone()
            if row and row[1]:
                return
            if row:
                session.tell(f"index {row[0]} was left invalid by an earlier try and is built anew")
                connection.execute(sql.SQL("DROP INDEX CONCURRENTLY public.{}").format(sql.Identifier(tree.idxname)))
        send(connection, module, module.text[statement.start : statement.end], first=number)
    finally:
        if not connection.broken:
            connection.execute("RESET ROLE; RESET ALL")


def _resumed(connection: Connection, module: Module, digests: Digests) -> tuple[int, Effect]:
    """Give how many statements are done, and what they did; a module whose statements changed begins anew."""
    row = connection.execute(
        "SELECT done, objects FROM sqlmodule.resume WHERE module = %s AND statements_digest = %s",
        (module.name, digests.statements),
    ).fetchone()
    return (row[0], Effect.of_json(row[1])) if row else (0, Effect())


def _then(effect: Effect, before: Catalog, connection: Connection) -> Effect:
    """Add what the last statement did to what the ones before it did."""
    last = effect_between(before, read_catalog(connection))
    mine = effect.objects.keys() - effect.changed
    return Effect({**effect.objects, **last.objects}, effect.changed | (last.changed - mine))


def _note(connection: Connection, module: Module, digests: Digests, done: int, effect: Effect) -> Effect:
    connection.execute(
        "INSERT INTO sqlmodule.resume (module, statements_digest, done, objects) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (module) DO UPDATE SET statements_digest = excluded.statements_digest, done = excluded.done,"
        " objects = excluded.objects",
        (module.name, digests.statements, done, json.dumps(effect.as_json())),
    )
    return effect

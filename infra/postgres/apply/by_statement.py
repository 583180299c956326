"""Runs a module that declares to run statement by statement: outside a transaction, with a resume point for each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.catalog.catalog import Catalog, ObjectId
from infra.catalog.changes import CatalogChange, catalog_change_between
from infra.errors import ModuleError, RefusedError
from infra.modules.decision import Lifecycle
from infra.modules.restrictions import needs_no_transaction
from infra.modules.statements import Statement, parse, statements_digest
from infra.postgres.apply.drop import created, drop_objects
from infra.postgres.apply.execution import Applied
from infra.postgres.connection.blockers import watched
from infra.postgres.connection.execute import send, session_role
from infra.postgres.introspection.reader import read_catalog
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from infra.modules.decision import Digests, Step
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

_INDEX = """
SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(%s)
"""
GONE = frozenset({"42704", "42P01"})
"""Undefined object, undefined table."""


class Resumed(NamedTuple):
    """How many statements are done, what they did, and whether the next one was begun."""

    done: int
    effect: CatalogChange
    begun: bool


def run_by_statement(connection: Connection, session: Session, module: Module, digests: Digests, step: Step) -> Applied:
    """Run a module's statements one after the other, from where an earlier run of it got to, and write its row."""
    started = time.perf_counter()
    statements = parse(module.text, module.path)
    with session.transaction(connection):
        if not ledger.identity(connection):
            ledger.create(connection, session.stack)
        done, effect, begun = _resumed(connection, session, module, statements)
    before = read_catalog(connection)
    for number, statement in enumerate(statements[done:], done):
        if needs_no_transaction(statement):
            with session.transaction(connection):
                _note(connection, module, statements[:number], effect, begun=True)
            before = _run_outside(
                connection, session, module, statement, number=number, before=before, again=begun and number == done
            )
        with session.transaction(connection):
            if not needs_no_transaction(statement):
                text = module.text[statement.start : statement.end]
                _send(connection, session, module, text, number)
                session.begin(connection)
            earlier, before = before, read_catalog(connection)
            effect = _then(effect, catalog_change_between(earlier, before))
            _note(connection, module, statements[: number + 1], effect)
    milliseconds = (time.perf_counter() - started) * 1000
    with session.transaction(connection):
        ledger.record(
            connection, module.name, digests, step=step, stack=session.stack, milliseconds=milliseconds, effect=effect
        )
    return Applied(step, milliseconds)


def _run_outside(
    connection: Connection,
    session: Session,
    module: Module,
    statement: Statement,
    *,
    number: int,
    before: Catalog,
    again: bool,
) -> Catalog:
    """Run one statement on its own, and give the catalog from before it, also where an earlier try had run it.

    An index that an earlier try left invalid is dropped first; a valid one, or one that is dropped already, is done.
    """
    text = module.text[statement.start : statement.end]
    with session_role(connection, session.owner, session.lock_timeout, session.statement_timeout):
        if again and statement.kind == "index_stmt":
            name = _quoted(connection, statement.tree.relation.schemaname, statement.tree.idxname)
            before = Catalog({one: it for one, it in before.objects.items() if one != ObjectId("index", name)})
            row = connection.execute(_INDEX, (name,)).fetchone()
            if row == (True,):
                return before
            if row:
                session.tell(f"index {name} was left invalid by an earlier try and is built anew")
                connection.execute(f"DROP INDEX CONCURRENTLY {name}".encode())
        try:
            _send(connection, session, module, text, number)
        except ModuleError as error:
            if not (again and statement.kind == "drop_stmt" and error.sqlstate in GONE):
                raise
            names = [[item.string.sval for item in one.list.items] for one in statement.tree.objects]
            dropped = [_quoted(connection, *(["", *parts][-2:])) for parts in names]
            before = Catalog({**before.objects, **{ObjectId("index", name): "" for name in dropped}})
    return before


def _send(connection: Connection, session: Session, module: Module, text: str, number: int) -> None:
    watched(session, connection, lambda patience: send(connection, module, text, first=number, patience=patience))


def _quoted(connection: Connection, schema: str, name: str) -> str:
    row: tuple[Any, ...] | None = connection.execute(
        "SELECT format('%%I.%%I', %s::text, %s::text)", (schema or "public", name)
    ).fetchone()
    return str(row[0]) if row else ""


def on_scratch(connection: Connection, module: Module, owner: str, seconds: float) -> CatalogChange:
    """Run a module statement by statement where nobody has to resume it, and give what it did."""
    before = read_catalog(connection)
    for number, statement in enumerate(parse(module.text, module.path)):
        with session_role(connection, owner, seconds, seconds):
            send(connection, module, module.text[statement.start : statement.end], first=number)
    return catalog_change_between(before, read_catalog(connection))


def _resumed(connection: Connection, session: Session, module: Module, statements: list[Statement]) -> Resumed:
    """Find where an earlier run got to; where what is done is not what the file says now, data decides what happens."""
    row = connection.execute(
        "SELECT done, statements_digest, objects, begun FROM sqlmodule.resume WHERE module = %s", (module.name,)
    ).fetchone()
    if row is None:
        return Resumed(0, CatalogChange(), begun=False)
    done, digest, objects, begun = row
    effect = CatalogChange.of_json(objects)
    if done <= len(statements) and digest == _digest(module, statements[:done]):
        return Resumed(done, effect, begun=begun)
    place = f"{module.path} in {session.place}"
    if session.lifecycle is Lifecycle.PERSISTENT:
        raise RefusedError(
            f"its first {done} statements are done, and the file has other ones now",
            place=place,
            remedy="take that change back, or drop what they made and delete the module's row from sqlmodule.resume",
        )
    drop_objects(connection, created(effect), place=place)
    ledger.forget(connection, [module.name])
    return Resumed(0, CatalogChange(), begun=False)


def _digest(module: Module, statements: list[Statement]) -> str:
    return statements_digest(module.text[: statements[-1].end] if statements else "")


def _then(effect: CatalogChange, last: CatalogChange) -> CatalogChange:
    """Add what the last statement did to what the ones before it did."""
    mine = effect.objects.keys() - effect.changed
    return CatalogChange({**effect.objects, **last.objects}, effect.changed | (last.changed - mine))


def _note(
    connection: Connection, module: Module, statements: list[Statement], effect: CatalogChange, *, begun: bool = False
) -> None:
    ledger.note(
        connection, module.name, done=len(statements), digest=_digest(module, statements), effect=effect, begun=begun
    )

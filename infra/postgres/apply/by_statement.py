"""Runs a module statement by statement, outside a transaction, as its first line may declare it.

After each statement a row in sqlmodule.resume says how many are done and what they did, so that the run after one that
was cut short continues at the first statement that is not done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from infra.catalog.catalog import Catalog, ObjectId
from infra.catalog.changes import CatalogChange, catalog_change_between, created_objects
from infra.catalog.structure import makers
from infra.errors import ModuleError, RefusedError
from infra.modules.decision import Lifecycle
from infra.modules.restrictions import needs_no_transaction
from infra.modules.statements import Statement, parse, statements_digest
from infra.postgres.apply.drop import drop_objects
from infra.postgres.apply.module_text import check_deferred, end_module, refuse_stack_privileges, run_text
from infra.postgres.connection.execute import session_role
from infra.postgres.introspection.effects import read_with_settings, read_with_unnamed
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import create_ledger, read_identity
from infra.postgres.private_schemas import revoke_granted_by_default

if TYPE_CHECKING:
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

_INDEX_IS_VALID = """
SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(%s)
"""
UNDEFINED_STATES = frozenset({"42704", "42P01"})
"""SQLSTATEs of an object that does not exist: undefined_object, undefined_table (manual, appendix A)."""


class ResumePoint(NamedTuple):
    """How many statements are done, what they did, and whether an earlier run began the next one."""

    done: int
    effect: CatalogChange
    begun: bool


def run_statements(
    connection: Connection, session: Session, module: Module, *, resumable: bool = True
) -> CatalogChange:
    """Run a module's statements, and return what they did to the catalog, earlier runs that were cut short included.

    With `resumable` it begins at the resume point in the ledger and moves that. A statement that cannot run in a
    transaction is then marked as begun before it is sent: after a lost connection nothing else tells whether it ran.
    Raises ModuleError, and RefusedError where statements that are done were changed.
    """
    statements = parse(module.text, module.path)
    done, effect, begun = 0, CatalogChange(), False
    if resumable:
        with session.transaction(connection):
            if not read_identity(connection):
                create_ledger(connection, session.program)
            done, effect, begun = _load_resume_point(connection, session, module, statements)
    before = read_with_settings(connection)
    for number, statement in enumerate(statements[done:], done):
        outside = needs_no_transaction(statement)
        if outside:
            if resumable:
                with session.transaction(connection):
                    _save_resume_point(connection, session, module, statements[:number], effect, begun=True)
            before = _run_outside_transaction(
                connection, session, module, statement, number=number, before=before, again=begun and number == done
            )
        with session.transaction(connection):
            if not outside:
                text = module.text[statement.start : statement.end]
                run_text(connection, session, module, text, first=number)
                check_deferred(connection, session, module, then=session.settings(connection))
                revoke_granted_by_default(connection, session.private_schemas)
            earlier, before = before, read_with_unnamed(connection, session.target)
            change = catalog_change_between(earlier, before)
            refuse_stack_privileges(module, change)
            effect = combined_effect(effect, change)
            if resumable:
                _save_resume_point(connection, session, module, statements[: number + 1], effect)
    with session.transaction(connection):
        end_module(connection, session, module)
    return effect


def _run_outside_transaction(
    connection: Connection,
    session: Session,
    module: Module,
    statement: Statement,
    *,
    number: int,
    before: Catalog,
    again: bool,
) -> Catalog:
    """Run one statement outside a transaction, and return the catalog to compare the next reading with.

    `again` says that an earlier run began the statement. The returned catalog is then that from before the earlier run,
    so that the module owns what the statement did. An index that the earlier run left invalid is dropped and built
    again (manual, CREATE INDEX, Building Indexes Concurrently); a valid index, or one already dropped, is done.
    """
    text = module.text[statement.start : statement.end]
    with session_role(connection, session.owner, session.lock_timeout, session.statement_timeout):
        if again and statement.kind == "index_stmt":
            name = _qualified_name(connection, statement.tree.relation.schemaname, statement.tree.idxname)
            index = ObjectId("index", name)
            before = Catalog({identity: text for identity, text in before.objects.items() if identity != index})
            row = connection.execute(_INDEX_IS_VALID, (name,)).fetchone()
            if row == (True,):
                return before
            if row:
                session.tell(f"index {name} was left invalid by an earlier run and is built again")
                connection.execute(f"DROP INDEX CONCURRENTLY {name}".encode())
        try:
            run_text(connection, session, module, text, first=number)
        except ModuleError as error:
            if not (again and statement.kind == "drop_stmt" and error.sqlstate in UNDEFINED_STATES):
                raise
            names = [[part.string.sval for part in name.list.items] for name in statement.tree.objects]
            dropped = [_qualified_name(connection, *(["", *parts][-2:])) for parts in names]
            before = Catalog({**before.objects, **{ObjectId("index", name): "" for name in dropped}})
    return before


def _qualified_name(connection: Connection, schema: str, name: str) -> str:
    """Return a name with its schema, each quoted where SQL needs it, as the catalog reader writes it."""
    row: tuple[Any, ...] | None = connection.execute(
        "SELECT format('%%I.%%I', %s::text, %s::text)", (schema or "public", name)
    ).fetchone()
    return str(row[0]) if row else ""


def _load_resume_point(
    connection: Connection, session: Session, module: Module, statements: list[Statement]
) -> ResumePoint:
    """Return where an earlier run stopped, in the current transaction.

    If the statements that are done were changed in the file, RefusedError is raised in a persistent stack; in an
    ephemeral one what they created is dropped, and the module starts from its first statement.
    """
    row = connection.execute(
        "SELECT done, statements_digest, objects, begun FROM sqlmodule.resume WHERE module = %s",
        (session.program.row(module.name),),
    ).fetchone()
    if row is None:
        return ResumePoint(0, CatalogChange(), begun=False)
    done, digest, objects, begun = row
    effect = CatalogChange.of_json(objects)
    if done <= len(statements) and digest == _digest_of_first(module, statements[:done]):
        return ResumePoint(done, effect, begun=begun)
    place = f"{module.path} in {session.place}"
    if session.lifecycle is Lifecycle.PERSISTENT:
        raise RefusedError(
            f"an earlier run completed the first {done} of its statements, and the file has different ones there now",
            place=place,
            remedy="revert that change, or drop what they created and delete the module's row from sqlmodule.resume",
        )
    others = makers((entry.module, entry.effect) for entry in ledger.read_entries(connection))
    drop_objects(connection, created_objects(effect), place=place, made_by=others, tell=session.tell)
    ledger.delete_entries(connection, [module.name], session.program)
    return ResumePoint(0, CatalogChange(), begun=False)


def _save_resume_point(
    connection: Connection,
    session: Session,
    module: Module,
    done: list[Statement],
    effect: CatalogChange,
    *,
    begun: bool = False,
) -> None:
    ledger.record_progress(
        connection,
        session.program.row(module.name),
        done=len(done),
        digest=_digest_of_first(module, done),
        effect=effect,
        begun=begun,
    )


def _digest_of_first(module: Module, statements: list[Statement]) -> str:
    """Return the digest of a module's first statements, given those."""
    return statements_digest(module.text[: statements[-1].end] if statements else "")


def combined_effect(earlier: CatalogChange, later: CatalogChange) -> CatalogChange:
    """Return what two parts of a module did together: what the first created is not changed by the second."""
    created = earlier.objects.keys() - earlier.changed
    return CatalogChange({**earlier.objects, **later.objects}, earlier.changed | (later.changed - created))

"""Which statements of the released code would fail on the new schema: the models' own, and further queries.

Code is deployed after the schema, or before it is everywhere: for a while the old code runs on the new schema. PREPARE
resolves tables, columns and types, and reads no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from sqlalchemy import and_, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import CompileError

from infra.errors import InfraError, ModuleError
from infra.folder.modules_yaml import read_folder_settings
from infra.generate.imported_models import full_name, import_models
from infra.modules.statements import cut_at_semicolons
from infra.postgres.apply.module_effects import run_on_scratch
from infra.postgres.apply.revision_effects import scratch_of
from infra.postgres.connection.connect import connect
from infra.review.base_version import write_tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Table

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

_REQUIRED = """
SELECT n.nspname || '.' || c.relname, a.attname::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = ''
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'sqlmodule')
"""
_SHOWN = 100
"""How many characters of a statement are its name."""
_DIALECT = PGDialect_asyncpg()
"""It writes parameters as PREPARE has them, each with its type."""


@dataclass(frozen=True)
class ReleasedQuery:
    """A statement of the released code; an INSERT into `table` writes `columns`."""

    name: str
    sql: str
    table: str = ""
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BrokenQuery:
    """A statement that fails on the new schema, and why."""

    name: str
    sql: str
    cause: str


@dataclass(frozen=True)
class ReleasedCode:
    """The statements of the released code that fail on the new schema, or why none was tried."""

    broken: tuple[BrokenQuery, ...] = ()
    not_tried: str = ""


def try_released_code(
    session: Session, root: Path, commit: str, directory: str, further: Sequence[ReleasedQuery]
) -> ReleasedCode:
    """Prepare the statements of a commit's code that run on its schema on that of the new modules.

    `session` is that of a database with the commit's schema, and has the directory of the new modules; `further`
    are those besides the statements of its models.
    """
    try:
        released = [*_queries_of_models(root, commit, directory), *further]
    except InfraError as error:
        return ReleasedCode(not_tried=str(error))
    if not released:
        return ReleasedCode()
    with connect(session.target, autocommit=True) as connection:
        connection.execute(sql.SQL("SET ROLE {}; SET search_path = public").format(sql.Identifier(session.owner)))
        working = [query for query in released if not _cause(connection, query)]
    try:
        with scratch_of(session) as (connection, scratch):
            for module in session.read_modules():
                run_on_scratch(connection, scratch, module, seconds=session.statement_timeout)
            role = sql.SQL("SET ROLE {}; SET search_path = public").format(sql.Identifier(scratch.owner))
            connection.execute(role)
            required = [(str(table), str(column)) for table, column in connection.execute(_REQUIRED)]
            causes = [(query, _cause(connection, query) or _lacking(query, required)) for query in working]
            connection.execute("RESET ROLE; RESET search_path")
    except ModuleError:  # the plan says which module fails
        return ReleasedCode()
    return ReleasedCode(tuple(BrokenQuery(query.name, query.sql, cause) for query, cause in causes if cause))


def _queries_of_models(root: Path, commit: str, directory: str) -> list[ReleasedQuery]:
    """Return what the models of a commit send: for each table select, insert, update and delete."""
    with TemporaryDirectory(prefix="released-") as temporary:
        tree = Path(temporary)
        write_tree_of(commit, root=root, into=tree)
        if not (tree / directory).is_dir():
            return []
        settings = read_folder_settings(tree / directory)
        if not settings.models:
            return []
        paths = [str(tree / path) for path in (".", *settings.python_path)]
        found = import_models(settings.models, python_path=paths, hand_written=settings.hand_written)
        return [query for table in found.declarations for query in _queries_of(table)]


def _queries_of(table: Table) -> Iterator[ReleasedQuery]:
    name = full_name(table)
    where = and_(*(column == bindparam(f"key_{column.name}", type_=column.type) for column in table.primary_key))
    statements = {
        f"select from {name}": select(table),
        f"insert into {name}": insert(table),
        f"update {name}": update(table).where(where),
        f"delete from {name}": delete(table).where(where),
    }
    columns = frozenset(column.name for column in table.columns)
    for title, statement in statements.items():
        try:
            text = str(statement.compile(dialect=_DIALECT))
        except CompileError:
            continue
        is_insert = title.startswith("insert")
        qualified = name if table.schema else f"public.{name}"
        yield ReleasedQuery(title, text, qualified if is_insert else "", columns)


def further_queries(path: Path | None, sent: Mapping[str, str]) -> list[ReleasedQuery]:
    """Return the statements of a file, and those that were sent, each to a database; raises InfraError for the file."""
    return [*_queries_in(path), *(_sent_query(text, place) for text, place in sent.items())]


def _queries_in(path: Path | None) -> list[ReleasedQuery]:
    if path is None:
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InfraError(f"cannot be read ({error.strerror})", place=str(path), remedy="name another file") from None
    cuts = list(cut_at_semicolons(text))
    lines = [text.count("\n", 0, start) + 1 for start, _ in cuts]
    return [
        ReleasedQuery(f"{path}:{line}", text[start:end].rstrip("; \n"))
        for line, (start, end) in zip(lines, cuts, strict=True)
    ]


def _sent_query(text: str, place: str) -> ReleasedQuery:
    return ReleasedQuery(f"{place}, {shorten(text, _SHOWN, placeholder=' …')}", text)


def _cause(connection: Connection, query: ReleasedQuery) -> str:
    """Return why a statement cannot be prepared, '' where it can."""
    try:
        connection.execute(f"PREPARE released AS {query.sql}".encode())
    except psycopg.Error as error:
        return f"{error.diag.message_primary} [{error.sqlstate}]"
    connection.execute("DEALLOCATE released")
    return ""


def _lacking(query: ReleasedQuery, required: Sequence[tuple[str, str]]) -> str:
    """Return which columns an INSERT does not write that are NOT NULL and have no default."""
    names = [column for table, column in required if table == query.table and column not in query.columns]
    return f"it does not write {', '.join(names)}, which may not be null and has no default" if names else ""

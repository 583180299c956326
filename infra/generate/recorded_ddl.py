"""What `create_all` would execute for models, recorded without a server: the statements in their order."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, Table, event
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from infra.errors import InfraError
from infra.generate.ddl_compiler import table_prefixes
from infra.generate.module_imports import innermost_place, place_of_caller
from infra.modules.generated_names import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy.engine import Dialect

    from infra.generate.imported_models import ImportedModels


@dataclass(frozen=True)
class RecordedStatement:
    """One statement: SQLAlchemy's element or text, and whether it comes before the table or metadata it is about.

    `place` is the line of the listener that executes it, or of the table whose listener is DDL; '' for the rest.
    """

    element: Any
    before: bool
    place: str


class _RecordingConnection(MockConnection):
    """A connection that records what it is asked to execute; listeners of DDL events get it as well."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect, self._record)
        self.statements: list[RecordedStatement] = []
        self.before = True  # whether the listeners that run now are those for before_create
        self.place = ""  # of the table whose listeners run now

    def _record(self, element: object, _parameters: object = None) -> None:
        if isinstance(element, CreateTable):
            self.before = False
        place = place_of_caller(record_create_all.__name__) or self.place
        self.statements.append(RecordedStatement(element, self.before, place))

    def exec_driver_sql(self, statement: str, *_parameters: object) -> None:
        """Record a text, which listeners may execute beside elements."""
        self._record(statement)


def record_create_all(models: ImportedModels, dialect: Dialect) -> list[RecordedStatement]:
    """Return the statements of `create_all` for every metadata; raises InfraError for listeners that ask a database."""
    _require_valid(models)
    connection = _RecordingConnection(dialect)
    created = models.tables()
    with _noted_targets(connection, models):
        for metadata in models.metadata:
            tables = [table for table in metadata.tables.values() if table in created]
            _create_all(metadata, tables, connection, models)
    return connection.statements


def _create_all(
    metadata: MetaData, tables: list[Table], connection: _RecordingConnection, models: ImportedModels
) -> None:
    try:
        metadata.create_all(connection, tables=tables, checkfirst=False)  # pyright: ignore[reportArgumentType]
    except SQLAlchemyError as error:
        message = str(error).partition("\n")[0]
        raise InfraError(
            f"the models cannot be created: {message}", place=", ".join(models.names), remedy="correct the models"
        ) from None
    except Exception as error:  # noqa: BLE001 (whatever a listener raises)
        raise InfraError(
            f"a listener of a DDL event cannot run without a database: {type(error).__name__}: {error}",
            place=innermost_place(error, ", ".join(models.names)),
            remedy="write what it creates in a hand-written module, and remove the listener",
        ) from None


@contextmanager
def _noted_targets(connection: _RecordingConnection, models: ImportedModels) -> Generator[None]:
    """Set on a connection, for the block, whose listeners run: also those of the classes, which run first."""

    def note(target: MetaData | Table, *, before: bool) -> None:
        connection.before = before
        connection.place = str(models.declarations[target]) if isinstance(target, Table) else ""

    def note_beginning(target: MetaData | Table, *_arguments: object, **_options: object) -> None:
        note(target, before=True)

    def note_end(target: MetaData | Table, *_arguments: object, **_options: object) -> None:
        note(target, before=False)

    targets: tuple[Any, ...] = (MetaData, Table)
    for target in targets:
        event.listen(target, "before_create", note_beginning, insert=True)
        event.listen(target, "after_create", note_end, insert=True)
    try:
        yield
    finally:
        for target in targets:
            event.remove(target, "before_create", note_beginning)
            event.remove(target, "after_create", note_end)


def _require_valid(models: ImportedModels) -> None:
    """Raise InfraError, at the table, for what SQLAlchemy reports without a place, or PostgreSQL changes silently."""
    for table in models.tables():
        place = str(models.declarations[table])
        for name in filter(None, [table.schema, table.name, *(column.name for column in table.columns)]):
            if len(name.encode()) > LONGEST_NAME:
                what = f"the name {name} is longer than {LONGEST_NAME} bytes, and PostgreSQL would cut it"
                raise InfraError(what, place=place, remedy="shorten it")
        if "TEMP" in " ".join(table_prefixes(table)).upper():
            what = f"table {table.name} is temporary: it would end with the session that creates it"
            raise InfraError(what, place=place, remedy="create it where it is used, and leave it out of `models`")
        for index in (index for index in table.indexes if not index.expressions):
            what = f"index {index.name} of table {table.name} has no columns, which PostgreSQL refuses"
            raise InfraError(what, place=place, remedy="name its columns, or remove it")
        for key in table.foreign_keys:
            try:
                _ = key.column
            except SQLAlchemyError as error:
                message = str(error).partition("\n")[0]
                remedy = "correct the reference, or name the module of the other model in `models`"
                raise InfraError(message, place=place, remedy=remedy) from None

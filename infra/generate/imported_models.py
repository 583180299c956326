"""The models: the metadata of Python modules that are imported by name, and where each table is declared."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from inspect import currentframe
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Identity, MetaData, Sequence, Table, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.declarative import DeferredReflection
from sqlalchemy.orm import configure_mappers

from infra.errors import InfraError
from infra.generate.module_imports import first_in_path, import_with_submodules, imported_afresh, is_within, shown_path

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping
    from types import FrameType, ModuleType


@dataclass(frozen=True)
class Declaration:
    """Where a table is declared: the Python module that was being imported, its file, the line of the statement."""

    module: str
    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    def portable_path(self) -> str:
        """Return a path that is the same on every machine, also of models in an installed package."""
        return f"{self.module.replace('.', '/')}.py" if Path(self.path).is_absolute() else self.path


@dataclass(frozen=True)
class ImportedModels:
    """The tables that models declare, in the order of their declaration, and what they belong to."""

    names: tuple[str, ...]
    metadata: tuple[MetaData, ...]
    declarations: Mapping[Table, Declaration]  # of all tables, also of those that `hand_written` names
    hand_written: frozenset[Table] = frozenset()  # hand-written modules create them

    def tables(self) -> list[Table]:
        """Return the tables that generated modules create, in the order of their declaration."""
        return [table for table in self.declarations if table not in self.hand_written]


def import_models(
    names: Iterable[str], *, python_path: Iterable[str] = (), hand_written: Iterable[str] = (), identity: bool = True
) -> ImportedModels:
    """Import Python modules, packages with all their submodules, and return the models that they declare.

    With `identity` a primary key that SQLAlchemy numbers becomes an identity column. Raises InfraError for what cannot
    be imported, with the file and the line.
    """
    names = tuple(names)
    with _recorded_tables(names) as recorded, imported_afresh(names), first_in_path(python_path):
        modules = [module for name in names for module in import_with_submodules(name)]
        try:
            configure_mappers()  # extensions declare tables of their own then
        except SQLAlchemyError as error:
            raise InfraError(
                f"the models cannot be configured: {str(error).splitlines()[0]}",
                place=", ".join(names),
                remedy="correct them, or name all modules that they need in `models`",
            ) from None
    _require_mapped(recorded)
    named = [metadata for module in modules for metadata in _metadata_in(module)]
    chosen = dict.fromkeys(
        table.metadata
        for table, declaration in recorded.items()
        if table.metadata in named and is_within(declaration.module, names)
    )
    chosen |= dict.fromkeys(metadata for metadata in named if not metadata.tables and _creates(metadata))
    declarations = _ordered({table: place for table, place in recorded.items() if table.metadata in chosen})
    _require_distinct(declarations)
    models = ImportedModels(names, tuple(chosen), declarations, _tables_named(hand_written, declarations))
    if identity:
        _use_identity(models.tables())
    return models


def _require_mapped(tables: Mapping[Table, Declaration]) -> None:
    """Raise InfraError for a class that waits for a database to learn its columns, with the place of its table."""
    pending = [DeferredReflection]
    while pending:
        model = pending.pop()
        pending += model.__subclasses__()
        table = vars(model).get("__table__")
        if isinstance(table, Table) and table in tables and "__mapper__" not in vars(model):
            raise InfraError(
                f"the columns of {full_name(table)} are those that a database has (DeferredReflection)",
                place=str(tables[table]),
                remedy="declare them, or name in `models` only modules that do without",
            )


def _tables_named(names: Iterable[str], declarations: Mapping[Table, Declaration]) -> frozenset[Table]:
    tables = {full_name(table): table for table in declarations}
    if unknown := [name for name in names if name not in tables]:
        raise InfraError(
            f"no model declares {', '.join(unknown)}", place="`hand_written`", remedy="remove the name, or correct it"
        )
    return frozenset(tables[name] for name in names)


def full_name(table: Table) -> str:
    """Return the name of a table, with its schema if it has one; unquoted."""
    return f"{table.schema}.{table.name}" if table.schema else table.name


@contextmanager
def _recorded_tables(names: tuple[str, ...]) -> Generator[dict[Table, Declaration]]:
    """Yield the tables that are created within the block, each with the statement of a module that creates it."""
    recorded: dict[Table, Declaration] = {}
    unknown = Declaration(names[0], names[0], 0)

    def record(table: Table, _metadata: MetaData) -> None:
        recorded.setdefault(table, _declaration(currentframe()) or unknown)

    event.listen(Table, "after_parent_attach", record)
    try:
        yield recorded
    finally:
        event.remove(Table, "after_parent_attach", record)


def _declaration(frame: FrameType | None) -> Declaration | None:
    """Return the innermost statement at the top of a module that is being imported, None if there is none."""
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    if frame is None:
        return None
    return Declaration(str(frame.f_globals["__name__"]), shown_path(frame.f_code.co_filename), frame.f_lineno)


def _metadata_in(module: ModuleType) -> Iterator[MetaData]:
    """Yield what a module has a name for: a MetaData, or that of a declarative base, a registry or a model."""
    for value in list(vars(module).values()):
        metadata = None if isinstance(value, Table) else value
        if not isinstance(metadata, MetaData):
            with suppress(Exception):  # such as that of a proxy outside of its context
                metadata = getattr(metadata, "metadata", None)
        if isinstance(metadata, MetaData):
            yield metadata


def _creates(metadata: Any) -> bool:  # noqa: ANN401 (SQLAlchemy keeps sequences and listeners in private attributes)
    """Return whether a metadata has something beside tables: sequences, or what its types and listeners execute."""
    own_listeners = (*metadata.dispatch.before_create.listeners, *metadata.dispatch.after_create.listeners)
    return bool(metadata._sequences or own_listeners)  # noqa: SLF001


def _ordered(declarations: Mapping[Table, Declaration]) -> dict[Table, Declaration]:
    """Order tables by file and line: the order of imports would change with any import that somebody adds."""
    return dict(sorted(declarations.items(), key=lambda item: (item[1].module, item[1].line)))


def _require_distinct(declarations: Mapping[Table, Declaration]) -> None:
    """Raise InfraError for two tables of one name, in different metadata."""
    found: dict[str, Declaration] = {}
    for table, declaration in declarations.items():
        name = full_name(table).removeprefix("public.")
        if name in found:
            raise InfraError(
                f"table {name} is declared in {found[name]} as well",
                place=str(declaration),
                remedy="rename one of the two, or leave its module out of `models`",
            )
        found[name] = declaration


def _use_identity(tables: Iterable[Table]) -> None:
    """Make identity columns of the keys that SQLAlchemy would create as serial."""
    for table in tables:
        column = table.autoincrement_column
        if column is None or column.identity is not None or column.server_default is not None:
            continue
        if column.default is None or (isinstance(column.default, Sequence) and column.default.optional):
            Identity()._set_parent(column)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] (as Column does)

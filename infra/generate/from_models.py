"""The text of the SQL modules that create everything that the models declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKeyConstraint

from infra.errors import InfraError
from infra.generate import ddl
from infra.generate.first_rows import first_rows
from infra.generate.placement import Placement
from infra.generate.schema_text import created_schemas, schema_text
from infra.generate.table_modules import is_package, table_modules
from infra.modules.module import MODULE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Column, Table

    from infra.folder.modules_yaml import FolderSettings
    from infra.generate.imported_models import ImportedModels
    from infra.generate.schema_text import SchemaText, TableText
    from infra.generate.table_modules import TableModule
    from infra.modules.module import Module

# The second line of every generated file. A file without it was written by hand and is never removed.
WRITTEN_BY = "-- Written by `python -m infra generate` from"

FIRST, LAST = "ddl-first", "ddl-last"
"""The titles of the modules with what listeners of the models execute, before and after everything else."""

INDEXES = "Indexes, unique ones included: a group for each table"
CONSTRAINTS = "Constraints: unique ones first, then foreign keys"


def generate_modules(
    models: ImportedModels, settings: FolderSettings, hand_written: Sequence[Module]
) -> dict[str, str]:
    """Return the text of every generated module by file name, in their order; none of them is empty.

    First comes what listeners execute before everything else, then tables with their types, indexes, constraints, and
    what listeners execute after everything else. Raises InfraError for what cannot be written.
    """
    modules = table_modules(models, settings)
    text = schema_text(models)
    number = settings.first or _after_the_first(hand_written)
    earlier = [module.text for module in hand_written if module.number < number]
    schemas = set(text.schemas()) - created_schemas(earlier)
    placement = Placement(text, modules, models, schemas=schemas)
    sources = _sources(models)
    tables = [(table, text.tables[table]) for module in modules for table in module.tables]
    others = (_constraints(*table, foreign_keys=False) for table in tables)
    foreign_keys = (_constraints(*table, foreign_keys=True) for table in tables)
    parts = [
        (FIRST, _text("What the models execute before everything else.", sources, text.first)),
        *((module.title, _tables_text(module, text, placement)) for module in modules),
        (settings.indexes, _text(f"{INDEXES}.", sources, (_indexes(*table) for table in tables))),
        (settings.constraints, _text(f"{CONSTRAINTS}.", sources, [*others, *foreign_keys])),
        (LAST, _text("What the models execute after everything else.", sources, text.last)),
    ]
    written = [(title, part) for title, part in parts if part]
    files = {f"{number + index:02}-{title}.sql": part for index, (title, part) in enumerate(written)}
    _require_free_numbers(files, hand_written)
    return files


def _after_the_first(hand_written: Iterable[Module]) -> int:
    """Return the number after the hand-written modules that have the first numbers without a gap."""
    numbers = {module.number for module in hand_written}
    return next(number for number in range(1, len(numbers) + 2) if number not in numbers)


def _require_free_numbers(files: Iterable[str], hand_written: Iterable[Module]) -> None:
    generated = {int(match["number"]): name for name in files if (match := MODULE_NAME.fullmatch(name))}
    for module in hand_written:
        if module.number in generated:
            free = max(generated) + 1
            raise InfraError(
                f"has the number of {generated[module.number]}, which is generated",
                place=module.path,
                remedy=f"number hand-written modules below {min(generated):02} or from {free:02}, or set `first`",
            )


def _sources(models: ImportedModels) -> tuple[str, ...]:
    """Return the folders and files of the models, as the header of a module shows them."""
    return tuple(f"{name.replace('.', '/')}{'/' if is_package(name) else '.py'}" for name in models.names)


def _tables_text(module: TableModule, text: SchemaText, placement: Placement) -> str:
    # No IF NOT EXISTS: the ledger decides whether a module runs, and an existing table with another definition must be
    # an error. No blank line between a table and its comments, to keep a file of ten tables below 300 lines.
    created = [text.tables[table].create + ddl.comments(table, text.tables[table].key_name) for table in module.tables]
    return _text(
        module.creates, module.files, ["".join(placement.of(module)), *created, *map(first_rows, module.tables)]
    )


def _text(creates: str, sources: tuple[str, ...], groups: Iterable[str]) -> str:
    """Return the text of a module, '' for one without statements."""
    texts = list(filter(None, groups))
    header = f"-- {creates}\n{WRITTEN_BY} {' and '.join(sources)}; change it there, not here.\n"
    return "\n".join([header, *texts]) if texts else ""


def _indexes(table: Table, text: TableText) -> str:
    """Return the indexes of a table, in the order of the columns that they begin with."""
    indexes = sorted(text.indexes, key=lambda entry: (_ordinals(table, entry[0].columns), str(entry[0].name)))
    return "".join(statement for _, statement in indexes)


def _constraints(table: Table, text: TableText, *, foreign_keys: bool) -> str:
    """Return the foreign keys of a table, or its other constraints, in the order of their columns."""
    chosen = [
        constraint
        for constraint in text.constraints
        if isinstance(constraint.constraint, ForeignKeyConstraint) == foreign_keys
    ]
    chosen.sort(key=lambda entry: (_ordinals(table, getattr(entry.constraint, "columns", ())), entry.name))
    return "".join(ddl.alter_table_add(table, constraint) for constraint in chosen)


def _ordinals(table: Table, columns: Iterable[Column[Any]]) -> list[int]:
    """Return the positions of columns: SQLAlchemy has indexes in sets, whose order changes from run to run."""
    ordinals = {column.name: ordinal for ordinal, column in enumerate(table.columns)}
    return [ordinals[column.name] for column in columns]

"""The text of the SQL modules that create everything that the models declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKeyConstraint, Table

from infra.errors import InfraError
from infra.generate.ddl import alter_table_add, comments
from infra.generate.first_rows import first_rows
from infra.generate.listener_ddl import GeneratedStatement, slots
from infra.generate.placement import Placement
from infra.generate.schema_text import created_schemas, schema_text
from infra.generate.table_modules import is_package, table_modules
from infra.modules.module import MODULE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Column

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
    what listeners execute after everything else; what a table needs of that, or what needs one, is among the tables.
    Raises InfraError for what cannot be written.
    """
    modules = table_modules(models, settings)
    text = schema_text(models)
    number = settings.first or _after_the_first(hand_written)
    earlier = [module.text for module in hand_written if module.number < number]
    schemas = set(text.schemas()) - created_schemas(earlier)
    placement = Placement(text, modules, models, schemas=schemas)
    sources = _sources(models)
    statements = {module.title: [*placement.of(module), *_created(module, text)] for module in modules}
    ddl = _listener_ddl(text, [statement for module in modules for statement in statements[module.title]])
    last = sum(map(len, statements.values())) + 1
    tables = [(table, text.tables[table]) for module in modules for table in module.tables]
    others = (_constraints(*table, foreign_keys=False) for table in tables)
    foreign_keys = (_constraints(*table, foreign_keys=True) for table in tables)
    parts = [
        (FIRST, _text("What the models execute before everything else.", sources, ddl.get(0, ()))),
        *_tables_parts(modules, statements, ddl),
        (settings.indexes, _text(f"{INDEXES}.", sources, (_indexes(*table) for table in tables))),
        (settings.constraints, _text(f"{CONSTRAINTS}.", sources, [*others, *foreign_keys])),
        (LAST, _text("What the models execute after everything else.", sources, ddl.get(last, ()))),
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


def _created(module: TableModule, text: SchemaText) -> Iterable[GeneratedStatement]:
    """Yield the tables of a module, each with its comments.

    No IF NOT EXISTS: the ledger decides whether a module runs, and an existing table with another definition must be an
    error. No blank line between a table and its comments, to keep a file of ten tables below 300 lines.
    """
    for table in module.tables:
        of_table = text.tables[table]
        yield GeneratedStatement(table, of_table.create + comments(table, of_table.key_name), of_table.ordinal)


def _listener_ddl(text: SchemaText, statements: Sequence[GeneratedStatement]) -> dict[int, list[str]]:
    """Return what listeners execute by the number of generated statements that stand before it."""
    others = (
        statement
        for table, of_table in text.tables.items()
        for statement in (
            *of_table.indexes,
            *(
                GeneratedStatement(constraint, alter_table_add(table, constraint), of_table.ordinal)
                for constraint in of_table.constraints
            ),
        )
    )
    result: dict[int, list[str]] = {}
    for slot, statement in zip(slots(text.listeners, statements, others), text.listeners, strict=True):
        result.setdefault(slot, []).append(statement.text)
    return result


def _tables_parts(
    modules: Iterable[TableModule],
    statements: Mapping[str, Sequence[GeneratedStatement]],
    ddl: Mapping[int, Sequence[str]],
) -> Iterable[tuple[str, str]]:
    """Yield title and text of each module with tables: schemas, sequences and types are one group, each table one."""
    position = 0
    for module in modules:
        groups: list[str] = []
        preamble = False
        for statement in statements[module.title]:
            position += 1
            if preamble and not isinstance(statement.element, Table):
                groups[-1] += statement.text
            else:
                groups.append(statement.text)
            groups += ddl.get(position, ())
            preamble = not isinstance(statement.element, Table) and position not in ddl
        yield module.title, _text(module.creates, module.files, [*groups, *map(first_rows, module.tables)])


def _text(creates: str, sources: tuple[str, ...], groups: Iterable[str]) -> str:
    """Return the text of a module, '' for one without statements."""
    texts = list(filter(None, groups))
    header = f"-- {creates}\n{WRITTEN_BY} {' and '.join(sources)}; change it there, not here.\n"
    return "\n".join([header, *texts]) if texts else ""


def _indexes(table: Table, text: TableText) -> str:
    """Return the indexes of a table, in the order of the columns that they begin with."""
    indexes = sorted(text.indexes, key=lambda entry: (_ordinals(table, entry.element.columns), str(entry.element.name)))
    return "".join(entry.text for entry in indexes)


def _constraints(table: Table, text: TableText, *, foreign_keys: bool) -> str:
    """Return the foreign keys of a table, or its other constraints, in the order of their columns."""
    chosen = [
        constraint
        for constraint in text.constraints
        if isinstance(constraint.constraint, ForeignKeyConstraint) == foreign_keys
    ]
    chosen.sort(key=lambda entry: (_ordinals(table, getattr(entry.constraint, "columns", ())), entry.name))
    return "".join(alter_table_add(table, constraint) for constraint in chosen)


def _ordinals(table: Table, columns: Iterable[Column[Any]]) -> list[int]:
    """Return the positions of columns: SQLAlchemy has indexes in sets, whose order changes from run to run."""
    ordinals = {column.name: ordinal for ordinal, column in enumerate(table.columns)}
    return [ordinals[column.name] for column in columns]

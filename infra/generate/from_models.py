"""The text of the SQL modules that create the tables, indexes and constraints of the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.generate import ddl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import MetaData, Table

    from models.table_module import TableModule

# The second line of every generated file. A file without it was written by hand and is never removed.
WRITTEN_BY = "-- Written by `python -m infra generate` from"

INDEXES = "07-init-indexes.sql"
CONSTRAINTS = "08-init-constraints.sql"


def generate_modules(metadata: MetaData, modules: Mapping[str, TableModule]) -> dict[str, str]:
    """Return the text of every generated module by file name: tables in the order of modules, indexes, constraints.

    Raises InfraError for a table that is in no module, or in more than one.
    """
    _require_one_module_per_table(metadata, modules)
    tables = [table for module in modules.values() for table in module.tables]
    files = {f"{name}.sql": _tables_text(metadata, module) for name, module in modules.items()}
    files[INDEXES] = _indexes_text(tables)
    files[CONSTRAINTS] = _constraints_text(tables)
    return files


def _require_one_module_per_table(metadata: MetaData, modules: Mapping[str, TableModule]) -> None:
    names = [table.name for module in modules.values() for table in module.tables]
    if missing := [name for name in metadata.tables if name not in names]:
        raise InfraError(
            f"no SQL module creates {', '.join(sorted(missing))}",
            place="models/__init__.py",
            remedy="add the model to one of MODULES",
        )
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InfraError(
            f"more than one SQL module creates {', '.join(repeated)}",
            place="models/__init__.py",
            remedy="remove the model from all but one of MODULES",
        )


def _tables_text(metadata: MetaData, module: TableModule) -> str:
    # No IF NOT EXISTS: the ledger decides whether a module runs, and an existing table with another definition must be
    # an error. No blank line between a table and its comments, to keep a file of ten tables below 300 lines.
    parts = [_header(module.creates, from_files=module.files)]
    parts += [ddl.create_table(table) + ddl.comments(table) for table in module.tables]
    parts += [
        "-- Rows to start with; one that is there already, by its key, stays as it is.\n"
        + ddl.insert_missing_rows(metadata.tables[seed.table], seed)
        for seed in module.seeds
    ]
    return "\n".join(parts)


def _indexes_text(tables: list[Table]) -> str:
    header = _header("Indexes, unique ones included: a group for each table.", from_files=("models/",))
    return "\n".join([header, *filter(None, map(ddl.create_indexes, tables))])


def _constraints_text(tables: list[Table]) -> str:
    header = _header("Constraints: unique ones first, then foreign keys.", from_files=("models/",))
    others = [ddl.add_constraints(table, foreign_keys=False) for table in tables]
    foreign_keys = [ddl.add_constraints(table, foreign_keys=True) for table in tables]
    return "\n".join([header, *filter(None, others + foreign_keys)])


def _header(creates: str, *, from_files: tuple[str, ...]) -> str:
    return f"-- {creates}\n{WRITTEN_BY} {' and '.join(from_files)}; change it there, not here.\n"

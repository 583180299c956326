"""From the models to the text of the SQL modules that create their tables, indexes and constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.generate import ddl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import MetaData, Table

    from models.table_module import TableModule

# Every generated file says so in its second line; a file without these words is somebody's own and is never touched.
WRITTEN_BY = "-- Written by `python -m infra generate` from"

INDEXES = "07-init-indexes.sql"
CONSTRAINTS = "08-init-constraints.sql"


def generate_modules(metadata: MetaData, modules: Mapping[str, TableModule]) -> dict[str, str]:
    """Give the text of every generated module by file name: tables in the modules' order, then indexes, constraints."""
    _require_a_module_for_every_table(metadata, modules)
    tables = [table for module in modules.values() for table in module.tables]
    files = {f"{name}.sql": _tables_text(metadata, module) for name, module in modules.items()}
    files[INDEXES] = _indexes_text(tables)
    files[CONSTRAINTS] = _constraints_text(tables)
    return files


def _require_a_module_for_every_table(metadata: MetaData, modules: Mapping[str, TableModule]) -> None:
    placed = [table.name for module in modules.values() for table in module.tables]
    if missing := [name for name in metadata.tables if name not in placed]:
        raise InfraError(
            f"no SQL module creates {', '.join(sorted(missing))}",
            place="models/__init__.py",
            remedy="add the model to one of MODULES",
        )
    if twice := sorted({name for name in placed if placed.count(name) > 1}):
        raise InfraError(
            f"more than one SQL module creates {', '.join(twice)}",
            place="models/__init__.py",
            remedy="leave the model in one of MODULES",
        )


def _tables_text(metadata: MetaData, module: TableModule) -> str:
    # No IF NOT EXISTS: whether a module runs is the ledger's decision, and a table that fits by name alone hides drift.
    # No blank line between a table and its comments, so that ten tables fit into 300 lines.
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

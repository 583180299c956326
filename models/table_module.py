"""The content of one numbered SQL module, as the models declare it: tables in order, and their first rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table

from models.base import Base, JsonObject


@dataclass(frozen=True)
class SeedRows:
    """Rows that a fresh table starts with. A row whose `key` columns exist already is not changed."""

    table: str
    key: tuple[str, ...]
    rows: Sequence[Mapping[str, str | JsonObject]]  # all with the same columns, in the same order


@dataclass(frozen=True)
class TableModule:
    """The tables of one SQL module: a description, the files that declare them, and their first rows."""

    creates: str
    files: tuple[str, ...]
    tables: tuple[Table, ...]
    seeds: tuple[SeedRows, ...]


def table_module(creates: str, *models: type[Base], seeds: tuple[SeedRows, ...] = ()) -> TableModule:
    """Return the module that creates the tables of these models, in this order."""
    files = dict.fromkeys(f"{model.__module__.replace('.', '/')}.py" for model in models)
    tables = (Base.metadata.tables[model.__tablename__] for model in models)
    return TableModule(creates, tuple(files), tuple(tables), seeds)

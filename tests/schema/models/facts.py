"""A schema as facts, one value for each place and aspect, so that the catalog and the models can be compared whole."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import yaml
from sqlalchemy import ColumnDefault, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CheckConstraint, Column, DefaultClause, Index

from tests.schema.project import own_schema

if TYPE_CHECKING:
    from collections.abc import Callable

CATALOG = Path(__file__).parents[1] / "catalog.yaml"

# (place, aspect) -> what it is there, such as ("secrets.key", "type") -> "character varying"; absent means absent.
Facts = dict[tuple[str, str], str]

NONE = "none"


def catalog_modules() -> list[dict[str, Any]]:
    return yaml.safe_load(CATALOG.read_text(encoding="utf-8"))["modules"]


def catalog_tables() -> dict[str, dict[str, Any]]:
    return {table["name"]: table for module in catalog_modules() for table in module["tables"]}


def facts_of_catalog() -> Facts:
    facts: Facts = {}
    for module in catalog_modules():
        for position, table in enumerate(module["tables"]):
            name = table["name"]
            facts[name, "module"] = f"{module['module']}, table {position + 1}"
            facts[name, "columns"] = ", ".join(column["name"] for column in table["columns"])
            facts[name, "primary key"] = ", ".join(table["primary_key"])
            for column in table["columns"]:
                facts |= _facts_of_catalog_column(name, column)
            for key in table["foreign_keys"]:
                facts[name, f"foreign key {key['name']}"] = (
                    f"({', '.join(key['columns'])}) to {key['references']} on delete {key['on_delete']}"
                )
            for rule in table["unique"]:
                facts[name, f"unique {rule['name']}"] = f"{rule['form']} ({', '.join(rule['columns'])})"
            for index in table["indexes"]:
                unique = "unique " if index["unique"] else ""
                facts[name, f"index {index['name']}"] = f"{unique}{index['method']} ({', '.join(index['columns'])})"
            for check in table["checks"]:
                facts[name, f"check {check['name']}"] = str(check)
    return facts


def _facts_of_catalog_column(table: str, column: dict[str, Any]) -> Facts:
    place = f"{table}.{column['name']}"
    default = column["default"] or {"server": None, "orm": None}
    return {
        (place, "type"): column["type"],
        (place, "nullable"): str(column["nullable"]),
        (place, "server default"): NONE if default["server"] is None else str(default["server"]),
        (place, "ORM default"): NONE if default["orm"] is None else str(default["orm"]),
        (place, "on update"): column.get("on_update", NONE),
    }


def facts_of_models() -> Facts:
    facts: Facts = {}
    for module, content in own_schema().modules.items():
        for position, table in enumerate(content.tables):
            facts[table.name, "module"] = f"{module}, table {position + 1}"
            facts[table.name, "columns"] = ", ".join(column.name for column in table.columns)
            facts[table.name, "primary key"] = ", ".join(column.name for column in table.primary_key.columns)
            for column in table.columns:
                facts |= _facts_of_model_column(f"{table.name}.{column.name}", column)
            for index in table.indexes:
                facts |= _facts_of_index(table.name, index)
            facts |= _facts_of_constraints(table)
    return facts


def _facts_of_model_column(place: str, column: Column[Any]) -> Facts:
    sent = {event: _sent_value(argument) for event, argument in orm_defaults(column).items()}
    return {
        (place, "type"): type_of(column),
        (place, "nullable"): str(column.nullable),
        (place, "server default"): _server_default(column),
        (place, "ORM default"): sent.get("insert", NONE),
        (place, "on update"): f"ORM only: {sent['update']}" if "update" in sent else NONE,
    }


def _facts_of_index(table: str, index: Index) -> Facts:
    columns = ", ".join(column.name for column in index.columns)
    options: dict[str, Any] = dict(index.dialect_options["postgresql"])
    assert not any(options.values()), f"{index.name}: an option that facts do not show: {options}"
    if not index.unique:
        return {(table, f"index {index.name}"): f"btree ({columns})"}
    return {
        (table, f"index {index.name}"): f"unique btree ({columns})",
        (table, f"unique {index.name}"): f"unique index ({columns})",
    }


def _facts_of_constraints(table: Table) -> Facts:
    facts: Facts = {}
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            own = ", ".join(column.name for column in constraint.columns)
            target = ", ".join(element.target_fullname for element in constraint.elements)
            action = constraint.ondelete or "NO ACTION"
            facts[table.name, f"foreign key {constraint.name}"] = f"({own}) to {target} on delete {action}"
        elif isinstance(constraint, UniqueConstraint):
            own = ", ".join(column.name for column in constraint.columns)
            facts[table.name, f"unique {constraint.name}"] = f"constraint ({own})"
        elif isinstance(constraint, CheckConstraint):
            facts[table.name, f"check {constraint.name}"] = str(constraint.sqltext)
    return facts


def type_of(column: Column[Any]) -> str:
    """Return the type as PostgreSQL's format_type writes it."""
    compiled = column.type.compile(dialect=postgresql.dialect()).lower()
    return compiled.replace("varchar", "character varying").replace(", ", ",")


def orm_defaults(column: Column[Any]) -> dict[str, object]:
    """Return what the ORM sends by itself at an insert or update: a constant or a callable, as it was declared."""
    declared = {"insert": column.default, "update": column.onupdate}
    found = {event: default for event, default in declared.items() if default is not None}
    return {event: _argument(default) for event, default in found.items()}


def _argument(default: object) -> object:
    assert isinstance(default, ColumnDefault), default
    return default.arg


def _server_default(column: Column[Any]) -> str:
    if column.identity is not None:
        return "identity, always" if column.identity.always else "identity, by default"
    if column.server_default is None:
        return NONE
    assert isinstance(column.server_default, DefaultClause), column
    argument = column.server_default.arg
    text = argument if isinstance(argument, str) else str(argument.compile(dialect=postgresql.dialect()))
    return {"now()": "current transaction time", "true": "True"}.get(text, text)


def _sent_value(argument: object) -> str:
    """Return what the ORM sends: a constant as it is; a callable by two calls, which must not share an object."""
    if not callable(argument):
        assert isinstance(argument, (str, int, bool)), argument
        return str(argument)
    first, second = two_values(argument)
    if first in ({}, []):
        assert first is not second, "one object for all rows"
        return "empty object" if first == {} else "empty array"
    assert first != second, f"fixed at import: {first}"
    if isinstance(first, datetime):
        assert first.utcoffset() == timedelta(0), f"not in UTC: {first}"
        return "UTC time of the call"
    assert isinstance(first, str), first
    assert UUID(first).version == 4, first
    assert str(UUID(first)) == first
    return "new UUID4 as text"


def two_values(default: Callable[..., object]) -> tuple[object, object]:
    """Return what two calls of a default give, a moment apart; SQLAlchemy wraps each so that it takes a context."""
    first = default(None)
    time.sleep(0.001)
    return first, default(None)

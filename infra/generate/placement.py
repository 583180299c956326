"""Schemas, types and sequences, which no table declares: each is created by the first module that needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Sequence
from sqlalchemy.dialects.postgresql import DOMAIN, ENUM
from sqlalchemy.dialects.postgresql.named_types import CreateDomainType, CreateEnumType
from sqlalchemy.schema import CreateSequence
from sqlalchemy.types import TypeEngine

from infra.errors import InfraError
from infra.generate.ddl_compiler import DIALECT, quote_identifier, stored_name
from infra.generate.listener_ddl import GeneratedStatement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table
    from sqlalchemy.schema import ExecutableDDLElement

    from infra.generate.imported_models import ImportedModels
    from infra.generate.schema_text import SchemaText
    from infra.generate.table_modules import TableModule
    from infra.modules.tree import Name


class Placement:
    """The statements that each module begins with; `schemas` are those that have to be created."""

    def __init__(
        self, text: SchemaText, modules: list[TableModule], models: ImportedModels, *, schemas: set[str]
    ) -> None:
        self._statements: dict[str, list[GeneratedStatement]] = {}
        _require_equal_definitions(modules, models)
        users = _users_of_types(modules)
        tables = {table: module.title for module in modules for table in module.tables}
        first = modules[0].title
        created: list[tuple[str, GeneratedStatement]] = []  # with the title of its module
        for statement in text.sequences:
            column: Any = statement.element.column
            title = tables.get(column.table, first) if column is not None else first
            created.append((title, statement))
        created += [(users.get(_name(statement.element), first), statement) for statement in text.types]
        missing = set(schemas)
        for module in modules:
            needed = [
                stored_name(statement.element.schema or "") for title, statement in created if title == module.title
            ]
            needed += [stored_name(table.schema or "") for table in module.tables]
            own = [schema for schema in dict.fromkeys(needed) if schema in missing]
            missing.difference_update(own)
            self._statements[module.title] = [
                *(GeneratedStatement(None, f"CREATE SCHEMA {quote_identifier(schema)};\n", -1) for schema in own),
                *(statement for title, statement in created if title == module.title),
            ]

    def of(self, module: TableModule) -> list[GeneratedStatement]:
        """Return the statements before the tables of a module."""
        return self._statements[module.title]


def _users_of_types(modules: list[TableModule]) -> dict[Name, str]:
    """Return the title of the first module that uses each type."""
    users: dict[Name, str] = {}
    for module in modules:
        for table in module.tables:
            for column in table.columns:
                for type_ in _named_types(column.type):
                    users.setdefault(_name(type_), module.title)
    return users


def _require_equal_definitions(modules: list[TableModule], models: ImportedModels) -> None:
    """Raise InfraError for two types or sequences of one name: `create_all` silently creates one of them."""
    found: dict[tuple[str, Name], tuple[str, Table]] = {}
    for table in (table for module in modules for table in module.tables):
        for column in table.columns:
            created: list[tuple[Any, ExecutableDDLElement]] = [
                (type_, CreateDomainType(type_) if isinstance(type_, DOMAIN) else CreateEnumType(type_))
                for type_ in _named_types(column.type)
                if type_.create_type
            ]
            if isinstance(column.default, Sequence):
                created.append((column.default, CreateSequence(column.default)))
            for item, statement in created:
                kind = "sequence" if isinstance(item, Sequence) else "type"
                definition = str(statement.compile(dialect=DIALECT))
                before, other = found.setdefault((kind, _name(item)), (definition, table))
                if before != definition:
                    raise InfraError(
                        f"{kind} {item.name} has another definition than in {models.declarations[other]}",
                        place=str(models.declarations[table]),
                        remedy="declare it once, or give one of the two another name",
                    )


def _name(item: Any) -> Name:  # noqa: ANN401 (an ENUM, a DOMAIN or a Sequence)
    return stored_name(item.schema or ""), stored_name(item.name)


def _named_types(type_: TypeEngine[Any]) -> Iterator[Any]:
    """Yield the types in a type that have to be created: enums and domains, also those of a domain or an array."""
    implementation: Any = type_.dialect_impl(DIALECT)
    if isinstance(implementation, (ENUM, DOMAIN)):
        yield implementation
    for inner in ("impl_instance", "item_type", "data_type"):  # of a TypeDecorator, an array, a domain
        if isinstance(getattr(implementation, inner, None), TypeEngine):
            yield from _named_types(getattr(implementation, inner))

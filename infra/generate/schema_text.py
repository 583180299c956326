"""The SQL text of everything that models create, by table; nothing of what `create_all` would execute is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, Table
from sqlalchemy.dialects.postgresql import named_types
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import (
    AddConstraint,
    CreateIndex,
    CreateSequence,
    CreateTable,
    SetColumnComment,
    SetConstraintComment,
    SetTableComment,
)

from infra.errors import InfraError
from infra.generate.ddl_compiler import DIALECT, ModuleCompiler, stored_name
from infra.generate.default_names import DefaultNames
from infra.generate.listener_ddl import GeneratedStatement, ListenerDdl
from infra.generate.recorded_ddl import record_create_all
from infra.modules.statements import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.generate.ddl_compiler import ConstraintText
    from infra.generate.imported_models import Declaration, ImportedModels
    from infra.generate.recorded_ddl import RecordedStatement

_COMMENTS = (SetTableComment, SetColumnComment, SetConstraintComment)  # written from the tables themselves
_TYPES = (named_types.CreateEnumType, named_types.CreateDomainType)


@dataclass
class TableText:
    """The statements of one table: CREATE TABLE, the name of its primary key, and what other modules add to it.

    `ordinal` is the position of CREATE TABLE in `create_all`.
    """

    create: str = ""
    ordinal: int = 0
    key_name: str = ""
    constraints: list[ConstraintText] = field(default_factory=list["ConstraintText"])
    indexes: list[GeneratedStatement] = field(default_factory=list[GeneratedStatement])


@dataclass
class SchemaText:
    """The statements of all models, and what their listeners execute."""

    tables: dict[Table, TableText] = field(default_factory=dict[Table, TableText])
    types: list[GeneratedStatement] = field(default_factory=list[GeneratedStatement])
    sequences: list[GeneratedStatement] = field(default_factory=list[GeneratedStatement])
    listeners: list[ListenerDdl] = field(default_factory=list[ListenerDdl])

    def schemas(self) -> list[str]:
        """Return the schemas that have to be created before everything is, in the order of their names."""
        items: list[Any] = [*self.tables, *(created.element for created in (*self.types, *self.sequences))]
        by_listeners = created_schemas(statement.text for statement in self.listeners)
        return sorted({stored_name(item.schema) for item in items if item.schema} - {"public"} - by_listeners)


def created_schemas(texts: Iterable[str]) -> set[str]:
    """Return the names of the schemas that SQL texts create."""
    statements = (statement for text in texts if "schema" in text.lower() for statement in parse(text, ""))
    return {statement.tree.schemaname for statement in statements if statement.kind == "create_schema_stmt"}


def schema_text(models: ImportedModels) -> SchemaText:
    """Return the SQL text of everything that models create; raises InfraError for what PostgreSQL has not."""
    text = SchemaText({table: TableText() for table in models.tables()})
    names = DefaultNames()
    created: set[str] = set()
    for ordinal, statement in enumerate(record_create_all(models, DIALECT)):
        element: Any = statement.element
        if isinstance(element, _COMMENTS):
            continue
        compiled = _compile(statement, models)
        if isinstance(element, CreateTable):
            table: Table = element.element
            names.add_relation(table.schema, table.name)
            names.add_relation(table.schema, compiled.key_name)
            text.tables[table].create = f"{compiled.string};\n"
            text.tables[table].ordinal = ordinal
            text.tables[table].key_name = compiled.key_name
            text.tables[table].constraints += names.named(table, compiled.constraints)
        elif isinstance(element, AddConstraint) and compiled.constraints:
            table = element.element.table
            text.tables[table].constraints += names.named(table, compiled.constraints)
        elif isinstance(element, CreateIndex) and element.element.table in text.tables:
            index: Index = element.element
            names.add_relation(index.table.schema, str(index.name))  # pyright: ignore[reportOptionalMemberAccess]
            created_index = GeneratedStatement(index, f"{compiled.string};\n", ordinal)
            text.tables[index.table].indexes.append(created_index)  # pyright: ignore[reportArgumentType]
        elif isinstance(element, (*_TYPES, CreateSequence)) and compiled.string in created:
            continue  # of another metadata, for which create_all finds it created
        elif isinstance(element, _TYPES):
            created.add(compiled.string)
            text.types.append(GeneratedStatement(statement.element.element, f"{compiled.string};\n", ordinal))
        elif isinstance(element, CreateSequence):
            created.add(compiled.string)
            names.add_relation(element.element.schema, element.element.name)
            text.sequences.append(GeneratedStatement(element.element, f"{compiled.string};\n", ordinal))
        else:
            place = statement.place or ", ".join(models.names)
            text.listeners.append(ListenerDdl(_terminated(compiled.string), ordinal, statement.before, place))
    return text


@dataclass(frozen=True)
class _Compiled:
    string: str
    constraints: list[ConstraintText] = field(default_factory=list["ConstraintText"])
    key_name: str = ""


def _compile(statement: RecordedStatement, models: ImportedModels) -> _Compiled:
    element: Any = statement.element
    if isinstance(element, str):
        return _Compiled(element)
    try:
        compiled = element.compile(dialect=DIALECT)
    except Exception as error:  # noqa: BLE001 (types of the models may raise whatever they like)
        target = getattr(element, "element", None)
        table = target if isinstance(target, Table) else getattr(target, "table", None)
        declaration: Declaration | None = models.declarations.get(table) if isinstance(table, Table) else None
        message = str(error).partition("\n")[0]
        name = "" if isinstance(error, SQLAlchemyError) else f"{type(error).__name__}: "
        raise InfraError(
            f"cannot be written for PostgreSQL: {name}{message}",
            place=str(declaration or statement.place or ", ".join(models.names)),
            remedy="correct the model",
        ) from None
    if isinstance(compiled, ModuleCompiler):
        return _Compiled(compiled.string.strip(), compiled.constraints, compiled.key_name)
    if compiled.params:
        raise InfraError(
            f"a listener executes a statement with parameters: {compiled.string}",
            place=statement.place or ", ".join(models.names),
            remedy="write its values as constants, or its rows in a hand-written module",
        )
    return _Compiled(compiled.string.strip())


def _terminated(statement: str) -> str:
    return f"{statement.strip().rstrip(';')};\n"

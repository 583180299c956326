"""Types of columns as the parser reads them, and as messages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.modules.tree import constant, node, qualified_name, strings

if TYPE_CHECKING:
    from infra.modules.tree import Tree

SQL_TYPE_NAMES = {
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "bool": "boolean",
    "bpchar": "char",
    "float8": "double precision",
    "float4": "real",
}
"""The names in standard SQL of types that the parser calls by PostgreSQL's internal names."""


@dataclass(frozen=True)
class ColumnType:
    """A type as the parser reads it: PostgreSQL's internal name, what stands in parentheses, how many dimensions."""

    schema: str
    name: str
    modifiers: tuple[str, ...] = ()
    dimensions: int = 0

    def __str__(self) -> str:
        modifiers = f"({', '.join(self.modifiers)})" if self.modifiers else ""
        schema = "" if self.schema in {"", "pg_catalog", "public"} else f"{self.schema}."
        return f"{schema}{SQL_TYPE_NAMES.get(self.name, self.name)}{modifiers}{'[]' * self.dimensions}"


def read_column_type(type_name: Tree) -> ColumnType:
    """Read the parser's TypeName; a modifier that is neither an integer nor a string is shown as `…`."""
    schema, name = qualified_name(strings(type_name.names))
    modifiers: list[str] = []
    for modifier in type_name.typmods:
        kind, value = node(modifier)
        if kind == "a_const" and value.HasField("ival"):
            modifiers.append(str(value.ival.ival))
        else:
            modifiers.append(constant(modifier) or "…")
    return ColumnType(schema, name, tuple(modifiers), len(type_name.array_bounds))

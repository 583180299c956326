"""SQL text of tables, comments, indexes, constraints and first rows, formatted for people to read."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING

from sqlalchemy import Constraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Column

    from models.base import JsonObject
    from models.table_module import SeedRows

DIALECT = postgresql.dialect(paramstyle="named")  # the style that leaves percent signs alone
# For parts of statements: SQLAlchemy itself passes None here, though the annotation requires a whole statement.
COMPILER = DIALECT.ddl_compiler(DIALECT, None)  # pyright: ignore[reportArgumentType]

INDENT = "    "
LITERAL_WIDTH = 104  # characters of a constant in one line; the rest is continued in the next line


def quote_identifier(identifier: str) -> str:
    """Return an identifier as SQL writes it: in quotes only where PostgreSQL needs them."""
    return DIALECT.identifier_preparer.quote(identifier)


def literal(text: str) -> str:
    """Return a string constant, as standard_conforming_strings reads it (PostgreSQL manual, 4.1.2.1)."""
    return "'" + text.replace("'", "''") + "'"


def create_table(table: Table) -> str:
    """Return CREATE TABLE with its primary key, aligned in three columns: name, type, everything else."""
    names = [quote_identifier(column.name) for column in table.columns]
    types = [_type_name(column) for column in table.columns]
    rests = [_column_rest(column) for column in table.columns]
    lines = [
        f"{name:{_width(names)}} {type_name:{_width(types)}} {rest}".rstrip()
        for name, type_name, rest in zip(names, types, rests, strict=True)
    ]
    if table.primary_key.columns:
        lines.append(str(COMPILER.process(table.primary_key)))
    body = ",\n".join(INDENT + line for line in lines)
    return f"CREATE TABLE {_table_name(table)} (\n{body}\n);\n"


def comments(table: Table) -> str:
    """Return COMMENT ON for the table and for each column, where the model has a comment."""
    on_columns = [(f"{_table_name(table)}.{quote_identifier(column.name)}", column.comment) for column in table.columns]
    width = _width(name for name, _ in on_columns)
    lines = [f"COMMENT ON TABLE {_table_name(table)} IS {literal(table.comment)};\n"] if table.comment else []
    lines += [f"COMMENT ON COLUMN {name:{width}} IS {literal(text)};\n" for name, text in on_columns if text]
    return "".join(lines)


def create_indexes(table: Table) -> str:
    """Return CREATE INDEX for each index of the table, in the order of the columns that they begin with."""
    indexes = sorted(table.indexes, key=lambda index: _sort_key(table, index))
    return "".join(f"{CreateIndex(index).compile(dialect=DIALECT)};\n" for index in indexes)


def add_constraints(table: Table, *, foreign_keys: bool) -> str:
    """Return ALTER TABLE … ADD CONSTRAINT for each foreign key, or for all other constraints but the primary key."""
    constraints = [
        constraint
        for constraint in table.constraints
        if isinstance(constraint, ForeignKeyConstraint) == foreign_keys
        and not isinstance(constraint, PrimaryKeyConstraint)
    ]
    constraints.sort(key=lambda constraint: _sort_key(table, constraint))
    return "".join(
        f"ALTER TABLE {_table_name(table)}\n{INDENT}ADD {_definition(constraint)};\n" for constraint in constraints
    )


def insert_missing_rows(table: Table, seed: SeedRows) -> str:
    """Return an INSERT of the rows whose key is missing.

    It is not ON CONFLICT, which needs a unique constraint: constraints are created by a later module. Rows are inserted
    in the order of their key, so that identity columns number them alike in every database.
    """
    columns = list(seed.rows[0])
    target = f"{_table_name(table)} ({', '.join(map(quote_identifier, columns))})"
    same_key = " AND ".join(
        f"present.{quote_identifier(column)} = seed.{quote_identifier(column)}" for column in seed.key
    )
    rows = ",\n".join(
        f"{INDENT}(\n"
        + ",\n".join(_indented(_value(row[column], table.columns[column]), 2) for column in columns)
        + f"\n{INDENT})"
        for row in seed.rows
    )
    return (
        f"INSERT INTO {target}\n"
        f"SELECT seed.*\n"
        f"FROM (\n"
        f"{INDENT}VALUES\n"
        f"{rows}\n"
        f") AS seed ({', '.join(map(quote_identifier, columns))})\n"
        f"WHERE NOT EXISTS (\n"
        f"{INDENT}SELECT FROM {_table_name(table)} AS present\n"
        f"{INDENT}WHERE {same_key}\n"
        f")\n"
        f"ORDER BY {', '.join(f'seed.{quote_identifier(column)}' for column in seed.key)};\n"
    )


def _table_name(table: Table) -> str:
    return DIALECT.identifier_preparer.format_table(table)


def _width(texts: Iterable[str]) -> int:
    return max(map(len, texts))


def _indented(text: str, depth: int) -> str:
    return textwrap.indent(text, INDENT * depth)


def _type_name(column: Column[object]) -> str:
    compiled = column.type.compile(dialect=DIALECT)
    if '"' in compiled:  # a quoted collation or type keeps its case
        return compiled
    return compiled.lower().replace("timestamp with time zone", "timestamptz")


def _column_rest(column: Column[object]) -> str:
    default = COMPILER.get_column_default_string(column)
    parts = [
        "" if column.nullable else "NOT NULL",
        f"DEFAULT {default}" if default is not None and not column.computed else "",
        str(COMPILER.process(column.identity)) if column.identity else "",
        str(COMPILER.process(column.computed)) if column.computed else "",
    ]
    return " ".join(filter(None, parts))


def _sort_key(table: Table, item: Index | Constraint) -> tuple[list[int], str]:
    """Return a sort key: SQLAlchemy has indexes and constraints in sets, whose order changes from run to run."""
    ordinals = {column.name: ordinal for ordinal, column in enumerate(table.columns)}
    columns = item.columns if isinstance(item, Index) else getattr(item, "columns", ())
    return [ordinals[column.name] for column in columns], str(item.name)


def _definition(constraint: Constraint) -> str:
    """Return CONSTRAINT with name and definition; a foreign key is on a line of its own, always with its ON DELETE."""
    if not isinstance(constraint, ForeignKeyConstraint):
        return str(COMPILER.process(constraint))
    own = ", ".join(quote_identifier(column.name) for column in constraint.columns)
    referred = ", ".join(quote_identifier(element.column.name) for element in constraint.elements)
    parts = [
        f"CONSTRAINT {quote_identifier(str(constraint.name))}\n{INDENT}FOREIGN KEY ({own})",
        f"REFERENCES {_table_name(constraint.referred_table)} ({referred})",
        f"ON DELETE {constraint.ondelete or 'NO ACTION'}",
        f"ON UPDATE {constraint.onupdate}" if constraint.onupdate else "",
        COMPILER.define_constraint_deferrability(constraint).strip(),
    ]
    return " ".join(filter(None, parts))


def _value(value: str | JsonObject, column: Column[object]) -> str:
    """Return a constant, with a cast if it is not text; a long one continues on further lines (manual, 4.1.2.1)."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    cast = "" if isinstance(value, str) else f"::{_type_name(column)}"
    return "\n".join(map(literal, _pieces(text))) + cast


def _pieces(text: str) -> list[str]:
    """Split a text after spaces into pieces that fit into a line; joined, they are the text again."""
    pieces = [""]
    for word in re.findall(r"\S*\s*", text):
        if len(pieces[-1] + word.rstrip()) > LITERAL_WIDTH:
            pieces.append("")
        pieces[-1] += word
    return pieces

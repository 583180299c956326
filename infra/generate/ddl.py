"""SQL text of comments, constraints and first rows, formatted for people to read."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Enum, String, Table
from sqlalchemy import literal as literal_value

from infra.generate.ddl_compiler import DIALECT, INDENT, lower_type, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Column, Constraint

    from infra.generate.ddl_compiler import ConstraintText

LITERAL_WIDTH = 104  # characters of a constant in one line; the rest is continued in the next line


def literal(text: str) -> str:
    """Return a string constant, as standard_conforming_strings reads it (PostgreSQL manual, 4.1.2.1)."""
    return "'" + text.replace("'", "''") + "'"


def comments(table: Table, key_name: str) -> str:
    """Return COMMENT ON for the table, each column and the primary key, where the model has a comment."""
    name = table_name(table)
    on_columns = [(f"{name}.{quote_identifier(column.name)}", column.comment) for column in table.columns]
    width = max((len(column) for column, _ in on_columns), default=0)
    lines = [f"COMMENT ON TABLE {name} IS {literal(table.comment)};\n"] if table.comment else []
    lines += [f"COMMENT ON COLUMN {name:{width}} IS {literal(text)};\n" for name, text in on_columns if text]
    if table.primary_key.comment:
        lines.append(_comment_on_constraint(table, table.primary_key, key_name))
    return "".join(lines)


def alter_table_add(table: Table, text: ConstraintText) -> str:
    """Return ALTER TABLE … ADD CONSTRAINT, and the comment on the constraint; a foreign key has a line of its own."""
    name = quote_identifier(text.name)
    separator = f"\n{INDENT}" if text.definition.startswith("FOREIGN KEY ") else " "
    statement = f"ALTER TABLE {table_name(table)}\n{INDENT}ADD CONSTRAINT {name}{separator}{text.definition};\n"
    return statement + (_comment_on_constraint(table, text.constraint, text.name) if text.constraint.comment else "")


def _comment_on_constraint(table: Table, constraint: Constraint, name: str) -> str:
    on = f"{quote_identifier(name)} ON {table_name(table)}"
    return f"COMMENT ON CONSTRAINT {on} IS {literal(str(constraint.comment))};\n"


def insert_missing_rows(table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return an INSERT of the rows whose key is missing; all rows have the same columns, in the same order.

    It is not ON CONFLICT, which needs a unique constraint: constraints are created by a later module. Rows are inserted
    in the order of their key, so that identity columns number them alike in every database.
    """
    columns = list(rows[0])
    target = f"{table_name(table)} ({', '.join(map(quote_identifier, columns))})"
    same_key = " AND ".join(f"present.{quote_identifier(column)} = seed.{quote_identifier(column)}" for column in key)
    values = ",\n".join(
        f"{INDENT}(\n"
        + ",\n".join(_indented(_value(row[column], table.columns[column]), 2) for column in columns)
        + f"\n{INDENT})"
        for row in rows
    )
    return (
        f"INSERT INTO {target}\n"
        f"SELECT seed.*\n"
        f"FROM (\n"
        f"{INDENT}VALUES\n"
        f"{values}\n"
        f") AS seed ({', '.join(map(quote_identifier, columns))})\n"
        f"WHERE NOT EXISTS (\n"
        f"{INDENT}SELECT FROM {table_name(table)} AS present\n"
        f"{INDENT}WHERE {same_key}\n"
        f")\n"
        f"ORDER BY {', '.join(f'seed.{quote_identifier(column)}' for column in key)};\n"
    )


def table_name(table: Table) -> str:
    """Return the name of a table as SQL writes it, with its schema if it has one."""
    return DIALECT.identifier_preparer.format_table(table)


def _indented(text: str, depth: int) -> str:
    return textwrap.indent(text, INDENT * depth)


def _value(value: Any, column: Column[Any]) -> str:  # noqa: ANN401 (whatever a column may hold)
    """Return a constant, with a cast if it is not text; a long one continues on further lines (manual, 4.1.2.1)."""
    is_text = isinstance(column.type, String) and not isinstance(column.type, Enum)
    cast = "" if is_text else f"::{lower_type(column.type.compile(dialect=DIALECT))}"
    if value is None:
        return f"NULL{cast}"
    if isinstance(column.type, JSON):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return "\n".join(map(literal, _pieces(value))) + cast
    compiled = literal_value(value, column.type).compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
    return f"{compiled}{cast}"


def _pieces(text: str) -> Iterable[str]:
    """Split a text after spaces into pieces that fit into a line; joined, they are the text again."""
    pieces = [""]
    for word in re.findall(r"\S*\s*", text):
        if len(pieces[-1] + word.rstrip()) > LITERAL_WIDTH:
            pieces.append("")
        pieces[-1] += word
    return pieces

"""The names that PostgreSQL gives to the constraints that models leave without one (its source: ChooseConstraintName).

A module writes them out: a migration that changes the constraint needs its name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Table
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from infra.generate.ddl_compiler import stored_name
from infra.modules.generated_names import constraint_column_names, generated_name
from infra.modules.statements import parse
from infra.modules.tree import descendants, strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infra.generate.ddl_compiler import ConstraintText

_SUFFIXES = ("check", "key", "excl", "fkey")  # in the order in which CREATE TABLE names constraints
_OF_INDEXES = ("key", "excl")


class DefaultNames:
    """The names in use, as statements of `create_all` follow each other: a name that is in use gets a number."""

    def __init__(self) -> None:
        self._constraints: set[tuple[str, str]] = set()  # schema and name
        self._relations: set[tuple[str, str]] = set()

    def add_relation(self, schema: str | None, name: str) -> None:
        """Add a table, an index or a sequence."""
        self._relations.add((stored_name(schema or ""), stored_name(name)))

    def named(self, table: Table, constraints: Sequence[ConstraintText]) -> list[ConstraintText]:
        """Return the constraints of one statement, each with its own name, or the one that PostgreSQL gives it."""
        schema = stored_name(table.schema or "")
        names: dict[int, str] = {}
        for suffix in _SUFFIXES:
            for index, text in enumerate(constraints):
                if _suffix(text) == suffix:
                    names[index] = text.name or self._choose(table, text, suffix)
                    self._constraints.add((schema, names[index]))
                    if suffix in _OF_INDEXES:
                        self._relations.add((schema, names[index]))
        return [replace(text, name=names[index]) for index, text in enumerate(constraints)]

    def _choose(self, table: Table, text: ConstraintText, suffix: str) -> str:
        columns = _columns(table, text)
        number = 0
        while True:
            name = generated_name(stored_name(table.name), columns, f"{suffix}{number or ''}")
            key = (stored_name(table.schema or ""), name)
            if key not in self._constraints and not (suffix in _OF_INDEXES and key in self._relations):
                return name
            number += 1


def _suffix(text: ConstraintText) -> str:
    if isinstance(text.constraint, CheckConstraint):
        return "check"
    if isinstance(text.constraint, ExcludeConstraint):
        return "excl"
    return "fkey" if isinstance(text.constraint, ForeignKeyConstraint) else "key"


def _columns(table: Table, text: ConstraintText) -> Iterable[str]:
    """Return the columns in a name: those of a key, and that of a check if there is exactly one in its condition."""
    (statement,) = parse(f"ALTER TABLE t ADD {text.definition}", table.name)
    tree = getattr(statement.tree.cmds[0].alter_table_cmd, "def").constraint
    if not isinstance(text.constraint, CheckConstraint):
        return constraint_column_names(tree)
    references = (node for node in descendants(tree.raw_expr) if node.DESCRIPTOR.name == "ColumnRef")
    names = {strings(node.fields)[-1] for node in references if strings(node.fields)}
    used = [name for column in table.columns if (name := stored_name(column.name)) in names]
    return used if len(used) == 1 else ()

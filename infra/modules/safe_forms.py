"""The safe form of a statement: the same change without a lock that stops readers or writers for long.

PostgreSQL's manual names them: ADD CONSTRAINT … NOT VALID and VALIDATE (ALTER TABLE, Notes), CREATE INDEX CONCURRENTLY.
Each statement of a safe form has to be a transaction of its own: else its locks are held until the last one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.modules.generated_names import LONGEST_NAME
from infra.modules.statements import is_keyword, parse, rewritten
from infra.modules.tree import enum_value

if TYPE_CHECKING:
    from infra.modules.tree import Tree

_VALIDATED = {"CONSTR_FOREIGN", "CONSTR_CHECK"}
_INDEXED = {"CONSTR_UNIQUE", "CONSTR_PRIMARY"}


def safe_form(sql: str) -> list[str]:
    """Return the statements of the safe form of one statement, [] where it is safe as it is, or none is known.

    A type's change has none: readers of both columns have to be deployed in between. Raises ModuleError.
    """
    (statement,) = parse(sql, "")
    tree = statement.tree
    if statement.kind == "index_stmt":
        return [] if tree.concurrent else [_with(sql, concurrent=True)]
    if statement.kind == "drop_stmt":
        is_index = enum_value(tree, "remove_type") == "OBJECT_INDEX"
        return [_with(sql, concurrent=True)] if is_index and not tree.concurrent and len(tree.objects) == 1 else []
    if statement.kind != "alter_table_stmt":
        return []
    parts = [(position, command.alter_table_cmd) for position, command in enumerate(tree.cmds)]
    forms = [_safe_command(sql, position, command) for position, command in parts]
    if not any(forms):
        return []
    return [
        text
        for (position, _), form in zip(parts, forms, strict=True)
        for text in form or [single_command(sql, position)]
    ]


def in_transaction(sql: str) -> str:
    """Return a statement without CONCURRENTLY, for a database that nobody uses; several are returned as they are."""
    statement, *others = parse(sql, "")
    if others or statement.kind not in {"index_stmt", "drop_stmt"} or not statement.tree.concurrent:
        return sql.rstrip(";")

    def change(tree: Tree) -> None:
        tree.concurrent = False

    return rewritten(sql, change)


def _safe_command(sql: str, position: int, command: Tree) -> list[str]:
    kind = enum_value(command, "subtype")
    if kind == "AT_AddConstraint":
        constraint = getattr(command, "def").constraint
        contype = enum_value(constraint, "contype")
        if contype in _VALIDATED and not constraint.skip_validation and constraint.conname:
            return _validated(sql, position, constraint.conname)
        if contype in _INDEXED and not constraint.indexname and constraint.conname:
            return _indexed(sql, position, constraint)
    if kind == "AT_SetNotNull":
        return _not_null(sql, position, command.name)
    return []


def _validated(sql: str, position: int, name: str) -> list[str]:
    def skip(tree: Tree) -> None:
        constraint = getattr(tree.cmds[0].alter_table_cmd, "def").constraint
        constraint.skip_validation, constraint.initially_valid = True, False

    return [single_command(sql, position, skip), f"ALTER TABLE {altered_table(sql)} VALIDATE CONSTRAINT {quoted(name)}"]


def _indexed(sql: str, position: int, constraint: Tree) -> list[str]:
    """Build the index first, which is what takes long, then make a constraint of it."""
    columns = ", ".join(quoted(key.string.sval) for key in constraint.keys)
    including = ", ".join(quoted(key.string.sval) for key in constraint.including)
    include = f" INCLUDE ({including})" if including else ""
    distinct = " NULLS NOT DISTINCT" if constraint.nulls_not_distinct else ""
    name, table = quoted(constraint.conname), altered_table(sql)

    def use(tree: Tree) -> None:
        own = getattr(tree.cmds[0].alter_table_cmd, "def").constraint
        own.ClearField("keys")
        own.ClearField("including")
        own.nulls_not_distinct = False
        own.indexname = own.conname

    index = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns}){include}{distinct}"
    return [index, single_command(sql, position, use)]


def _not_null(sql: str, position: int, column: str) -> list[str]:
    """Prove it by a check, which SET NOT NULL then believes (manual, ALTER TABLE, SET NOT NULL)."""
    name, table = quoted(f"{column}_is_not_null"[:LONGEST_NAME]), altered_table(sql)
    return [
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({quoted(column)} IS NOT NULL) NOT VALID",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}",
        single_command(sql, position),
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    ]


def single_command(sql: str, position: int, change: Any = None) -> str:  # noqa: ANN401 (a function of a tree, or None)
    """Return an ALTER TABLE with one of its commands only, itself changed."""

    def keep(tree: Tree) -> None:
        del tree.cmds[:position]
        del tree.cmds[1:]
        if change:
            change(tree)

    return rewritten(sql, keep)


def _with(sql: str, **fields: object) -> str:
    def change(tree: Tree) -> None:
        for name, value in fields.items():
            setattr(tree, name, value)

    return rewritten(sql, change)


def altered_table(sql: str) -> str:
    """Return the table of an ALTER TABLE as it is written there."""
    relation = parse(sql, "")[0].tree.relation
    return ".".join(quoted(part) for part in (relation.schemaname, relation.relname) if part)


def quoted(name: str) -> str:
    """Return an identifier as SQL writes it; quotes are never wrong."""
    is_plain = name.isidentifier() and name.islower() and name.isascii()
    return name if is_plain and not is_keyword(name) else '"' + name.replace('"', '""') + '"'

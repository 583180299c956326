"""Changes that need two releases: the new column first, its rows in small steps, and the old column gone at the end.

What is returned is for a person to write from: the lines that begin with -- say what belongs between the statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.modules.generated_names import LONGEST_NAME
from infra.modules.safe_forms import altered_table, quoted, single_command
from infra.modules.statements import parse
from infra.modules.tree import enum_value

if TYPE_CHECKING:
    from infra.modules.tree import Tree

_DEFAULT, _NOT_NULL = "CONSTR_DEFAULT", "CONSTR_NOTNULL"
_BATCHES = "-- then in steps of some thousand rows, each in a transaction of its own:"


def expanded(sql: str) -> list[str]:
    """Return the statements that do in two releases, or in small steps, what one statement does by a rewrite.

    [] where none are known. Raises ModuleError.
    """
    (statement,) = parse(sql, "")
    if statement.kind != "alter_table_stmt":
        return []
    lines: list[str] = []
    for position, command in enumerate(statement.tree.cmds):
        own = command.alter_table_cmd
        kind = enum_value(own, "subtype")
        if kind == "AT_AlterColumnType":
            lines += _new_column(sql, position, own.name)
        elif kind == "AT_AddColumn":
            lines += _default_afterwards(sql, position, getattr(own, "def").column_def)
        elif kind == "AT_DropColumn":
            lines += _renamed_first(sql, own.name)
    return lines


def _new_column(sql: str, position: int, column: str) -> list[str]:
    """Return how a column gets another type: a second column takes its place in the next release."""
    new = f"{column[: LONGEST_NAME - 4]}_new"

    def add(tree: Tree) -> None:
        command = tree.cmds[0].alter_table_cmd
        command.subtype = command.DESCRIPTOR.fields_by_name["subtype"].enum_type.values_by_name["AT_AddColumn"].number
        command.name = ""
        definition = getattr(command, "def").column_def
        definition.colname = new
        definition.ClearField("raw_default")

    table, old, name = altered_table(sql), quoted(column), quoted(new)
    return [
        f"{single_command(sql, position, add)};",
        "-- the application, or a trigger, writes both columns from now on",
        _BATCHES,
        f"UPDATE {table} SET {name} = {old} WHERE {name} IS DISTINCT FROM {old};  -- and a range of the key",
        f"-- in the next release, when nothing uses {old} any more:",
        f"ALTER TABLE {table} DROP COLUMN {old};",
        f"ALTER TABLE {table} RENAME COLUMN {name} TO {old};",
    ]


def _default_afterwards(sql: str, position: int, column: Tree) -> list[str]:
    """Return how a column with a default that is computed for each row is added without a rewrite."""
    defaults = [part.constraint for part in column.constraints if enum_value(part.constraint, "contype") == _DEFAULT]
    if not defaults:
        return []

    def without(tree: Tree) -> None:
        own = getattr(tree.cmds[0].alter_table_cmd, "def").column_def
        kept = [part for part in own.constraints if enum_value(part.constraint, "contype") not in {_DEFAULT, _NOT_NULL}]
        del own.constraints[:]
        own.constraints.extend(kept)

    table, name = altered_table(sql), quoted(column.colname)
    whole, bare = single_command(sql, position), single_command(sql, position, without)
    default = whole.partition(" DEFAULT ")[2].removesuffix(" NOT NULL") or "…"
    is_required = any(enum_value(part.constraint, "contype") == _NOT_NULL for part in column.constraints)
    return [
        f"{bare};",
        f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default};",
        _BATCHES,
        f"UPDATE {table} SET {name} = DEFAULT WHERE {name} IS NULL;  -- and a range of the key",
        *(
            [f"-- afterwards, in its own safe form:\nALTER TABLE {table} ALTER {name} SET NOT NULL;"]
            if is_required
            else []
        ),
    ]


def _renamed_first(sql: str, column: str) -> list[str]:
    """Return how a column goes without its values: unused first, and dropped when nobody missed it."""
    table, unused = altered_table(sql), quoted(f"{column[: LONGEST_NAME - 7]}_unused")
    return [
        f"ALTER TABLE {table} RENAME COLUMN {quoted(column)} TO {unused};",
        "-- in a later release, when nobody missed it:",
        f"ALTER TABLE {table} DROP COLUMN {unused};",
    ]

"""The statements of a dump: what a module can have, and what is left out because the stack or the session has it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.modules.dump_text import COPY_ROWS, PSQL_COMMANDS, blank_lines
from infra.modules.restrictions import restriction_for
from infra.modules.statements import parse
from infra.modules.tree import enum_value, nodes

if TYPE_CHECKING:
    from infra.modules.statements import Statement

_SCHEMA_OF_DATABASES = "public"
_EXTENSION_OF_DATABASES = "plpgsql"  # every database has it (PostgreSQL manual, 41)

_BY_STACK = "owners, privileges and roles, which the stack declares"
_OF_SESSION = "settings of the session and transactions: a module has its own"
_ROWS = "rows: INSERT, COPY and the positions of sequences"
_THERE = (
    "what every database has (schema public, plpgsql), and comments on extensions, which only their owner may write"
)

_LEFT_OUT = {
    "alter_owner_stmt": _BY_STACK,
    "grant_stmt": _BY_STACK,
    "grant_role_stmt": _BY_STACK,
    "alter_default_privileges_stmt": _BY_STACK,
    "create_role_stmt": _BY_STACK,
    "alter_role_stmt": _BY_STACK,
    "alter_role_set_stmt": _BY_STACK,
    "drop_role_stmt": _BY_STACK,
    "variable_set_stmt": _OF_SESSION,
    "transaction_stmt": _OF_SESSION,
    "insert_stmt": _ROWS,
    "copy_stmt": _ROWS,
    "createdb_stmt": "databases and their settings",
    "alter_database_stmt": "databases and their settings",
    "alter_database_set_stmt": "databases and their settings",
}

_OF_WHAT_IS_BEFORE = frozenset({"comment_stmt", "alter_index_stmt"})

_PURPOSES = {
    "create_extension_stmt": "extensions",
    "create_schema_stmt": "schemas",
    "create_enum_stmt": "types",
    "create_domain_stmt": "types",
    "composite_type_stmt": "types",
    "create_range_stmt": "types",
    "create_function_stmt": "functions",
    "define_stmt": "functions",
    "create_cast_stmt": "functions",
    "view_stmt": "views",
    "create_table_as_stmt": "views",
    "index_stmt": "indexes",
    "create_stats_stmt": "indexes",
    "create_trig_stmt": "triggers",
    "create_event_trig_stmt": "triggers",
    "create_policy_stmt": "triggers",
    "rule_stmt": "triggers",
}


@dataclass(frozen=True)
class DumpStatement:
    """One statement of a dump that a module can have: its text, and what a module with it is for."""

    text: str
    purpose: str
    adds_foreign_key: bool = False


@dataclass(frozen=True)
class Dump:
    """The statements of a dump in their order, how many of each kind were left out, and the text without those.

    `comparable` has the settings of the session still in it, under which its statements have their meaning.
    """

    statements: list[DumpStatement]
    left_out: Counter[str]
    comparable: str


def read_dump(text: str, path: str) -> Dump:
    """Read the text of a dump; raises ModuleError, with the place, for what is no SQL."""
    left_out: Counter[str] = Counter()
    for copy in COPY_ROWS.finditer(text):
        left_out[_ROWS] += copy["rows"].count("\n")
    text = COPY_ROWS.sub(blank_lines, text)
    left_out[_OF_SESSION] += len(PSQL_COMMANDS.findall(text))
    text = PSQL_COMMANDS.sub(blank_lines, text)
    kept: list[DumpStatement] = []
    comparable: list[str] = []
    purpose, foreign_key = "tables", False
    for statement in parse(text, path):
        source = text[statement.start : statement.end].rstrip().removesuffix(";")
        reason = _reason_to_leave_out(statement)
        if reason:
            left_out[reason] += 1
        else:
            if statement.kind not in _OF_WHAT_IS_BEFORE:
                purpose, foreign_key = _purpose(statement), _adds_foreign_key(statement)
            kept.append(DumpStatement(f"{source};\n", purpose, foreign_key))
        if not reason or (reason == _OF_SESSION and statement.kind != "transaction_stmt"):
            comparable.append(f"{source};\n")
    return Dump(kept, +left_out, "".join(comparable))


def _reason_to_leave_out(statement: Statement) -> str:
    """Return why a module is not to have a statement, '' if it is."""
    kind, tree = statement.kind, statement.tree
    if kind in _LEFT_OUT:
        return _LEFT_OUT[kind]
    if kind == "select_stmt":
        return _ROWS if "setval" in str(tree) else _OF_SESSION
    if kind == "alter_table_stmt" and all(_subtype(command) == "AT_ChangeOwner" for command in tree.cmds):
        return _BY_STACK
    if _is_there(kind, tree):
        return _THERE
    restriction = restriction_for(statement, by_statement=False)
    return f"what a module may not contain: {restriction.what}" if restriction else ""


def _is_there(kind: str, tree: Any) -> bool:  # noqa: ANN401 (a parse tree)
    """Return whether a statement is about what every database has, or what only an administrator may comment on."""
    if kind == "comment_stmt":
        subject = enum_value(tree, "objtype")
        of_public = subject == "OBJECT_SCHEMA" and tree.object.string.sval == _SCHEMA_OF_DATABASES
        return subject == "OBJECT_EXTENSION" or of_public
    return (kind == "create_schema_stmt" and tree.schemaname == _SCHEMA_OF_DATABASES) or (
        kind == "create_extension_stmt" and tree.extname == _EXTENSION_OF_DATABASES
    )


def _purpose(statement: Statement) -> str:
    """Return what a module with a statement is for."""
    if statement.kind == "alter_table_stmt":
        subtypes = {_subtype(command) for command in statement.tree.cmds}
        if subtypes == {"AT_AddConstraint"}:
            return "constraints"
        if subtypes <= {"AT_ClusterOn", "AT_ReplicaIdentity"}:
            return "indexes"
        if subtypes <= {"AT_EnableRowSecurity", "AT_ForceRowSecurity"}:
            return "triggers"
    return _PURPOSES.get(statement.kind, "tables")


def _adds_foreign_key(statement: Statement) -> bool:
    """Return whether a statement adds a foreign key to a table that is there."""
    commands = statement.tree.cmds if statement.kind == "alter_table_stmt" else ()
    added = [getattr(command, "def").constraint for command in nodes(commands, "alter_table_cmd")]
    return any(
        constraint.ListFields() and enum_value(constraint, "contype") == "CONSTR_FOREIGN" for constraint in added
    )


def _subtype(command: Any) -> str:  # noqa: ANN401 (a parse tree)
    return enum_value(command.alter_table_cmd, "subtype")

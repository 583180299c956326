"""The statements of a dump: what a module can have, and what is left out because the stack or the session has it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.modules.dump_text import blank_lines, psql_parts
from infra.modules.restrictions import restriction_for
from infra.modules.statements import parse
from infra.modules.superusers import SUPERUSERS
from infra.modules.tree import enum_value, nodes

if TYPE_CHECKING:
    from infra.modules.statements import Statement

_FILLS = re.compile(r"\bsetval\b|\blo_\w+\b|\blowrite\b")  # what a dump calls for sequences and large objects

_SCHEMA_OF_DATABASES = "public"
_EXTENSION_OF_DATABASES = "plpgsql"  # every database has it (PostgreSQL manual, 41)

_BY_STACK = "owners, privileges and roles, which the stack declares"
_OF_SESSION = "settings of the session and transactions: a module has its own"
_ROWS = "rows: INSERT, COPY, large objects and the positions of sequences"
_OF_SUPERUSERS = "what a superuser has to run by hand, since the owner role of a database may not"
_OF_DATABASES = "databases and their settings"
_CLEANS = "DROP at the beginning, of what the dump creates afterwards"
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
    "select_stmt": _OF_SESSION,
    "variable_set_stmt": _OF_SESSION,
    "transaction_stmt": _OF_SESSION,
    "insert_stmt": _ROWS,
    "copy_stmt": _ROWS,
    "createdb_stmt": _OF_DATABASES,
    "alter_database_stmt": _OF_DATABASES,
    "alter_database_set_stmt": _OF_DATABASES,
}

_LEFT_OUT_COMMENTS = {"OBJECT_LARGEOBJECT": _ROWS, "OBJECT_DATABASE": _OF_DATABASES}

_KINDS_OF_SUPERUSERS = {
    "create_event_trig_stmt": ("event trigger",),
    "create_publication_stmt": ("publication", "publication relation", "publication namespace"),
    "create_subscription_stmt": ("subscription",),
    "create_fdw_stmt": ("foreign-data wrapper",),
    "create_foreign_server_stmt": ("server",),
    "create_cast_stmt": ("cast",),
}
"""The kinds of objects, as a catalog names them, that a statement creates which is left out."""

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
    """One statement of a dump that a module can have: its text, what a module with it is for, and its first line."""

    text: str
    purpose: str
    adds_foreign_key: bool = False
    line: int = 1


@dataclass(frozen=True)
class Dump:
    """The statements of a dump in their order, how many of each kind were left out, and the text without those.

    `comparable` has the settings of the session still in it, under which its statements have their meaning. `lacking`
    are the kinds of objects, as a catalog names them, of which some were left out. `replaces` is whether a statement
    drops or replaces something, which an earlier one may have created.
    """

    statements: list[DumpStatement]
    left_out: Counter[str]
    comparable: str
    lacking: frozenset[str] = frozenset()
    path: str = ""
    replaces: bool = False

    def place_of(self, module: str, offset: int) -> str:
        """Return the place, in the dump, of the statement at an offset of a module's text, '' where there is none."""
        for statement in self.statements:
            start = module.find(statement.text)
            if start >= 0 and start <= offset < start + len(statement.text):
                return f"{self.path}:{statement.line}"
        return ""


def read_dump(text: str, path: str) -> Dump:
    """Read the text of a dump; raises ModuleError, with the place, for what is no SQL."""
    left_out: Counter[str] = Counter()
    text = _without_psql(text, left_out)
    kept: list[DumpStatement] = []
    comparable: list[str] = []
    lacking: set[str] = set()
    publications: set[str] = set()
    purpose, foreign_key = "tables", False
    line, before, replaces = 1, 0, False
    for statement in parse(text, path):
        source = text[statement.start : statement.end].rstrip().removesuffix(";")
        line, before = line + text.count("\n", before, statement.start), statement.start
        reason = _reason_to_leave_out(statement)
        if _publication_of(statement) in publications:
            reason = _OF_SUPERUSERS
        elif not kept and _only_drops(statement):
            reason = _CLEANS
        if reason:
            left_out[reason] += 1
            lacking.update(_KINDS_OF_SUPERUSERS.get(statement.kind, ()))
            publications |= {_publication_of(statement)} - {""}
        else:
            if statement.kind not in _OF_WHAT_IS_BEFORE:
                purpose, foreign_key = _purpose(statement), _adds_foreign_key(statement)
            replaces = replaces or statement.kind == "drop_stmt" or getattr(statement.tree, "replace", False)
            kept.append(DumpStatement(f"{source};\n", purpose, foreign_key, line))
        is_setting = reason == _OF_SESSION and statement.kind != "transaction_stmt"
        if not reason or (is_setting and "row_security" not in source):  # which refuses to fill some views
            comparable.append(f"{source};\n")
    return Dump(kept, +left_out, "".join(comparable), frozenset(lacking), path, replaces)


def _without_psql(text: str, left_out: Counter[str]) -> str:
    """Return the text with empty lines for what psql alone understands, which is counted."""
    pieces: list[str] = []
    end = 0
    for found in psql_parts(text):
        pieces += [text[end : found.start()], blank_lines(found[0])]
        end = found.end()
        rows = found["rows"]
        left_out[_OF_SESSION if rows is None else _ROWS] += 1 if rows is None else rows.count("\n")
    return "".join([*pieces, text[end:]])


def _reason_to_leave_out(statement: Statement) -> str:
    """Return why a module is not to have a statement, '' if it is."""
    kind, tree = statement.kind, statement.tree
    if reason := _reason_by_content(kind, tree) or _LEFT_OUT.get(kind):
        return reason
    if kind == "alter_table_stmt" and all(_subtype(command) == "AT_ChangeOwner" for command in tree.cmds):
        return _BY_STACK
    if _is_there(kind, tree):
        return _THERE
    if kind in SUPERUSERS and any(SUPERUSERS[kind](tree)):
        return _OF_SUPERUSERS
    restriction = restriction_for(statement, by_statement=False)
    return f"what a module may not contain: {restriction.what}" if restriction else ""


def _reason_by_content(kind: str, tree: Any) -> str:  # noqa: ANN401 (a parse tree)
    """Return why a comment, or a SELECT that sets a sequence or fills a large object, is left out, '' if it is not."""
    if kind == "comment_stmt":
        return _LEFT_OUT_COMMENTS.get(enum_value(tree, "objtype"), "")
    return _ROWS if kind == "select_stmt" and _FILLS.search(str(tree)) else ""


def _publication_of(statement: Statement) -> str:
    """Return the publication that a statement is about, '' for none."""
    if statement.kind in {"create_publication_stmt", "alter_publication_stmt"}:
        return str(statement.tree.pubname)
    is_comment = statement.kind == "comment_stmt" and enum_value(statement.tree, "objtype") == "OBJECT_PUBLICATION"
    return str(statement.tree.object.string.sval) if is_comment else ""


def _only_drops(statement: Statement) -> bool:
    """Return whether a statement only drops something, as those do with which `pg_dump --clean` begins."""
    if statement.kind != "alter_table_stmt":
        return statement.kind == "drop_stmt"
    commands = [command.alter_table_cmd for command in statement.tree.cmds]
    kinds = {enum_value(command, "subtype") for command in commands if not command.HasField("def")}
    return (
        len(kinds) > 0
        and kinds <= {"AT_DropConstraint", "AT_ColumnDefault"}
        and not any(command.HasField("def") for command in commands)
    )


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

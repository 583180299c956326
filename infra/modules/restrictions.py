"""Statements that a module may not contain, because a module has to be applied whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from infra.errors import InfraError, ModuleError, ModuleFileError
from infra.modules.directive import DIRECTIVE, runs_by_statement
from infra.modules.statements import Statement, parse, place_of
from infra.modules.tree import enum_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.modules.module import Module


class Refusable(Protocol):
    """What a restriction reads of a statement: the parser's name of its kind, and its parse tree."""

    @property
    def kind(self) -> str: ...

    @property
    def tree(self) -> Any: ...  # noqa: ANN401 (a parse tree)


@dataclass(frozen=True)
class Restriction:
    """One kind of statement that is refused: when the restriction applies, what is wrong, and what to do instead."""

    applies: Callable[[Any], bool]
    what: str
    remedy: str


def _always(_tree: object) -> bool:
    return True


def _detaches_concurrently(tree: Any) -> bool:  # noqa: ANN401 (a parse tree)
    return any(getattr(command.alter_table_cmd, "def").partition_cmd.concurrent for command in tree.cmds)


def _grants_what_the_stack_grants(tree: Any) -> bool:  # noqa: ANN401 (a parse tree)
    kind = enum_value(tree, "objtype")
    names = [thing.string.sval for thing in tree.objects]
    return kind == "OBJECT_DATABASE" or (kind == "OBJECT_SCHEMA" and "public" in names)


def _grants_in_all_schemas(tree: Any) -> bool:  # noqa: ANN401 (a parse tree)
    kind = enum_value(tree.action, "objtype")
    in_schemas = any(option.def_elem.defname == "schemas" for option in tree.options)
    return kind in {"OBJECT_TABLE", "OBJECT_SEQUENCE", "OBJECT_SCHEMA"} and not in_schemas


EACH_UNDOES_THE_OTHER = "which the stack declares: each would undo the other"
REMOVE_GRANTS = "remove it: the stack's roles have what they need (docs/how-do-i.md)"
_NEVER = "cannot run inside a transaction"
_NOT_ALWAYS = "cannot always run inside a transaction"
_BY_HAND = "run it by hand, or declare it where the server is declared"

# By the parser's names: every statement for which PostgreSQL's sources call PreventInTransactionBlock, and those that
# would end the module's transaction, change its role, or need a particular client.
RESTRICTIONS: dict[str, Restriction] = {
    "transaction_stmt": Restriction(
        _always, "controls the transaction", "remove it: a module is one transaction already"
    ),
    "createdb_stmt": Restriction(_always, f"CREATE DATABASE {_NEVER}", "declare the database in the stack's settings"),
    "dropdb_stmt": Restriction(_always, f"DROP DATABASE {_NEVER}", "remove the database from the stack's settings"),
    "alter_database_stmt": Restriction(
        _always, f"changes limits or options of the database, {EACH_UNDOES_THE_OTHER}", "remove it"
    ),
    "create_table_space_stmt": Restriction(_always, f"CREATE TABLESPACE {_NEVER}", _BY_HAND),
    "drop_table_space_stmt": Restriction(_always, f"DROP TABLESPACE {_NEVER}", _BY_HAND),
    "create_subscription_stmt": Restriction(_always, f"CREATE SUBSCRIPTION {_NOT_ALWAYS}", _BY_HAND),
    "alter_subscription_stmt": Restriction(_always, f"ALTER SUBSCRIPTION {_NOT_ALWAYS}", _BY_HAND),
    "drop_subscription_stmt": Restriction(_always, f"DROP SUBSCRIPTION {_NOT_ALWAYS}", _BY_HAND),
    "alter_system_stmt": Restriction(
        _always, "ALTER SYSTEM changes the whole server", "set it in `server.settings` of the stack's settings"
    ),
    "vacuum_stmt": Restriction(lambda tree: tree.is_vacuumcmd, f"VACUUM {_NEVER}", "remove it: new tables need none"),
    "discard_stmt": Restriction(_always, f"DISCARD {_NOT_ALWAYS}", "remove it: the session ends with the module"),
    "index_stmt": Restriction(
        lambda tree: tree.concurrent,
        f"CREATE INDEX CONCURRENTLY {_NEVER}",
        f"leave out CONCURRENTLY, or begin the module with `{DIRECTIVE}`",
    ),
    "drop_stmt": Restriction(
        lambda tree: tree.concurrent, f"DROP INDEX CONCURRENTLY {_NEVER}", "leave out CONCURRENTLY"
    ),
    "alter_table_stmt": Restriction(
        _detaches_concurrently, f"DETACH PARTITION … CONCURRENTLY {_NEVER}", "leave out CONCURRENTLY"
    ),
    "reindex_stmt": Restriction(_always, f"REINDEX {_NOT_ALWAYS}", "remove it: new indexes need none"),
    "cluster_stmt": Restriction(
        lambda tree: not tree.HasField("relation"), f"CLUSTER of all tables {_NEVER}", "name a table"
    ),
    "copy_stmt": Restriction(
        lambda tree: tree.is_program or not tree.filename,
        "COPY with a program or through the client does not work in every client",
        "write INSERT statements",
    ),
    "grant_stmt": Restriction(
        _grants_what_the_stack_grants,
        f"changes privileges on the database or on schema public, {EACH_UNDOES_THE_OTHER}",
        REMOVE_GRANTS,
    ),
    "alter_default_privileges_stmt": Restriction(
        _grants_in_all_schemas,
        f"changes default privileges in all schemas, {EACH_UNDOES_THE_OTHER}",
        "add IN SCHEMA, or remove it",
    ),
    "variable_set_stmt": Restriction(
        lambda tree: tree.name.lower() in {"role", "session_authorization"},  # case: guc_name_compare ignores it
        "changes the role",
        "remove it: a module runs as the owner role of its database",
    ),
}
UNNAMED = Restriction(
    _always,
    "CREATE INDEX CONCURRENTLY has no name",
    "name the index: after a failed build the invalid index has to be found and dropped",
)

OUTSIDE = frozenset({"index_stmt", "drop_stmt", "alter_table_stmt", "reindex_stmt", "vacuum_stmt"})
"""Kinds of statements that are allowed in a module that runs statement by statement (see directive.py)."""

MOST_SHOWN = 20


def find_restricted(module: Module) -> list[InfraError]:
    """Return the reasons why this module cannot be run, each with its place; at most MOST_SHOWN, and [] for none."""
    try:
        statements = parse(module.text, module.path)
    except ModuleError as error:
        return [error]
    if not statements:
        return [ModuleFileError("holds no statement", place=module.path, remedy="write one, or remove the file")]
    by_statement = runs_by_statement(module.text)
    restrictions = ((statement, restriction_for(statement, by_statement=by_statement)) for statement in statements)
    refused = [(statement, restriction) for statement, restriction in restrictions if restriction]
    problems: list[InfraError] = [
        ModuleFileError(
            restriction.what,
            place=str(place_of(module.text, module.path, statement.start)),
            remedy=restriction.remedy,
        )
        for statement, restriction in refused[:MOST_SHOWN]
    ]
    if len(refused) > MOST_SHOWN:
        problems.append(ModuleFileError(f"{len(refused) - MOST_SHOWN} more statements are refused", place=module.path))
    return problems


def adds_enum_value(module: Module) -> bool:
    """Return whether a statement of the module is ALTER TYPE … ADD VALUE; raises ModuleError for a syntax error."""
    statements = parse(module.text, module.path)
    return any(statement.kind == "alter_enum_stmt" and not statement.tree.old_val for statement in statements)


def needs_no_transaction(statement: Statement) -> bool:
    """Return whether PostgreSQL runs a statement only outside a transaction block."""
    return statement.kind in OUTSIDE and RESTRICTIONS[statement.kind].applies(statement.tree)


def restriction_for(statement: Refusable, *, by_statement: bool) -> Restriction | None:
    """Return the restriction that refuses a statement, or None."""
    if by_statement and statement.kind in OUTSIDE:
        unnamed = statement.kind == "index_stmt" and statement.tree.concurrent and not statement.tree.idxname
        return UNNAMED if unnamed else None
    restriction = RESTRICTIONS.get(statement.kind)
    return restriction if restriction and restriction.applies(statement.tree) else None

"""What a module may not hold, because it would break the promise that a module is one transaction or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from infra.errors import InfraError, ModuleError, ModuleFileError
from infra.modules.directive import DIRECTIVE, runs_by_statement
from infra.modules.statements import Statement, parse, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.modules.module import Module


class Refusable(Protocol):
    """A statement, as far as a rule looks at it: the parser's name of its kind, and its tree."""

    @property
    def kind(self) -> str: ...

    @property
    def tree(self) -> Any: ...  # noqa: ANN401 (a parse tree)


@dataclass(frozen=True)
class Restriction:
    """One kind of statement that is refused: what it is called, when it applies, and what to do instead."""

    applies: Callable[[Any], bool]
    what: str
    remedy: str


def _always(_tree: object) -> bool:
    return True


def _detaches_concurrently(tree: Any) -> bool:  # noqa: ANN401 (a parse tree)
    return any(getattr(one.alter_table_cmd, "def").partition_cmd.concurrent for one in tree.cmds)


def _moves_the_database(tree: Any) -> bool:  # noqa: ANN401 (a parse tree)
    return any(one.def_elem.defname == "tablespace" for one in tree.options)


_NEVER = "cannot run inside a transaction"
_NOT_ALWAYS = "cannot always run inside a transaction"
_BY_HAND = "run it by hand, or declare it where the server is declared"

# Every statement for which PostgreSQL's sources call PreventInTransactionBlock, and those that would end the module's
# transaction, leave its role, or need something that only one client has.
RESTRICTIONS: dict[str, Restriction] = {
    "transaction_stmt": Restriction(
        _always, "controls the transaction", "remove it: a module is one transaction already"
    ),
    "createdb_stmt": Restriction(_always, f"CREATE DATABASE {_NEVER}", "declare the database in the stack's settings"),
    "dropdb_stmt": Restriction(_always, f"DROP DATABASE {_NEVER}", "remove the database from the stack's settings"),
    "alter_database_stmt": Restriction(_moves_the_database, f"ALTER DATABASE … SET TABLESPACE {_NEVER}", _BY_HAND),
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
        "COPY with a program or through the client is no SQL that every client can run",
        "write INSERT statements",
    ),
    "variable_set_stmt": Restriction(
        lambda tree: tree.name.lower() in {"role", "session_authorization"},  # case: guc_name_compare ignores it
        "changes the role",
        "remove it: a module runs as the owner role of its database",
    ),
}
UNNAMED = Restriction(
    _always,
    "CREATE INDEX CONCURRENTLY without a name",
    "name the index: after a failed build it has to be found again",
)

OUTSIDE = frozenset({"index_stmt", "drop_stmt", "alter_table_stmt", "reindex_stmt", "vacuum_stmt"})
"""Kinds that a module may use which declares that it runs statement by statement."""

MOST_SHOWN = 20


def find_restricted(module: Module) -> list[InfraError]:
    """Give what keeps this module from being run, each with its place, the first few of many; [] when it can be run."""
    try:
        statements = parse(module.text, module.path)
    except ModuleError as error:
        return [error]
    if not statements:
        return [ModuleFileError("holds no statement", place=module.path, remedy="write one, or remove the file")]
    by_statement = runs_by_statement(module.text)
    rules = ((one, restriction_for(one, by_statement=by_statement)) for one in statements)
    refused = [(one, rule) for one, rule in rules if rule]
    found: list[InfraError] = [
        ModuleFileError(rule.what, place=str(place_of(module.text, module.path, one.start)), remedy=rule.remedy)
        for one, rule in refused[:MOST_SHOWN]
    ]
    if len(refused) > MOST_SHOWN:
        found.append(ModuleFileError(f"{len(refused) - MOST_SHOWN} more statements are refused", place=module.path))
    return found


def needs_no_transaction(statement: Statement) -> bool:
    """Say whether a statement is one that PostgreSQL runs outside a transaction only."""
    return statement.kind in OUTSIDE and RESTRICTIONS[statement.kind].applies(statement.tree)


def restriction_for(statement: Refusable, *, by_statement: bool) -> Restriction | None:
    """Give the rule that refuses a statement, or None."""
    if by_statement and statement.kind in OUTSIDE:
        unnamed = statement.kind == "index_stmt" and statement.tree.concurrent and not statement.tree.idxname
        return UNNAMED if unnamed else None
    rule = RESTRICTIONS.get(statement.kind)
    return rule if rule and rule.applies(statement.tree) else None

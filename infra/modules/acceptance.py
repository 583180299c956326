"""What a module may not hold, because it would break the promise that a module is one transaction or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.errors import InfraError, ModuleError, ModuleFileError
from infra.modules.statements import Statement, parse, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.modules.module import Module


@dataclass(frozen=True)
class Rule:
    """One kind of statement that is refused: what it is called, when it applies, and what to do instead."""

    applies: Callable[[Any], bool]
    what: str
    remedy: str


def _always(_tree: object) -> bool:
    return True


_OUTSIDE = "cannot run inside a transaction"
_BY_HAND = "run it by hand, or declare it where the server is declared"

RULES: dict[str, Rule] = {
    "transaction_stmt": Rule(_always, "controls the transaction", "remove it: a module is one transaction already"),
    "createdb_stmt": Rule(_always, f"CREATE DATABASE {_OUTSIDE}", "declare the database in the stack's settings"),
    "dropdb_stmt": Rule(_always, f"DROP DATABASE {_OUTSIDE}", "remove the database from the stack's settings"),
    "create_table_space_stmt": Rule(_always, f"CREATE TABLESPACE {_OUTSIDE}", _BY_HAND),
    "drop_table_space_stmt": Rule(_always, f"DROP TABLESPACE {_OUTSIDE}", _BY_HAND),
    "create_subscription_stmt": Rule(_always, f"CREATE SUBSCRIPTION {_OUTSIDE}", _BY_HAND),
    "drop_subscription_stmt": Rule(_always, f"DROP SUBSCRIPTION {_OUTSIDE}", _BY_HAND),
    "alter_system_stmt": Rule(
        _always, "ALTER SYSTEM changes the whole server", "set it in `server.settings` of the stack's settings"
    ),
    "vacuum_stmt": Rule(lambda tree: tree.is_vacuumcmd, f"VACUUM {_OUTSIDE}", "remove it: new tables need none"),
    "discard_stmt": Rule(_always, f"DISCARD {_OUTSIDE}", "remove it: the session ends with the module"),
    "index_stmt": Rule(
        lambda tree: tree.concurrent,
        f"CREATE INDEX CONCURRENTLY {_OUTSIDE}",
        "leave out CONCURRENTLY: nobody waits for a new table's lock",
    ),
    "drop_stmt": Rule(lambda tree: tree.concurrent, f"DROP INDEX CONCURRENTLY {_OUTSIDE}", "leave out CONCURRENTLY"),
    "reindex_stmt": Rule(_always, f"REINDEX {_OUTSIDE} in every case", "remove it: new indexes need none"),
    "cluster_stmt": Rule(
        lambda tree: not tree.HasField("relation"), f"CLUSTER of all tables {_OUTSIDE}", "name a table"
    ),
    "copy_stmt": Rule(
        lambda tree: tree.is_program or not tree.filename,
        "COPY with a program or through the client is no SQL that every client can run",
        "write INSERT statements",
    ),
    "variable_set_stmt": Rule(
        lambda tree: tree.name in {"role", "session_authorization"},
        "changes the role",
        "remove it: a module runs as the owner role of its database",
    ),
}


def problems(module: Module) -> list[InfraError]:
    """Give everything that keeps this module from being run, each with its place; [] when it can be run."""
    try:
        statements = parse(module.text, module.path)
    except ModuleError as error:
        return [error]
    if not statements:
        return [ModuleFileError("holds no statement", place=module.path, remedy="write one, or remove the file")]
    return [problem for statement in statements for problem in _refusals(module, statement)]


def _refusals(module: Module, statement: Statement) -> list[InfraError]:
    rule = RULES.get(statement.kind)
    if not rule or not rule.applies(statement.tree):
        return []
    place = str(place_of(module.text, module.path, statement.start))
    return [ModuleFileError(rule.what, place=place, remedy=rule.remedy)]

"""What an application sends to a live database, from pg_stat_statements: the statements without their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from infra.errors import ModuleError
from infra.modules.statements import parse
from infra.modules.tree import descendants
from infra.postgres.apply.live_status import connect_to_look

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target

MOST_STATEMENTS = 500
"""How many statements are read of a database, those that are sent most often."""
_KINDS = {"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"}
_SCHEMA = """
SELECT pg_catalog.quote_ident(n.nspname)
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
"""
_SENT = """
SELECT s.query FROM {}.pg_stat_statements s
JOIN pg_catalog.pg_database d ON d.oid = s.dbid JOIN pg_catalog.pg_roles r ON r.oid = s.userid
WHERE d.datname = pg_catalog.current_database() AND r.rolname = current_user
ORDER BY s.calls DESC LIMIT %s
"""


def sent_statements(target: Target) -> tuple[str, ...]:
    """Return what the role of a target has sent to its database: queries, and statements that write rows, in order.

    Nothing where pg_stat_statements is not there, or not loaded. Raises what connect() raises.
    """
    with connect_to_look(target) as connection:
        schema = connection.execute(_SCHEMA).fetchone()
        if schema is None:
            return ()
        try:
            rows = connection.execute(_SENT.format(schema[0]).encode(), (MOST_STATEMENTS,)).fetchall()
        except (psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.InsufficientPrivilege):
            return ()
    return tuple(sorted({str(text) for (text,) in rows if has_no_value(str(text))}))


def has_no_value(text: str) -> bool:
    """Return whether a text is one statement that reads or writes rows, and has a parameter for each string."""
    try:
        statements = parse(text, "")
    except ModuleError:
        return False
    return len(statements) == 1 and all(
        statement.kind in _KINDS
        and not any(part.DESCRIPTOR.name == "A_Const" and part.HasField("sval") for part in descendants(statement.tree))
        for statement in statements
    )

"""Sends the text of a module, and ends the module as COMMIT and the end of its session would.

First runs, rebuilds and proofs on scratch databases do this alike, whatever transaction the module runs in: of a module
there is left what it made in the database, and nothing in the session that the next one could meet.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from infra.catalog.access import declared_by_stack
from infra.catalog.catalog import DATABASE
from infra.errors import ModuleError
from infra.modules.restrictions import EACH_UNDOES_THE_OTHER, REMOVE_GRANTS
from infra.postgres.connection.advisory_lock import RELEASE_OTHER_LOCKS
from infra.postgres.connection.execute import send
from infra.postgres.connection.session_start import reset_settings
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.connection.watches import watch_blockers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg.pq.abc import PGresult

    from infra.catalog.changes import CatalogChange
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

CHECK_DEFERRED = "SET CONSTRAINTS ALL IMMEDIATE"
RESET_ROLE = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE"
DISCARD_REST = f"""
UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES; {RELEASE_OTHER_LOCKS};
SELECT pg_catalog.string_agg(pg_catalog.format('DEALLOCATE %I', name), '; ')
FROM pg_catalog.pg_prepared_statements WHERE from_sql
"""
"""DISCARD ALL, which no transaction may contain (manual, DISCARD), but for DEALLOCATE ALL: only what a module prepared
is to go, and not what this program did, whose statements are not prepared by SQL. Those commands are the last row."""

DEFERRABLE = """
SELECT pg_catalog.string_agg(name, ', '), pg_catalog.string_agg(name, ', ') FILTER (WHERE deferred)
FROM (
    SELECT
        pg_catalog.format('%s.%I', c.connamespace::pg_catalog.regnamespace, c.conname),
        pg_catalog.bool_or(c.condeferred) AND pg_catalog.bool_and(c.condeferrable)
    FROM pg_catalog.pg_constraint c
    GROUP BY c.connamespace, c.conname
    HAVING pg_catalog.bool_or(c.condeferrable)
) AS named (name, deferred)
"""
"""The names of all deferrable constraints, and of those that are deferred at first. The module's search_path is set."""

_OF_THE_DATABASE = f"the database's {DATABASE.name}"
_WRITTEN_BY = """
SELECT %s, '', d.xmin::text FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
UNION ALL
SELECT 'privileges on schema public', n.oid || ' of ' || n.nspowner, n.xmin::text
FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public'
UNION ALL
SELECT
    pg_catalog.format(
        'privileges on future %%s of %%s',
        CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' ELSE 'schemas' END,
        d.defaclrole::pg_catalog.regrole
    ),
    '',
    d.xmin::text
FROM pg_catalog.pg_default_acl d
WHERE d.defaclnamespace = 0 AND d.defaclobjtype IN ('r', 'S', 'n')
"""
"""What has privileges that the stack declares, and the transaction that wrote each last: a GRANT of what is granted
already does so too. A schema public that was made anew, or has another owner, is another one."""

DEFERRED_HINT = "what is deferred is checked when its module ends, or its statement in a module that runs by statement"
_NO_STATEMENT = sys.maxsize
"""The number of a statement that is not in the module's text: its error has no line."""


def run_text(
    connection: Connection, session: Session, module: Module, text: str = "", *, first: int = 0
) -> list[PGresult]:
    """Send a module's text in the current transaction, or that part of it whose first statement has the number `first`.

    Return the statements' results. Sessions that block it are reported. Raises ModuleError.
    """
    return watch_blockers(
        session, connection, lambda on_slow: send(connection, module, text or module.text, first=first, on_slow=on_slow)
    )


def check_deferred(
    connection: Connection, session: Session, module: Module, *, others_follow: bool = False, then: str = ""
) -> list[PGresult]:
    """Check what constraints and constraint triggers of the module have deferred; raises ModuleError.

    Where other modules follow in the transaction, each constraint is then deferred again as it is at first. They are
    named for that: `ALL` would decide for constraints too that do not exist yet. `then` are commands for the same
    message; what all of them returned is returned.
    """
    statements = CHECK_DEFERRED
    if others_follow:
        deferrable, deferred = connection.execute(DEFERRABLE).fetchone() or ("", "")
        statements = f"SET CONSTRAINTS {deferrable} IMMEDIATE;" if deferrable else ";"
        statements += f"SET CONSTRAINTS {deferred} DEFERRED" if deferred else ""
    try:
        return run_text(connection, session, module, f"{statements}; {then}", first=_NO_STATEMENT)
    except ModuleError as error:
        raise error.explained(hint=DEFERRED_HINT) from None


def refuse_stack_privileges(module: Module, change: CatalogChange) -> None:
    """Raise ModuleError where a module, by whatever statement, changed what the stack declares; it is rolled back.

    Those are the privileges on schema public, the default privileges in all schemas, and the database's own row.
    """
    declared = declared_by_stack(change)
    named = (identity.name.rpartition(" to ") for identity in declared if identity != DATABASE)
    places = [f"privileges of {grantee} on {subject}" for subject, _, grantee in named]
    _refuse(module, places + [_OF_THE_DATABASE] * (DATABASE in declared))


def last_writes(connection: Connection) -> dict[tuple[str, str], str]:
    """Return which transaction last wrote what the stack declares; for `refuse_written_privileges`."""
    rows = connection.execute(_WRITTEN_BY, (_OF_THE_DATABASE,)).fetchall()
    return {(place, identity): transaction for place, identity, transaction in rows}


def refuse_written_privileges(
    module: Module, before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]
) -> None:
    """Raise ModuleError where a revision wrote privileges that the stack declares.

    This costs two short queries. `refuse_stack_privileges` needs to know the whole change, for which statements may
    have to be run twice: too long for rows of databases in use.
    """
    written = {
        place
        for place, identity in {*before, *after}
        if before.get((place, identity)) != after.get((place, identity))
        and (not identity or ((place, identity) in before and (place, identity) in after))
    }
    _refuse(module, sorted(written))


def _refuse(module: Module, places: Sequence[str]) -> None:
    if places:
        what = f"changes {', '.join(places)}, {EACH_UNDOES_THE_OTHER}"
        raise ModuleError(what, path=module.path, hint=REMOVE_GRANTS)


def end_module(connection: Connection, session: Session, module: Module, *, others_follow: bool = False) -> None:
    """Check what is deferred, reset the session, and set the owner's role and the limits again; raises ModuleError."""
    rest = f"{RESET_ROLE}; {session.settings(connection)}; {DISCARD_REST}"
    _deallocate(connection, check_deferred(connection, session, module, others_follow=others_follow, then=rest))


def reset_session(connection: Connection) -> None:
    """Reset what a module's statements changed in its session, also one that failed."""
    _deallocate(connection, simple_query(connection, f"{RESET_ROLE}; {reset_settings(connection)}{DISCARD_REST}"))


def _deallocate(connection: Connection, results: list[PGresult]) -> None:
    """Deallocate the statements that the last row of `DISCARD_REST` names."""
    commands = results[-1].get_value(0, 0)
    if commands:
        simple_query(connection, commands.decode())

"""The passwords of login roles: which the server has, which it accepts, and how they become those of the state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.postgres.connection.connect import connect
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.connection.failure import ConnectionFailure, classify_connection_error
from infra.postgres.connection.target import REQUIRE_SCRAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target
    from infra.postgres.database_roles import DatabaseRoles

_VERIFIERS = "SELECT rolname::text, rolpassword FROM pg_catalog.pg_authid WHERE rolname = ANY (%s)"
"""What the server keeps of passwords, which superusers see."""

_MAY_LOG_IN = """
SELECT rolname::text FROM pg_catalog.pg_roles
WHERE rolname = ANY (%s) AND rolcanlogin AND coalesce(rolvaliduntil > pg_catalog.now(), true)
"""
_NAMES = "SELECT datname::text FROM pg_catalog.pg_database WHERE datname = ANY (%s)"

_IS_SUPERUSER = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user"


def other_passwords(
    target: Target, databases: Sequence[DatabaseRoles], passwords: Mapping[str, str], verifiers: Mapping[str, str]
) -> list[str]:
    """Return the login roles that exist and have another password than the state, by role in both mappings.

    A superuser sees it in the catalog. Another administrator has each role log in that may, once: a proof is sent, not
    the password.
    """
    with translated_errors(f"server {target.host}:{target.port}"), connect(target, autocommit=True) as connection:
        (is_superuser,) = connection.execute(_IS_SUPERUSER).fetchone() or (False,)
        if is_superuser:
            found = dict(connection.execute(_VERIFIERS, (list(verifiers),)).fetchall())
            return [role for role in verifiers if role in found and found[role] != verifiers[role]]
        existing = {name for (name,) in connection.execute(_NAMES, ([each.name for each in databases],)).fetchall()}
        may_log_in = {name for (name,) in connection.execute(_MAY_LOG_IN, (list(verifiers),)).fetchall()}
    return [
        role
        for database in databases
        for role in database.logins
        if database.name in existing
        and role in may_log_in
        and _is_refused(target.on(database.name), role, passwords[role])
    ]


def set_passwords(target: Target, roles: Sequence[str], verifiers: Mapping[str, str]) -> None:
    """Set the passwords of login roles to those of the state."""
    with (
        translated_errors(f"server {target.host}:{target.port}"),
        connect(target, autocommit=True) as connection,
        connection.transaction(),
    ):
        for role in roles:
            names = (sql.Identifier(role), sql.Literal(verifiers[role]))
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(*names))


def accepts_password(target: Target, role: str, password: str) -> bool:
    """Return whether a role logs in with a password of which the server asks for a proof."""
    if not password:
        return False
    try:
        with _log_in(target, role, password) as connection:
            return bool(connection.pgconn.used_password)
    except psycopg.OperationalError:
        return False


def _is_refused(target: Target, role: str, password: str) -> bool:
    """Return whether the server refuses a password; another reason why nobody gets in says nothing of it."""
    try:
        _log_in(target, role, password).close()
    except psycopg.OperationalError as error:
        return classify_connection_error(error, target) is ConnectionFailure.LOGIN_REFUSED
    return False


def _log_in(target: Target, role: str, password: str) -> Connection:
    """Connect as a role, by SCRAM alone: no other server that listens on the port gets the password."""
    options = {**target.options, **REQUIRE_SCRAM}
    return connect(replace(target, user=role, password=password, options=options))

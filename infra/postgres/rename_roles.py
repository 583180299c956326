"""Roles of a database that have other names in the settings: they keep what they own and may do.

The postgresql plugin creates a role of the new name, and would then drop the one of the old name with all that it may
do. So the two roles exchange their names first, and what is dropped is the role that the plugin created.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from psycopg import sql

from infra.catalog.role_names import with_role_names
from infra.postgres.connection.advisory_lock import advisory_lock
from infra.postgres.connection.connect import connect
from infra.postgres.introspection.reader import read_catalog
from infra.postgres.ledger.for_administrators import lock_ledger
from infra.postgres.ledger.ledger import rewrite_effects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

_LOCK_SECONDS = 60

_MEMBERS = """
SELECT pg_catalog.pg_get_userbyid(m.roleid)::text, pg_catalog.pg_get_userbyid(m.member)::text
FROM pg_catalog.pg_auth_members m
WHERE pg_catalog.pg_get_userbyid(m.roleid) = ANY (%s) AND pg_catalog.pg_get_userbyid(m.member) <> current_user
"""
"""The members of roles that the plugin created, of which they have to be members after the exchange too."""

_OIDS = "SELECT rolname::text, oid, pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles WHERE rolname = ANY (%s)"


def rename_roles(
    target: Target,
    names: Mapping[str, str],
    *,
    owner: str,
    verifiers: Mapping[str, str],
) -> set[str]:
    """Carry out new names of roles, given by old ones, in the target's database and its ledger, in one transaction.

    The role of the old name, which is the older one, gets the new name, and its SCRAM verifier if it has one. `owner`
    is the owner's new name. Return the new names of the roles for which that is done, now or before.
    """
    with (
        connect(target, autocommit=True) as connection,
        advisory_lock(connection, seconds=_LOCK_SECONDS, admin=target),
        connection.transaction(),
    ):
        rows = connection.execute(_OIDS, ([*names, *names.values()],)).fetchall()
        oids, quoted = {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}
        both = {old: new for old, new in names.items() if old in oids and new in oids}
        exchanged = {old: new for old, new in both.items() if oids[old] < oids[new]}
        before = read_catalog(connection)
        for role, member in connection.execute(_MEMBERS, ([*exchanged.values()],)).fetchall():
            old = next(old for old, new in exchanged.items() if new == role)
            _execute(connection, "GRANT {} TO {}", sql.Identifier(old), sql.Identifier(member))
        for old, new in exchanged.items():
            _exchange(connection, old, new)
            if new in verifiers:
                _execute(connection, "ALTER ROLE {} PASSWORD {}", sql.Identifier(new), sql.Literal(verifiers[new]))
        for old, new in exchanged.items():
            if new == owner:  # of the database, since the plugin created the role that has the old name now
                _execute(connection, "REASSIGN OWNED BY {} TO {}", sql.Identifier(old), sql.Identifier(new))
        changed = {quoted[old]: quoted[new] for old, new in exchanged.items()}
        if changed and lock_ledger(connection):
            after = read_catalog(connection)
            rewrite_effects(
                connection,
                lambda effect: with_role_names(effect, changed, before=before, after=after),
                step="rename roles",
            )
        return set(both.values())


def _exchange(connection: Connection, old: str, new: str) -> None:
    meanwhile = f"renamed_{uuid4().hex}"
    for name, other in ((new, meanwhile), (old, new), (meanwhile, old)):
        _execute(connection, "ALTER ROLE {} RENAME TO {}", sql.Identifier(name), sql.Identifier(other))


def _execute(connection: Connection, statement: str, *parts: sql.Composable) -> None:
    connection.execute(sql.SQL(statement).format(*parts))  # pyright: ignore[reportArgumentType] (no user's text)

"""Schemas that the roles of a database may not use, although default privileges let them use every new one.

Default privileges have no exceptions (manual, ALTER DEFAULT PRIVILEGES), so what they granted is revoked in the
transaction that created the schema. The owner's default privileges for schemas name no other roles than these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.catalog.catalog import ObjectId
from infra.catalog.changes import CatalogChange
from infra.postgres.ledger.for_administrators import lock_ledger
from infra.postgres.ledger.ledger import rewrite_effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.pool import Connection

GRANTED_BY_DEFAULT = """
SELECT pg_catalog.quote_ident(n.nspname), x.grantee::pg_catalog.regrole::text
FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) x
WHERE n.nspname = ANY (%s) AND n.nspowner = current_user::pg_catalog.regrole AND x.grantee <> n.nspowner
    AND x.grantee IN (
        SELECT granted.grantee FROM pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) granted
        WHERE d.defaclrole = n.nspowner AND d.defaclnamespace = 0 AND d.defaclobjtype = 'n'
    )
"""
"""The schemas of the current role, quoted, that those may use who are named in its default privileges: these too."""

_EXISTING = """
SELECT n.nspname::text, pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(r.rolname),
    pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
FROM pg_catalog.pg_namespace n, pg_catalog.pg_roles r WHERE n.nspname = ANY (%s) AND r.rolname = ANY (%s)
"""


def revoke_granted_by_default(connection: Connection, schemas: Sequence[str]) -> None:
    """Revoke what default privileges granted on private schemas, as their owner, in the transaction of a module."""
    for schema, grantee in connection.execute(GRANTED_BY_DEFAULT, (list(schemas),)).fetchall() if schemas else ():
        connection.execute(f"REVOKE ALL ON SCHEMA {schema} FROM {grantee}".encode())


def change_private_schemas(
    connection: Connection, roles: Sequence[str], *, private: Sequence[str], former: Sequence[str] = ()
) -> None:
    """Revoke the use of private schemas that exist from some roles, and grant that of those that are so no longer.

    The ledger has afterwards what the modules would have done.
    """
    changed: dict[ObjectId, bool] = {}
    known = list({*private, *former})
    for name, schema, role, may_use in connection.execute(_EXISTING, (known, list(roles))).fetchall() if known else ():
        grants = name not in private
        if grants != may_use:
            verb, to = ("GRANT USAGE", "TO") if grants else ("REVOKE ALL", "FROM")
            connection.execute(f"{verb} ON SCHEMA {schema} {to} {role}".encode())
        if grants != (name not in former):
            changed[ObjectId("privileges", f"schema {schema} to {role}")] = grants
    if changed and lock_ledger(connection):
        rewrite_effects(connection, lambda effect: _rewritten(effect, changed), step="private schemas")


def _rewritten(effect: CatalogChange, changed: dict[ObjectId, bool]) -> CatalogChange:
    """Return the effect of a module with the privileges on the schemas that it created as they are now."""
    objects = {identity: text for identity, text in effect.objects.items() if identity not in changed}
    for identity, grants in changed.items():
        kind, _, name = identity.name.rpartition(" to ")[0].partition(" ")
        if grants and ObjectId(kind, name) in effect.objects:
            objects[identity] = "USAGE"
    return CatalogChange(objects, effect.changed & objects.keys())

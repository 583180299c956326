"""What roles may do in a database, and what they and it are, where that is not as the stack declares it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from infra.postgres.connection.connect import connect, connect_near
from infra.postgres.connection.target import MAINTENANCE_DATABASE
from infra.postgres.declared_attributes import Deviation, closing_deviations, deviations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.access import Access
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

_PRIVILEGES = """
SELECT place, grantee, pg_catalog.string_agg(privilege, ', ' ORDER BY privilege)
FROM (
    SELECT 'database', x.grantee, x.privilege_type || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END
    FROM pg_catalog.pg_database d,
        pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) x
    WHERE d.datname = %(database)s AND x.grantee <> d.datdba
    UNION ALL
    SELECT 'schema ' || n.nspname, x.grantee,
        x.privilege_type || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END
    FROM pg_catalog.pg_namespace n,
        pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) x
    WHERE n.nspname = ANY (%(schemas)s)
      AND (x.grantee <> n.nspowner OR pg_catalog.pg_get_userbyid(x.grantee) = %(owner)s AND n.nspname = 'public')
    UNION ALL
    SELECT
        CASE d.defaclobjtype WHEN 'r' THEN 'future tables' WHEN 'S' THEN 'future sequences' ELSE 'future schemas' END,
        x.grantee,
        x.privilege_type || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END
    FROM pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) x
    WHERE d.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = %(owner)s)
      AND d.defaclnamespace = 0 AND d.defaclobjtype IN ('r', 'S', 'n') AND x.grantee <> d.defaclrole
    UNION ALL
    SELECT DISTINCT 'role ' || r.rolname, m.member,
        'MEMBER' || CASE WHEN m.admin_option THEN ' with admin option' ELSE '' END
    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.roleid
        JOIN pg_catalog.pg_roles s ON s.oid = m.member
    WHERE r.rolname = ANY (%(roles)s) AND s.rolname <> current_user AND NOT s.rolsuper AND NOT s.rolcreaterole
) AS granted (place, role, privilege)
CROSS JOIN LATERAL (
    SELECT CASE WHEN role = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(role) END
) AS named (grantee)
GROUP BY place, grantee
"""
"""What roles other than each object's owner have: place, grantee, privileges in the order of their names.

Members of roles are left out that are administrators: superusers, and those who may create roles.
"""


def privileges_of(connection: Connection, database: str, access: Access) -> list[tuple[Any, ...]]:
    """Return what roles have, by place and grantee: of a private schema, what those have that may not use it."""
    rows = connection.execute(_PRIVILEGES, {**access.parameters, "database": database}).fetchall()
    private, expected = {f"schema {schema}" for schema in access.private_schemas}, access.privileges()

    def is_allowed(place: str, grantee: str) -> bool:
        name = f"privileges {place} to {grantee}"
        return (place, grantee) not in expected and any(fnmatchcase(name, pattern) for pattern in access.allowed)

    return [
        row
        for row in rows
        if (row[0] not in private or row[1] in {access.app, access.readonly}) and not is_allowed(*row[:2])
    ]


def attributes_of(connection: Connection, database: str, access: Access) -> list[Deviation]:
    """Return what a database and its roles are or set, and are not to."""
    logins = [access.migrator, access.app, access.readonly, *access.further]
    return _not_declared(deviations(connection, database, access.owner, logins), access)


def _not_declared(found: Sequence[Deviation], access: Access) -> list[Deviation]:
    """Return the deviations that neither the program nor `modules.unmanaged` expects."""
    return [
        item
        for item in found
        if not item.what.startswith(tuple(access.attributes.get(item.subject.removeprefix("role "), ())))
        and not any(fnmatchcase(item.pattern, pattern) for pattern in access.allowed)
    ]


def closing_attributes(connection: Connection, database: str, access: Access) -> list[Deviation]:
    """Return what keeps sessions out of a database, read from another one of its server; raises RefusedError."""
    return _not_declared(closing_deviations(connection, database, access.owner), access)


def access_drift(target: Target, access: Access, outside: str = MAINTENANCE_DATABASE) -> list[str] | None:
    """Return a sentence for each grantee whose privileges are not as they are to be; None without the database.

    Memberships in the roles are among them, and what the roles are and are set to. What is granted on modules' objects
    is in the plan of the database. Of a database that lets nobody in, what does that is read `outside` of it.
    """
    connection = connect_near(target, outside)
    if connection and connection.info.dbname != target.database:
        with connection:
            closing = closing_attributes(connection, target.database, access)
        if closing:
            return list(map(str, closing))
        connection = connect(target)  # it was full for a moment, or is closed as `modules.unmanaged` expects it
    if connection is None:
        return None
    with connection:
        rows = privileges_of(connection, target.database, access)
        attributes = attributes_of(connection, target.database, access)
    expected = access.privileges()
    found = {(place, grantee): privileges for place, grantee, privileges in rows}
    return [str(deviation) for deviation in attributes] + [
        f"{grantee} has {found.get((place, grantee), 'no privilege')} on {place}, "
        f"and is to have {expected.get((place, grantee), 'none')}"
        for place, grantee in sorted({*expected, *found})
        if found.get((place, grantee)) != expected.get((place, grantee))
    ]


def may_have_drifted(connection: Connection, database: str, access: Access) -> bool:
    """Return whether a database's roles, its own privileges, its attributes or settings are not as they are to be.

    These are read from any database of the server. What a module sets is not known there, and looks like drift.
    """
    found = {(place, role): privileges for place, role, privileges in privileges_of(connection, database, access)}
    expected = access.privileges()
    return bool(attributes_of(connection, database, access)) or any(
        found.get(key) != expected.get(key)
        for key in {*found, *expected}
        if key[0] == "database" or key[0].startswith("role ")
    )

"""Who may do what in a database: its privileges, those of its schemas, default privileges (PostgreSQL manual, 5.8)."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a field's type
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from psycopg import sql

from infra.postgres.connection.connect import connect, connect_near
from infra.postgres.connection.target import MAINTENANCE_DATABASE
from infra.postgres.declared_attributes import Deviation, closing_deviations, deviations, take_back
from infra.postgres.memberships import revoke_membership
from infra.postgres.private_schemas import change_private_schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

PUBLIC = "PUBLIC"
READ, WRITE, SEQUENCE_USE = "SELECT", "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"

_REVOKE_ON_DATABASE = "REVOKE ALL ON DATABASE {database} FROM PUBLIC, {readers}"
_GRANTS_ON_DATABASE = (
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {app}",
    "GRANT CONNECT ON DATABASE {database} TO {readonly}",
)

SCHEMAS = """
SELECT nspname FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'sqlmodule', 'public')
  AND pg_catalog.pg_has_role(%s, nspowner, 'USAGE')
"""
"""The schemas of the owner, beside public: whoever reads the tables in them has to be allowed to use them."""

PRIVILEGES = """
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


@dataclass(frozen=True)
class Access:
    """The roles of a database: who owns what is in it, who writes rows (app), who reads them (readonly), who migrates.

    The migrator is a member of the owner, each `further` role of the one that it inherits from. App and readonly may
    use no `private_schemas`. What other roles have that matches `allowed` (`privileges * to reporting`) is left alone,
    as are settings and attributes of any role and of the database (`setting work_mem of *`), and the `attributes` that
    are declared elsewhere, by the name of the role, or by `database x`.
    """

    owner: str
    app: str
    readonly: str
    migrator: str
    further: Mapping[str, str] = field(default_factory=dict[str, str])
    private_schemas: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of PRIVILEGES, but for the database."""
        return {
            "owner": self.owner,
            "roles": [self.owner, self.app, self.readonly, self.migrator],
            "schemas": ["public", *self.private_schemas],
        }

    @property
    def memberships(self) -> dict[str, str]:
        """The roles of which the logins are members, by the logins."""
        return {self.migrator: self.owner, **self.further}

    def privileges(self) -> dict[tuple[str, str], str]:
        """Return what each role is to have, by place and grantee, in the form of PRIVILEGES."""
        return {
            ("database", self.app): "CONNECT, TEMPORARY",
            ("database", self.readonly): "CONNECT",
            ("schema public", self.owner): "CREATE, USAGE",
            ("schema public", self.app): "USAGE",
            ("schema public", self.readonly): "USAGE",
            ("future tables", self.app): "DELETE, INSERT, SELECT, UPDATE",
            ("future tables", self.readonly): "SELECT",
            ("future sequences", self.app): "SELECT, USAGE",
            ("future schemas", self.app): "USAGE",
            ("future schemas", self.readonly): "USAGE",
            **{(f"role {role}", member): "MEMBER" for member, role in self.memberships.items()},
        }


def restrict(target: Target, *, owner: str, readers: Sequence[str]) -> None:
    """Revoke every privilege on the database and on schema public from PUBLIC, which is every role there is.

    In the schema the owner is granted CREATE and USAGE, the readers are granted USAGE.
    """
    with connect(target) as connection:
        _restrict(connection, owner, readers)


def _restrict(connection: Connection, owner: str, readers: Sequence[str]) -> None:
    statements = (
        _REVOKE_ON_DATABASE,
        "REVOKE ALL ON SCHEMA public FROM PUBLIC, {readers}",
        "GRANT CREATE, USAGE ON SCHEMA public TO {owner}",
        "GRANT USAGE ON SCHEMA public TO {readers}",
    )
    names = {
        "database": sql.Identifier(connection.info.dbname),
        "owner": sql.Identifier(owner),
        "readers": sql.SQL(", ").join(map(sql.Identifier, readers)),
    }
    for statement in statements:
        connection.execute(sql.SQL(statement).format(**names))


def grant_access(target: Target, access: Access, former: Access | None = None, *, revoke_others: bool = False) -> None:
    """Grant a database's roles what they are to have, and PUBLIC nothing, in one transaction.

    With `former` what exists already is granted too, to each role that has another name than it had: default privileges
    concern only what is created later. With `revoke_others` all that `access_drift` reports is revoked first.
    """
    with connect(target) as connection:
        grant_by(connection, access, former, revoke_others=revoke_others)


def grant_by(
    connection: Connection, access: Access, former: Access | None = None, *, revoke_others: bool = False
) -> None:
    """Grant what `grant_access` does, in the current transaction of an administrator's connection."""
    future = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT"
    statements = (
        *_GRANTS_ON_DATABASE,
        f"{future} {WRITE} ON TABLES TO {{app}}",
        f"{future} {SEQUENCE_USE} ON SEQUENCES TO {{app}}",
        f"{future} {READ} ON TABLES TO {{readonly}}",
        f"{future} USAGE ON SCHEMAS TO {{app}}, {{readonly}}",
    )
    names = {
        "database": sql.Identifier(connection.info.dbname),
        "owner": sql.Identifier(access.owner),
        "app": sql.Identifier(access.app),
        "readonly": sql.Identifier(access.readonly),
    }
    if revoke_others:
        take_back(connection, _deviations(connection, connection.info.dbname, access), access.owner)
        _revoke_others(connection, access)
        for member, role in access.memberships.items():
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(member)))
    _restrict(connection, access.owner, [access.app, access.readonly])
    for statement in statements:
        connection.execute(sql.SQL(statement).format(**names))  # pyright: ignore[reportArgumentType] (constants)
    if former:
        _grant_existing(connection, access, former)
    change_private_schemas(
        connection,
        [access.app, access.readonly],
        private=access.private_schemas,
        former=former.private_schemas if former else (),
    )


def _privileges(connection: Connection, database: str, access: Access) -> list[tuple[Any, ...]]:
    """Return what roles have, by place and grantee: of a private schema, what those have that may not use it."""
    rows = connection.execute(PRIVILEGES, {**access.parameters, "database": database}).fetchall()
    private, expected = {f"schema {schema}" for schema in access.private_schemas}, access.privileges()

    def is_allowed(place: str, grantee: str) -> bool:
        name = f"privileges {place} to {grantee}"
        return (place, grantee) not in expected and any(fnmatchcase(name, pattern) for pattern in access.allowed)

    return [
        row
        for row in rows
        if (row[0] not in private or row[1] in {access.app, access.readonly}) and not is_allowed(*row[:2])
    ]


def _deviations(connection: Connection, database: str, access: Access) -> list[Deviation]:
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


def drop_owned(target: Target, roles: Sequence[str]) -> None:
    """Revoke what roles that are to be dropped may do in a database, and drop what they own in it."""
    with connect(target) as connection:
        existing = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY (%s)"
        for (name,) in connection.execute(existing, (list(roles),)).fetchall():
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))


def grants_on_database(database: str, access: Access) -> list[sql.Composed]:
    """Return the statements about the database alone, which CREATE DATABASE does not copy from a template."""
    names = {
        "database": sql.Identifier(database),
        "app": sql.Identifier(access.app),
        "readonly": sql.Identifier(access.readonly),
        "readers": sql.SQL(", ").join(map(sql.Identifier, (access.app, access.readonly))),
    }
    return [sql.SQL(statement).format(**names) for statement in (_REVOKE_ON_DATABASE, *_GRANTS_ON_DATABASE)]


def _revoke_others(connection: Connection, access: Access) -> None:
    """Revoke what is not as it is to be; default privileges of an access's own roles are granted again afterwards."""
    expected = access.privileges()
    for place, grantee, privileges in _privileges(connection, connection.info.dbname, access):
        if expected.get((place, grantee)) == privileges:
            continue
        kind, _, name = place.partition(" ")
        role = sql.SQL("PUBLIC") if grantee == PUBLIC else sql.Identifier(grantee)
        if kind == "role":
            revoke_membership(connection, name, grantee)
        elif kind == "future":
            creator = sql.Identifier(access.owner)
            statement = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} REVOKE ALL ON {} FROM {}")
            connection.execute(statement.format(creator, sql.SQL(name.upper()), role))
        else:
            what = sql.SQL(kind.upper()), sql.Identifier(name or connection.info.dbname)
            connection.execute(sql.SQL("REVOKE ALL ON {} {} FROM {} CASCADE").format(*what, role))


def _grant_existing(connection: Connection, access: Access, former: Access) -> None:
    """Grant new roles what their predecessors had on tables, sequences and schemas that exist."""
    schemas = ["public", *(row[0] for row in connection.execute(SCHEMAS, (access.owner,)))]
    schemas = [schema for schema in schemas if schema not in access.private_schemas]
    grants = {
        access.app: ((WRITE, "ALL TABLES IN SCHEMA"), (SEQUENCE_USE, "ALL SEQUENCES IN SCHEMA"), ("USAGE", "SCHEMA")),
        access.readonly: ((READ, "ALL TABLES IN SCHEMA"), ("USAGE", "SCHEMA")),
    }
    for role in {access.app, access.readonly} - {former.app, former.readonly}:
        for schema in schemas:
            for privileges, objects in grants[role]:
                statement = sql.SQL(f"GRANT {privileges} ON {objects} {{}} TO {{}}")  # pyright: ignore[reportArgumentType]
                connection.execute(statement.format(sql.Identifier(schema), sql.Identifier(role)))


def open_database(target: Target, access: Access, outside: Target) -> None:
    """Reset what keeps sessions out of a database, through `outside`, another one of its server."""
    with connect(outside) as connection:
        take_back(connection, _closing(connection, target.database, access), access.owner)


def _closing(connection: Connection, database: str, access: Access) -> list[Deviation]:
    return _not_declared(closing_deviations(connection, database, access.owner), access)


def access_drift(target: Target, access: Access, outside: str = MAINTENANCE_DATABASE) -> list[str] | None:
    """Return a sentence for each grantee whose privileges are not as they are to be; None without the database.

    Memberships in the roles are among them, and what the roles are and are set to. What is granted on modules' objects
    is in the plan of the database. Of a database that lets nobody in, what does that is read `outside` of it.
    """
    connection = connect_near(target, outside)
    if connection and connection.info.dbname != target.database:
        with connection:
            closing = _closing(connection, target.database, access)
        if closing:
            return list(map(str, closing))
        connection = connect(target)  # it was full for a moment, or is closed as `modules.unmanaged` expects it
    if connection is None:
        return None
    with connection:
        rows = _privileges(connection, target.database, access)
        attributes = _deviations(connection, target.database, access)
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
    found = {(place, role): privileges for place, role, privileges in _privileges(connection, database, access)}
    expected = access.privileges()
    return bool(_deviations(connection, database, access)) or any(
        found.get(key) != expected.get(key)
        for key in {*found, *expected}
        if key[0] == "database" or key[0].startswith("role ")
    )

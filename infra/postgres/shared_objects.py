"""Roles and databases, the objects that all databases of a server share: which exist, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from infra.errors import RefusedError
from infra.postgres.connection.connect import connect
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.database_roles import CREATE_DATABASE, database_label, role_label
from infra.postgres.declared_attributes import refuse_half_dropped
from infra.postgres.memberships import admin_grants
from infra.postgres.role_passwords import accepts_password

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Mapping, Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target
    from infra.postgres.database_roles import DatabaseRoles

_ROLES = """
SELECT r.rolname::text,
    a.rolsuper OR NOT r.rolsuper AND (
        pg_catalog.current_setting('server_version_num')::int < 160000
        OR pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')
    ),
    ARRAY(
        SELECT pg_catalog.pg_get_userbyid(m.roleid)::text FROM pg_catalog.pg_auth_members m WHERE m.member = r.oid
    )
FROM pg_catalog.pg_roles r, pg_catalog.pg_roles a
WHERE r.rolname = ANY (%s) AND a.rolname = current_user
"""
"""Whether the administrator may alter a role: from PostgreSQL 16 on CREATEROLE alone is not enough (manual, 22.2)."""

_DATABASES = """
SELECT d.datname::text, pg_catalog.pg_get_userbyid(d.datdba)::text, pg_catalog.pg_has_role(d.datdba, 'USAGE')
FROM pg_catalog.pg_database d WHERE d.datname = ANY (%s)
"""


_TEMPLATE = """
SELECT FROM pg_catalog.pg_database d
WHERE d.datname = %s AND NOT d.datallowconn AND pg_catalog.pg_get_userbyid(d.datdba) = current_user
  AND pg_catalog.shobj_description(d.oid, 'pg_database') = %s
"""


@dataclass(frozen=True)
class _Existing:
    """What is on a server of the databases and roles that a stack declares, by name.

    `objects` are the labels in the order of creation, `alterable` those that the administrator may alter.
    """

    objects: Sequence[str]
    memberships: Mapping[str, Collection[str]]
    owners: Mapping[str, str]
    alterable: frozenset[str]


def find_existing(target: Target, databases: Sequence[DatabaseRoles]) -> list[str]:
    """Return which of the databases and their roles exist, as labels; raises ServerError where none can be read."""
    return list(_read(target, databases).objects)


def has_template(target: Target, name: str, mark: str) -> bool:
    """Return whether the server has a template that is finished and the administrator's; raises ServerError."""
    with translated_errors(_place(target)), connect(target, autocommit=True) as connection:
        return connection.execute(_TEMPLATE, (name, mark)).fetchone() is not None


def find_ours(
    target: Target,
    databases: Sequence[DatabaseRoles],
    *,
    recorded: Collection[str],
    renamed: Mapping[str, str],
    passwords: Mapping[str, str],
    adopt: bool | Collection[str],
) -> tuple[list[str], list[str]]:
    """Return which of the databases and their roles exist, and which of those are taken over, as labels.

    An object is the stack's if an earlier run recorded it (`recorded`), or if its role accepts the password that the
    state has (`passwords`, by role). The others are taken over where `adopt` names them, or is True. Raises
    RefusedError for the rest, for what the administrator may not alter, and where a role is to be `renamed` (new names
    by old ones) to one that exists.
    """
    existing = _read(target, databases)
    unrecorded = [label for label in existing.objects if label not in recorded]
    if not unrecorded:
        return list(existing.objects), []
    place = _place(target)
    for old, new in renamed.items():
        if role_label(new) in unrecorded:
            raise RefusedError(
                f"has role {new} already, so that role {old} cannot be renamed to it",
                place=place,
                remedy=f"choose a name that no role has, or rename {new} first",
            )
    proved = {label for database in databases for label in _proved(target, database, existing, passwords)}
    others = [label for label in unrecorded if label not in proved]
    foreign = [label for label in others if adopt is not True and not (adopt and _name(label) in adopt)]
    if foreign:
        setting = (
            "set server.adopt to true" if adopt is False else f"add {_joined(map(_name, foreign))} to server.adopt"
        )
        raise RefusedError(
            f"has {_joined(foreign)} already, which this stack did not create",
            place=place,
            remedy=f"choose other names or, to take over what is there, {setting}",
        )
    blocked = [label for label in others if label not in existing.alterable]
    if blocked:
        roles = sorted({existing.owners.get(_name(label), _name(label)) for label in blocked})
        raise RefusedError(
            f"{_joined(blocked)} cannot be taken over, because {target.user} may not alter them",
            place=place,
            remedy=f"have a superuser run GRANT {', '.join(roles)} TO {target.user} WITH ADMIN OPTION",
        )
    return list(existing.objects), others


def recreate(
    target: Target, databases: Sequence[DatabaseRoles], labels: Collection[str], verifiers: Mapping[str, str]
) -> None:
    """Create those of the databases and roles that the labels name, each as it was declared; `verifiers` are by role.

    What somebody has created in the meantime is left as it is.
    """
    with translated_errors(_place(target)), connect(target, autocommit=True) as connection:
        existing = _read_by(connection, databases)
        wanted = {label for label in labels if label not in existing.objects}
        with connection.transaction():
            for database in databases:
                for statement in _creation_of_roles(database, wanted, verifiers):
                    connection.execute(statement)
                new = [name for name in (database.owner, *database.logins) if role_label(name) in wanted]
                for statement in admin_grants(connection, new):
                    connection.execute(statement)
        for database in databases:
            if database_label(database.name) in wanted:
                names = (sql.Identifier(database.name), sql.Identifier(database.owner))
                connection.execute(sql.SQL(CREATE_DATABASE).format(*names))


def _creation_of_roles(
    database: DatabaseRoles, labels: Collection[str], verifiers: Mapping[str, str]
) -> Generator[sql.Composed]:
    """Yield what creates roles as the postgresql plugin does, with what is PostgreSQL's default but for the limit."""
    owner = sql.Identifier(database.owner)
    if role_label(database.owner) in labels:
        yield sql.SQL("CREATE ROLE {} NOLOGIN VALID UNTIL 'infinity'").format(owner)
    for name in database.logins:
        if role_label(name) in labels:
            verifier = sql.Literal(verifiers[name])
            created = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} VALID UNTIL 'infinity'")
            yield created.format(sql.Identifier(name), verifier)
    if {role_label(database.owner), role_label(database.migrator)} & {*labels}:
        yield sql.SQL("GRANT {} TO {}").format(owner, sql.Identifier(database.migrator))


def _read(target: Target, databases: Sequence[DatabaseRoles]) -> _Existing:
    with translated_errors(_place(target)), connect(target, autocommit=True) as connection:
        return _read_by(connection, databases)


def _read_by(connection: Connection, databases: Sequence[DatabaseRoles]) -> _Existing:
    roles = [role for database in databases for role in (database.owner, *database.logins)]
    wanted = {database.name: database.owner for database in databases}
    role_rows = connection.execute(_ROLES, (roles,)).fetchall()
    database_rows = connection.execute(_DATABASES, (list(wanted),)).fetchall()
    refuse_half_dropped(connection, list(wanted))
    alterable = [role_label(name) for name, may_alter, _ in role_rows if may_alter]
    alterable += [
        database_label(name) for name, owner, is_member in database_rows if is_member or owner == wanted[name]
    ]
    found = {*(role_label(row[0]) for row in role_rows), *(database_label(row[0]) for row in database_rows)}
    return _Existing(
        [label for database in databases for label in database.objects if label in found],
        {name: memberships for name, _, memberships in role_rows},
        {name: owner for name, owner, _ in database_rows},
        frozenset(alterable),
    )


def _proved(target: Target, database: DatabaseRoles, existing: _Existing, passwords: Mapping[str, str]) -> list[str]:
    """Return the labels of what the passwords prove to be the stack's.

    A role that accepts its password; the owner of which such a migrator is a member; the database of such an owner.
    """
    place = target.on(database.name if database.name in existing.owners else target.database)
    labels = [
        role_label(role)
        for role in database.logins
        if role in existing.memberships and accepts_password(place, role, passwords.get(role, ""))
    ]
    if role_label(database.migrator) in labels and database.owner in existing.memberships[database.migrator]:
        labels.append(role_label(database.owner))
        if existing.owners.get(database.name) == database.owner:
            labels.append(database_label(database.name))
    return labels


def _place(target: Target) -> str:
    return f"server {target.host}:{target.port}"


def _name(label: str) -> str:
    return label.partition(" ")[2]


def _joined(words: Iterable[str]) -> str:
    """Return words as `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last

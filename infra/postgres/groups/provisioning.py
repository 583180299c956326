"""The databases of a group: created with extensions and privileges where they are missing, compared, and dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.database_roles import CREATE_DATABASE
from infra.postgres.extensions import create_extensions
from infra.postgres.groups.clones_of_templates import clone, finish_clone, is_unfinished_clone
from infra.postgres.groups.modules import visits
from infra.postgres.groups.roles import foreign_roles
from infra.postgres.ledger.identity import create_ledger, ledger_exists
from infra.postgres.privileges import grant_by, open_database

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from infra.modules.module import Module
    from infra.postgres.groups.group import GroupSpec

EXISTING_DATABASES = """
SELECT d.datname::text, r.rolname::text FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba
WHERE d.datname = ANY (%s)
"""

NOT_OURS = (
    "is there already, and this stack did not create it; choose another name, drop it, or take it over by server.adopt"
)


def existing_databases(group: GroupSpec, databases: Sequence[str]) -> dict[str, str]:
    """Return the owner of each of these databases that exists."""
    with connect(group.admin, autocommit=True) as connection:
        return dict(connection.execute(EXISTING_DATABASES, (list(databases),)).fetchall())


def refusals(group: GroupSpec, databases: Sequence[str], *, adopt: bool | Collection[str]) -> dict[str, str]:
    """Return why databases cannot be created: they, or roles of their names, exist and are not this group's.

    What `adopt` names, or all where it is True, is taken over.
    """
    if adopt is True or not databases:
        return {}
    with connect(group.admin, autocommit=True) as connection:
        roles = foreign_roles(connection, group, databases)
    found: dict[str, list[str]] = {}
    for database, names in roles.items():
        found.setdefault(database, []).extend(f"role {name}" for name in names if not adopt or name not in adopt)
    for database, owner in existing_databases(group, databases).items():
        if owner != group.role(database, "owner") and not (adopt and database in adopt):
            found.setdefault(database, []).append(f"database {database} of the owner {owner}")
    return {database: f"{', '.join(what)} {NOT_OURS}" for database, what in found.items() if what}


def ensure_database(
    group: GroupSpec, database: str, extensions: Sequence[str], template: str = "", modules: Sequence[Module] = ()
) -> str:
    """Create a database, if it does not exist, with its privileges and extensions; its roles must exist.

    Where it is new it is a clone of the template, if there is one, which has these modules. Return what was done.

    It has a ledger from the beginning: one without was emptied by somebody, also where no module was applied yet.
    """
    owner = group.role(database, "owner")
    with pool.connection(group.admin) as connection:
        exists = bool(connection.execute(EXISTING_DATABASES, ([database],)).fetchone())
        if not exists and not template:
            statement = sql.SQL(CREATE_DATABASE).format(sql.Identifier(database), sql.Identifier(owner))
            connection.execute(statement)
    if template and (not exists or is_unfinished_clone(group, database, template)):
        act = finish_clone if exists else clone
        complete = act(group, database, template, modules)
        visits.keep(group.session(database, group.template.tell), complete, modules)
        return "cloned"
    prepare_database(group, database, extensions, is_new=True)
    return "created"


def prepare_database(
    group: GroupSpec, database: str, extensions: Sequence[str], *, is_new: bool = False, revoke_others: bool = False
) -> None:
    """Grant a database's roles what they are to have, and create the extensions that it lacks.

    With `is_new` it gets a ledger too. With `revoke_others` other roles lose what they have, which is for a drift that
    was reported.
    """
    session = group.session(database, group.template.tell)
    if revoke_others:
        open_database(group.admin.on(database), group.access(database), group.admin)
    with connect(group.admin.on(database), autocommit=True) as connection:
        with connection.transaction():
            grant_by(connection, group.access(database), revoke_others=revoke_others)
            create_extensions(connection, extensions)
        if is_new and not ledger_exists(connection):
            with session.transaction(connection):
                create_ledger(connection, session.program)


def drop_database(group: GroupSpec, database: str) -> None:
    """Drop a database, if it exists, and end the sessions in it."""
    with pool.connection(group.admin) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

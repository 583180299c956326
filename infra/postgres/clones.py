"""Clones of databases: CREATE DATABASE with a template, and what that does not copy (PostgreSQL manual, 23.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.declared_attributes import DatabaseSetting, parameter_name, set_in_session
from infra.postgres.privileges import grants_on_database

if TYPE_CHECKING:
    from infra.postgres.access import Access
    from infra.postgres.connection.pool import Connection

_STRATEGY_SINCE = 150_000  # before, a clone was always a copy of the files
_SETTINGS = """
SELECT r.rolname::text, pg_catalog.split_part(setting, '=', 1), pg_catalog.substr(setting, strpos(setting, '=') + 1)
FROM pg_catalog.pg_db_role_setting s
JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = %s
LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
CROSS JOIN pg_catalog.unnest(s.setconfig) AS setting
"""


def settings_of_database(connection: Connection, database: str) -> list[DatabaseSetting]:
    """Return the parameters that a database sets."""
    return [DatabaseSetting(*row) for row in connection.execute(_SETTINGS, (database,)).fetchall()]


def clone_database(
    connection: Connection,
    name: str,
    template: str,
    access: Access,
    settings: list[DatabaseSetting],
    *,
    copies_files: bool = False,
) -> None:
    """Create a database like a template, with the same roles, through an administrator's autocommit connection.

    Nobody may be connected to the template. By default the server writes the pages to its log (WAL_LOG), which is
    quicker than `copies_files` but where nothing is written safely.
    """
    is_choice = copies_files and connection.info.server_version >= _STRATEGY_SINCE
    create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}" + (" STRATEGY file_copy" if is_choice else ""))  # pyright: ignore[reportArgumentType]
    connection.execute(create.format(*map(sql.Identifier, (name, access.owner, template))))
    for statement in grants_on_database(name, access):
        connection.execute(statement)
    for setting in settings:
        _set(connection, name, setting)


def _set(connection: Connection, database: str, setting: DatabaseSetting) -> None:
    """Set a parameter of a database."""
    subject = sql.SQL("DATABASE {}").format(sql.Identifier(database))
    if setting.role:
        subject = sql.SQL("ROLE {} IN {}").format(sql.Identifier(setting.role), subject)
    with connection.transaction():
        set_in_session(connection, setting)
        statement = sql.SQL("ALTER {} SET {} FROM CURRENT").format(subject, parameter_name(setting.parameter))
        connection.execute(statement)

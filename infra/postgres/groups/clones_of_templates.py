"""Databases of a group that are clones of its template: each with owners, privileges and a ledger of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import sql

from infra.catalog.catalog import ACCESS
from infra.catalog.changes import CatalogChange
from infra.plan.ledger_rows import own_rows
from infra.postgres.apply import planning
from infra.postgres.apply.live_status import read_status
from infra.postgres.clones import clone_database
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.groups.modules import completeness_of
from infra.postgres.groups.templates import template_owner
from infra.postgres.introspection.copied_rows import copied_rows
from infra.postgres.introspection.reader import read_catalog_version
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import current_identity, ledger_exists, write_identity
from infra.postgres.privileges import READ, SEQUENCE_USE, WRITE, grant_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.plan.database_status import DatabaseStatus
    from infra.postgres.access import Access
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.groups.group import GroupSpec
    from infra.postgres.groups.modules import Completeness

CLONED = "clone"
"""The step of the events that a clone's ledger gets."""

_OWNED = """
SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname <> 'sqlmodule'
  AND pg_catalog.pg_get_userbyid(c.relowner) = %(owner)s
UNION ALL
SELECT 'SCHEMA', pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace
WHERE nspname <> 'sqlmodule' AND pg_catalog.pg_get_userbyid(nspowner) = %(owner)s
"""


def clone(group: GroupSpec, database: str, template: str, modules: Sequence[Module]) -> Completeness:
    """Create a database of a group as a clone of a template, and return what it has; its roles must exist."""
    with pool.connection(group.admin) as connection:
        clone_database(connection, database, template, group.access(database), [])
    return finish_clone(group, database, template, modules)


def finish_clone(group: GroupSpec, database: str, template: str, modules: Sequence[Module]) -> Completeness:
    """Pass what is in a clone to its owner, grant its roles what they are to have, and make the ledger its own."""
    session = group.session(database, group.template.tell)
    return completeness_of(pass_clone(session, group.access(database), template_owner(template), modules), session)


def pass_clone(session: Session, access: Access, owner: str, modules: Sequence[Module]) -> DatabaseStatus:
    """Do with a clone what `finish_clone` does, given the role to which all in it belongs; return its status."""
    owners = sql.Identifier(owner), sql.Identifier(access.owner)
    with connect(session.admin, autocommit=True) as connection, connection.transaction():
        connection.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(*owners))
        grant_by(connection, access)
    with pool.connection(session.target) as connection:  # whose rights are all that a trigger of a module's would have
        with session.transaction(connection):
            _grant_existing(connection, access)
        version = read_catalog_version(connection)
        status = read_status(connection, session.program)
        with session.transaction(connection):
            ledger.take_over_rows(connection, session.program)
            ledger.rewrite_effects(connection, lambda effect: _with_access(effect, status), step=CLONED)
            write_identity(connection, current_identity(connection, session.program))
        rows = {entry.module: entry for entry in ledger.read_entries(connection)}
        status = replace(status, identity=status.current, entries=own_rows(rows, session.program))
        planning.record_status(connection, session, modules, status, version)
    return status


def is_unfinished_clone(group: GroupSpec, database: str, template: str) -> bool:
    """Return whether a database is a clone of this template whose ledger is still the template's."""
    with connect(group.admin.on(database), autocommit=True) as connection:
        rows = copied_rows(connection, "sqlmodule.identity", ["database"]) if ledger_exists(connection) else []
        row = connection.execute(
            "SELECT oid::text FROM pg_catalog.pg_database WHERE datname = %s", (template,)
        ).fetchone()
    return row in rows


def _grant_existing(connection: Connection, access: Access) -> None:
    """Grant on what exists what default privileges would have granted, as its owner."""
    grants = {
        "TABLE": ((WRITE, access.app), (READ, access.readonly)),
        "SEQUENCE": ((SEQUENCE_USE, access.app),),
        "SCHEMA": (("USAGE", access.app), ("USAGE", access.readonly)),
    }
    statements = [
        sql.SQL(f"GRANT {privileges} ON {kind} {name} TO {{}}").format(sql.Identifier(role))  # pyright: ignore[reportArgumentType]
        for kind, name in connection.execute(_OWNED, {"owner": access.owner}).fetchall()
        for privileges, role in grants[kind]
    ]
    simple_query(connection, sql.SQL("; ").join(statements).as_string(connection))  # one message for all of them


def _with_access(effect: CatalogChange, status: DatabaseStatus) -> CatalogChange:
    """Return a module's effect with the owners and privileges that its objects have in this database."""
    made = {identity: text for identity, text in effect.objects.items() if identity.kind not in ACCESS}
    created = CatalogChange({key: text for key, text in made.items() if key not in effect.changed})
    here = status.effect_to_record(created).objects
    return CatalogChange(made | {key: text for key, text in here.items() if key.kind in ACCESS}, effect.changed)

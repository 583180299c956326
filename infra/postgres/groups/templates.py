"""Templates of groups: a database with the modules applied, of which new databases of the group are clones.

A template belongs to a role of its own, and nobody may connect to it. A clone's objects are given to the owner of the
new database, whose roles get what default privileges would have given them while the modules ran. So a template is of
use where its modules refer to no other role, which the catalog tells.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.errors import DependentObjectsStillExist

from infra.errors import InfraError
from infra.modules.template_name import template_mark, template_name
from infra.postgres.apply import runner
from infra.postgres.apply.revisions import history_of, stamp_head
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.scram import verifier
from infra.postgres.database_roles import CREATE_DATABASE
from infra.postgres.extensions import create_extensions
from infra.postgres.groups.inserted_rows import inserted_rows
from infra.postgres.introspection.effects import wait_for_observer
from infra.postgres.ledger.identity import create_ledger
from infra.postgres.memberships import admin_grants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.groups.group import GroupSpec

FEWEST, FEWEST_WITH_ROWS = 3, 6
"""How many databases have to be new for a template to be made: it costs as much as one of them, and as much again where
modules insert rows, which a second run has to insert too."""
_TEMPLATES = """
SELECT d.datname::text FROM pg_catalog.pg_database d
WHERE pg_catalog.shobj_description(d.oid, 'pg_database') = %s
"""
_ROLES = """
SELECT rolname::text FROM pg_catalog.pg_roles WHERE pg_catalog.shobj_description(oid, 'pg_authid') = %s
"""
_NOT_CLONED = """
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_shdepend s
    WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      AND s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
      AND (s.deptype <> 'o' OR s.classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass
           OR pg_catalog.pg_get_userbyid(s.refobjid) NOT IN (%(owner)s, current_user))
) OR EXISTS (
    SELECT FROM pg_catalog.pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
) OR EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)
"""
"""Whether another role has a part in a template, or it sets parameters, or has large objects."""


def usable_template(
    group: GroupSpec, modules: Sequence[Module], extensions: Sequence[str], *, new: int, rows: bool = False
) -> str:
    """Return a template of which `new` databases may be cloned, '' where there is none; what is not needed is dropped.

    It is made under a lock where it is missing. With `rows` it may have any that its modules inserted; without, those
    that a second run of the modules inserts too, apart from the time: else there is a random number in one, or its
    database's name, which would be the same in all databases.
    """
    name = _name(group, modules, extensions, rows=rows)
    with connect(group.admin, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (group.mark,))
        _drop(connection, group, keep=name)
        if name in _templates(connection, group):
            return name
        if new < FEWEST or group.template.private_schemas:
            return ""
        made = ""
        try:
            if _make(connection, group, name, modules, extensions, rows=None if rows else new >= FEWEST_WITH_ROWS):
                made = name
        except (psycopg.Error, InfraError) as error:  # the databases themselves will say what is wrong with a module
            group.template.tell(f"group {group.name}: no database is cloned, because a template failed: {error}")
        _drop(connection, group, keep=made)
    return made


def drop_templates(group: GroupSpec) -> None:
    """Drop all templates of a group."""
    with connect(group.admin, autocommit=True) as connection:
        _drop(connection, group)


def _make(
    connection: Connection,
    group: GroupSpec,
    name: str,
    modules: Sequence[Module],
    extensions: Sequence[str],
    *,
    rows: bool | None,
) -> bool:
    """Make a template, and return whether databases may be cloned of it; raises psycopg.Error, InfraError.

    `rows` says whether rows are compared with those of a second run, where there are any; None for no comparison.
    """
    session = _fill(connection, group, name, modules, extensions)
    with connect(session.admin, autocommit=True) as inside:
        (is_bound,) = inside.execute(_NOT_CLONED, {"owner": session.owner}).fetchone() or (True,)
    if is_bound or not (rows is None or _has_equal_rows(connection, group, session, modules, extensions, again=rows)):
        return False
    owner = sql.Identifier(session.owner)
    for statement in (
        sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)),
        sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(sql.Identifier(name)),
        sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(sql.Identifier(name), owner),
        sql.SQL("DROP ROLE {}").format(sql.Identifier(session.target.user)),
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(template_mark(group.mark))),
    ):
        connection.execute(statement)
    return True


def _has_equal_rows(
    connection: Connection,
    group: GroupSpec,
    session: Session,
    modules: Sequence[Module],
    extensions: Sequence[str],
    *,
    again: bool,
) -> bool:
    """Return whether a template has the rows that the modules insert in another database, or none.

    Without `again` there is no other database, and one with rows counts as different.
    """
    found = inserted_rows(session)
    if not found or not again:
        return not found
    other = _fill(connection, group, f"{session.target.database}_again", modules, extensions)
    return inserted_rows(other) == found


def _fill(
    connection: Connection, group: GroupSpec, name: str, modules: Sequence[Module], extensions: Sequence[str]
) -> Session:
    """Create a database with roles of its own, apply the modules to it, and return its session.

    Raises psycopg.Error, InfraError.
    """
    owner, migrator, password = template_owner(name), f"{name}_migrator", secrets.token_urlsafe(24)
    mark = sql.Literal(template_mark(group.mark))
    for statement in (
        sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(owner)),
        sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(owner), mark),
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(migrator), sql.Literal(verifier(password))),
        sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(migrator), mark),
        sql.SQL("GRANT {} TO {}").format(sql.Identifier(owner), sql.Identifier(migrator)),
        *admin_grants(connection, [owner, migrator]),
        sql.SQL(CREATE_DATABASE).format(sql.Identifier(name), sql.Identifier(owner)),
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(owner)),
    ):
        connection.execute(statement)
    target = group.admin.on(name)
    session = replace(
        group.template, target=target.login(migrator, password), admin=target, owner=owner, migrations="", roles=()
    )
    try:
        with connect(target, autocommit=True) as inside:
            create_extensions(inside, extensions)
            with session.transaction(inside):
                create_ledger(inside, session.program)
        for module in modules:
            runner.apply(session, module)
        if session.seed:
            runner.insert_seed(session)
        history = history_of(group.template)
        if history:
            with pool.connection(session.target) as inside:
                stamp_head(inside, owner, history.head)
    finally:
        wait_for_observer(session.target)
        pool.close_all(name)
    return session


def _drop(connection: Connection, group: GroupSpec, *, keep: str = "") -> None:
    """Drop templates of a group but one, with their roles, also what is left of one whose making was cut short."""
    marked = {row[0] for row in connection.execute(_ROLES, (template_mark(group.mark),))}
    kept = {template_owner(keep)} if keep in _templates(connection, group) else set[str]()
    for role in sorted(marked - kept):
        database = role.removesuffix("_migrator").removesuffix("_owner")
        if not (kept and database == keep):
            pool.close_all(database)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
        with suppress(DependentObjectsStillExist):  # a clone that a run which was cut short left unfinished
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _templates(connection: Connection, group: GroupSpec) -> set[str]:
    """Return the templates of a group that are finished: the comment is written last."""
    return {row[0] for row in connection.execute(_TEMPLATES, (template_mark(group.mark),))}


def template_owner(template: str) -> str:
    """Return the role to which a template and what is in it belong."""
    return f"{template}_owner"


def _name(group: GroupSpec, modules: Sequence[Module], extensions: Sequence[str], *, rows: bool) -> str:
    """Return the name of the template for a group: a digest of all that is in it."""
    history = history_of(group.template)
    revision, seed = history.head if history else "", group.template.read_seed()
    digests = [seed.digest] if seed else []
    return template_name(group.name, group.mark, modules, [*extensions, *digests], revision=revision, rows=rows)

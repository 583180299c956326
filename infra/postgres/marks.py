"""Marks of environments: a comment on a database or role that says which stack made it, and until when it is wanted.

Comments on databases and roles can be read from every database of the server, by every role (PostgreSQL manual, 9.27.5,
pg_shdescription), and they are there when the stack that made the object no longer is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

from infra.lazy_module import LazyModule

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg
    from psycopg import sql

    from infra.postgres.connection import connect as connecting
    from infra.postgres.connection.target import Target

    Connection = psycopg.Connection[tuple[object, ...]]
else:
    connecting = LazyModule("infra.postgres.connection.connect")
    sql = LazyModule("psycopg.sql")

_TEXT = re.compile(
    r"platform-postgres environment (?P<project>[\w.-]+)/(?P<stack>[\w.-]+), expires (?P<expires>[0-9TZ:-]+)"
)
_CLOCK = "%Y-%m-%dT%H:%M:%SZ"

_MARKED = """
SELECT r.rolname::text, c.description, ARRAY(SELECT datname::text FROM pg_database WHERE datdba = r.oid ORDER BY 1)
FROM pg_roles r JOIN pg_shdescription c ON c.classoid = 'pg_authid'::regclass AND c.objoid = r.oid
ORDER BY 1
"""
_COMMENTS = """
SELECT 'database', datname::text, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = ANY(%s)
UNION ALL
SELECT 'role', rolname::text, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = ANY(%s)
"""


@dataclass(frozen=True)
class Mark:
    """The stack that made an object, and the time (timezone.utc) until which it is wanted."""

    project: str
    stack: str
    expires: datetime

    def __str__(self) -> str:
        return f"platform-postgres environment {self.project}/{self.stack}, expires {as_clock(self.expires)}"


@dataclass(frozen=True)
class MarkedObjects:
    """What one environment has on a server: roles with its mark, the databases that they own, and the last expiry."""

    mark: Mark
    databases: tuple[str, ...]
    roles: tuple[str, ...]


def as_clock(time: datetime) -> str:
    """Return a time in UTC as ISO 8601 has it, in whole seconds."""
    return time.astimezone(timezone.utc).strftime(_CLOCK)


def parse_clock(text: str) -> datetime:
    """Return the time in UTC that `as_clock` wrote; raises ValueError."""
    return datetime.strptime(text, _CLOCK).replace(tzinfo=timezone.utc)


def parse_mark(comment: str | None) -> Mark | None:
    """Return the mark that a comment is, None for a comment of somebody else's."""
    match = _TEXT.fullmatch(comment or "")
    try:
        return Mark(match["project"], match["stack"], parse_clock(match["expires"])) if match else None
    except ValueError:
        return None


def write_marks(target: Target, databases: Sequence[str], roles: Sequence[str], mark: Mark | None) -> None:
    """Write the mark on databases and roles or, without one, remove it; comments of other people stay."""
    text = str(mark) if mark else None
    with connecting.connect(target) as connection:
        found = connection.execute(_COMMENTS, (list(databases), list(roles))).fetchall()
        for kind, name, comment in found:
            if comment != text and (comment is None or parse_mark(str(comment))):
                connection.execute(
                    sql.SQL("COMMENT ON {} {} IS {}").format(
                        sql.SQL("DATABASE" if kind == "database" else "ROLE"),
                        sql.Identifier(str(name)),
                        sql.Literal(text) if text else sql.SQL("NULL"),
                    )
                )


def read_marks(connection: Connection) -> list[MarkedObjects]:
    """Return what the environments on a server have, in the order of their names.

    A database belongs to the environment that its owner has the mark of. Its own comment decides nothing: a dump takes
    it along, to a database that somebody means to keep.
    """
    found: dict[tuple[str, str], MarkedObjects] = {}
    for role, comment, databases in connection.execute(_MARKED).fetchall():
        mark = parse_mark(str(comment))
        if mark:
            key = (mark.project, mark.stack)
            known = found.get(key, MarkedObjects(mark, (), ()))
            found[key] = MarkedObjects(
                max(mark, known.mark, key=lambda each: each.expires),
                tuple(sorted({*known.databases, *cast("list[str]", databases)})),
                (*known.roles, str(role)),
            )
    return [found[key] for key in sorted(found)]


def drop_marked(connection: Connection, found: MarkedObjects) -> None:
    """Drop the databases and roles of an environment, whoever is connected; the connection is in autocommit.

    Nothing is dropped whose mark has changed since it was read: somebody has made the environment anew.
    """
    if found not in read_marks(connection):
        raise ChangedMarkError
    for name in found.databases:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    for name in found.roles:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


class ChangedMarkError(Exception):
    """The objects of an environment are others than those that were read, or have another expiry."""

"""A live database against what the modules make: it is only read, and what it is compared with is made elsewhere."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from infra.check.comparing import Declarations, live_and_modules
from infra.check.proofs import run_modules
from infra.errors import BusyError
from infra.postgres.apply.scratch import scratch_database
from infra.postgres.apply.status import ALWAYS_THERE
from infra.postgres.connection.target import connect
from infra.postgres.introspection.reader import read_catalog
from infra.server.dsn import connect_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.catalog.catalog import Catalog
    from infra.catalog.difference import Difference
    from infra.check.in_models import Models
    from infra.check.sources import ScratchServer
    from infra.findings.finding import Finding
    from infra.modules.module import Module
    from infra.postgres.connection.target import Target

# One transaction that can write nothing and waits for nobody long; reading takes AccessShare locks at most.
READ_ONLY = """
SET default_transaction_read_only = on; SET statement_timeout = '60s'; SET lock_timeout = '5s';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
"""
ABOUT = """
SELECT d.datdba::regrole::text, (SELECT array_agg(rolname::text ORDER BY rolname) FROM pg_roles),
    current_setting('server_version_num')::int / 10000, d.datname::text
FROM pg_database d WHERE d.datname = current_database()
"""
FUTURE = re.compile(r"future (?P<what>\w+) of (?P<role>.*?)(?: in schema (?P<schema>.*))?")
GRANTED_TO_ALL = {"functions": "EXECUTE", "types": "USAGE"}


@dataclass(frozen=True)
class LiveDatabase:
    """What was read of a live database: its name, owner and catalog, and the roles and version of its server."""

    name: str
    owner: str  # quoted as SQL has it
    roles: tuple[str, ...]
    major: int
    catalog: Catalog


def read_live(target: Target) -> LiveDatabase:
    """Read a live database in one transaction that cannot write; raises ServerError, and BusyError behind DDL."""
    with connect_dsn(target) as connection:
        try:
            connection.execute(READ_ONLY.encode())
            owner, roles, major, name = _one(connection.execute(ABOUT.encode()).fetchone())
            return LiveDatabase(name, owner, tuple(roles), major, read_catalog(connection))
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            raise BusyError(
                f"cannot be read now: {error.diag.message_primary}",
                place=f"database {target.database}",
                remedy="somebody changes its schema: try again later",
            ) from None


def compare_live(
    ground: ScratchServer, live: LiveDatabase, modules: Sequence[Module], models: Models, unmanaged: Sequence[str]
) -> list[Finding]:
    """Run the modules on a private server as the live database's owner, under its roles and default privileges."""
    _make_roles(ground, live)
    owner = _plain(live.owner)
    with scratch_database(ground.admin, owner=owner) as scratch:
        with connect(scratch, autocommit=True) as connection:
            for statement in _privileges(live):
                connection.execute(statement.encode())
        run = run_modules(_owned_by(ground, owner), scratch, modules, tried=False)
    if not run.whole:
        return run.findings
    declarations = Declarations(models, {one.name: one for one in modules}, run.built.writers, {})
    patterns = (*ALWAYS_THERE, *unmanaged)

    def ignored(one: Difference) -> bool:
        return one.expected is None and any(fnmatch.fnmatchcase(str(one.identity), pattern) for pattern in patterns)

    comparison = live_and_modules(declarations, live=f"database {live.name}", ignored=ignored)
    return comparison.findings(run.built.catalog, live.catalog)


def _one(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    return row or ("", [], 0, "")


def _owned_by(ground: ScratchServer, owner: str) -> ScratchServer:
    return type(ground)(ground.admin, owner, ground.psql)


def _make_roles(ground: ScratchServer, live: LiveDatabase) -> None:
    """Make the live server's roles, which can do nothing here: privileges, owners and policies name them."""
    with connect(ground.admin, autocommit=True) as connection:
        there = {row[0] for row in connection.execute("SELECT rolname::text FROM pg_roles")}
        for role in live.roles:
            if role not in there and not role.startswith("pg_"):
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


def _privileges(live: LiveDatabase) -> Iterator[str]:
    """Give the statements after which schema public and future objects have the privileges that they have live."""
    granted = {one.name: text for one, text in live.catalog.objects.items() if one.kind == "privileges"}
    yield f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {live.owner}"
    for one, text in live.catalog.objects.items():
        if one == ("owner", "schema public"):
            yield f"ALTER SCHEMA public OWNER TO {text}"
    for name, text in granted.items():
        subject, _, role = name.rpartition(" to ")
        if subject == "schema public":
            yield from _grants(f"GRANT {{}} ON SCHEMA public TO {role}", text)
        elif future := FUTURE.fullmatch(subject):
            inside = f" IN SCHEMA {future['schema']}" if future["schema"] else ""
            default = f"ALTER DEFAULT PRIVILEGES FOR ROLE {future['role']}{inside}"
            what = future["what"].upper()
            if text == "none":
                yield f"{default} REVOKE {GRANTED_TO_ALL[future['what']]} ON {what} FROM {role}"
            else:
                yield from _grants(f"{default} GRANT {{}} ON {what} TO {role}", text)


def _grants(statement: str, text: str) -> Iterator[str]:
    """Give one statement for the privileges with grant option, and one for those without."""
    words = text.split(", ")
    plain = [word for word in words if not word.endswith(" with grant option")]
    further = [word.removesuffix(" with grant option") for word in words if word not in plain]
    if plain:
        yield statement.format(", ".join(plain))
    if further:
        yield f"{statement.format(', '.join(further))} WITH GRANT OPTION"


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name

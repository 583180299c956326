"""The comparison of a live database, which is only read, with what the modules create on another server."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from infra.catalog.access import FUTURE, TO_PUBLIC
from infra.check.comparing import Declarations, live_and_modules
from infra.check.proofs import run_modules
from infra.errors import BusyError
from infra.plan.database_status import ALWAYS_THERE
from infra.postgres.apply.likeness import Likeness, read_likeness
from infra.postgres.introspection.reader import read_catalog
from infra.server.dsn import connect_dsn
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.catalog.catalog import Catalog
    from infra.catalog.difference import Difference
    from infra.check.in_models import ModelPlaces
    from infra.findings.finding import Finding
    from infra.modules.module import Module
    from infra.postgres.connection.target import Target
    from infra.server.scratch.private_server import PrivateServer

# One transaction that cannot write and does not wait long; reading takes AccessShare locks at most.
_READ_ONLY = """
SET default_transaction_read_only = on; SET statement_timeout = '60s'; SET lock_timeout = '5s';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
"""
_OWNER = """
SELECT pg_catalog.quote_ident(r.rolname), r.rolname::text
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba
WHERE d.datname = pg_catalog.current_database()
"""


@dataclass(frozen=True)
class LiveDatabase:
    """A live database as it was read: its name, its owner as SQL writes it, its catalog, and what a copy has."""

    name: str
    owner: str
    catalog: Catalog
    like: Likeness


def read_live(target: Target) -> LiveDatabase:
    """Read a live database in one read-only transaction; raises ServerError, or BusyError for a locked table."""
    with connect_dsn(target) as connection:
        try:
            connection.execute(_READ_ONLY.encode())
            quoted, owner = connection.execute(_OWNER.encode()).fetchone() or ("", "")
            like = read_likeness(connection, owner=owner, login=owner)
            return LiveDatabase(like.database, quoted, read_catalog(connection), like)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            raise BusyError(
                f"cannot be read now: {error.diag.message_primary}",
                place=f"database {target.database}",
                remedy="another session is changing its schema: try again later",
            ) from None


def compare_live(
    server: PrivateServer,
    live: LiveDatabase,
    modules: Sequence[Module],
    models: ModelPlaces,
    unmanaged: Sequence[str],
    *,
    private_schemas: tuple[str, ...] = (),
) -> tuple[list[Finding], tuple[str, ...]]:
    """Run the modules on a scratch database, and return findings and in what it is not like the live database.

    They run as the live database's owner, under its roles and default privileges, so that owners and privileges can be
    compared as well. `unmanaged` are patterns of objects that no module has to create. Default privileges do not
    hold for `private_schemas`.
    """
    with server.database(live.like, seconds=MODULE_SECONDS, statements=list(_privileges(live))) as scratch:
        run = run_modules(scratch, modules, roll_back_first=False, private_schemas=private_schemas)
    if not run.complete:
        return run.findings, scratch.differences
    declarations = Declarations(models, {module.name: module for module in modules}, run.writers, {})
    patterns = (*ALWAYS_THERE, *unmanaged)

    def ignored(difference: Difference) -> bool:
        name = str(difference.identity)
        return difference.expected is None and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    comparison = live_and_modules(declarations, live=f"database {live.name}", ignored=ignored)
    return comparison.findings(run.catalog, live.catalog), scratch.differences


def _privileges(live: LiveDatabase) -> Iterator[str]:
    """Yield the statements after which schema public and new objects have the privileges of the live database."""
    granted = {identity.name: text for identity, text in live.catalog.objects.items() if identity.kind == "privileges"}
    yield f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {live.owner}"
    for identity, text in live.catalog.objects.items():
        if identity == ("owner", "schema public"):
            yield f"ALTER SCHEMA public OWNER TO {text}"
    for name, text in granted.items():
        subject, _, role = name.rpartition(" to ")
        if subject == "schema public":
            yield from _grants(f"GRANT {{}} ON SCHEMA public TO {role}", text)
        elif default := FUTURE.fullmatch(subject):
            in_schema = f" IN SCHEMA {default['schema']}" if default["schema"] else ""
            alter = f"ALTER DEFAULT PRIVILEGES FOR ROLE {default['creator']}{in_schema}"
            what = default["what"].upper()
            if text == "none":
                yield f"{alter} REVOKE {TO_PUBLIC[default['what']]} ON {what} FROM {role}"
            else:
                yield from _grants(f"{alter} GRANT {{}} ON {what} TO {role}", text)


def _grants(statement: str, text: str) -> Iterator[str]:
    """Yield one statement for the privileges without grant option, and one for those with it."""
    privileges = text.split(", ")
    without_option = [privilege for privilege in privileges if not privilege.endswith(" with grant option")]
    with_option = [
        privilege.removesuffix(" with grant option") for privilege in privileges if privilege not in without_option
    ]
    if without_option:
        yield statement.format(", ".join(without_option))
    if with_option:
        yield f"{statement.format(', '.join(with_option))} WITH GRANT OPTION"

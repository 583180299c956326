"""Catalogs that need not be read: nothing was changed in them since they were found as the modules left them.

Whoever reads a whole catalog and finds nothing to do writes that down, with the catalog's version, the ledger's last
event and a digest of what else the plan was made of. As long as the first two are the same, the catalog follows from
the ledger; as long as all of them are, there is nothing to do.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg.errors import UndefinedColumn, UndefinedTable

from infra.catalog.catalog import Catalog, catalog_of
from infra.catalog.changes import database_settings
from infra.modules.module import order
from infra.plan.database_status import DatabaseStatus
from infra.plan.ledger_rows import LedgerIdentity, own_rows
from infra.plan.planner import unchanged_plan
from infra.postgres.apply.plan_cache import PlanInProgress
from infra.postgres.introspection.reader import GROUPS, catalog_query, catalog_version_query, read_settings
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module_file import ModuleFile
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

_EVERYTHING = f"""
SELECT i.stack, i.system_identifier, i.database, s.system_identifier::text, d.oid,
    (SELECT coalesce(max(e.id), 0) FROM sqlmodule.event e), c.event, c.catalog_version, v.catalog_version,
    c.files, c.further
FROM sqlmodule.identity i, sqlmodule.compared c, pg_control_system() s, pg_database d, ({catalog_version_query()}) v
WHERE d.datname = current_database()
"""
"""One query: each one more would cost a session that has just begun as much as this one reads of the ledger."""


class Unchanged(NamedTuple):
    """A database in which nothing was changed since it was found as the modules left it, as it was found then."""

    version: ledger.LedgerVersion
    catalog_version: str
    files: str
    further: Catalog


def read_unchanged(connection: Connection, session: Session) -> Unchanged | None:
    """Return what was written down about a database, if nothing was changed since; None for any other."""
    try:
        row = connection.execute(_EVERYTHING).fetchone()
    except (UndefinedTable, UndefinedColumn):  # no ledger, or an older one
        return None
    if row is None:
        return None
    identity, current = LedgerIdentity(*row[:3]), LedgerIdentity(session.program.ledger, *row[3:5])
    (event, event_then, catalog_then, catalog, files, further) = row[5:]
    if (identity, event, _as_read(catalog, session)) != (current, event_then, catalog_then):
        return None
    return Unchanged(ledger.LedgerVersion(identity, current, event), catalog, files, catalog_of(further))


def unchanged_status(connection: Connection, session: Session, found: Unchanged) -> DatabaseStatus:
    """Return the status of a database in which nothing was changed: what its ledger says is there, is there."""
    recorded = _recorded_status(connection, session, found.version)
    return replace(recorded, catalog=Catalog({**recorded.expected.definitions, **found.further.objects}))


def status_after(
    connection: Connection, session: Session, planned: PlanInProgress, version: ledger.LedgerVersion
) -> DatabaseStatus:
    """Return the status of a database after modules of a plan ran: it follows from the plan's and from the ledger.

    That is so as long as nobody else changed the catalog, which `planned.catalog_version` stands for.
    """
    recorded, before = _recorded_status(connection, session, version), planned.status
    changed = before.expected.definitions.keys() | {
        identity for name in planned.done for identity in recorded.entries[name].effect.objects
    }
    further = {identity: text for identity, text in before.catalog.objects.items() if identity not in changed}
    return replace(recorded, catalog=Catalog({**recorded.expected.definitions, **further}))


def _recorded_status(connection: Connection, session: Session, version: ledger.LedgerVersion) -> DatabaseStatus:
    """Return the status of a database by its ledger, with an empty catalog."""
    rows = {entry.module: entry for entry in ledger.read_entries(connection)}
    unfinished = ledger.read_unfinished(connection)
    return DatabaseStatus(
        *version[:2],
        own_rows(rows, session.program),
        Catalog(),
        own_rows(unfinished, session.program),
        connection.info.server_version,
        {name: entry for name, entry in {**unfinished, **rows}.items() if session.program.module_of(name) is None},
    )


def plan_if_unchanged(session: Session, files: Sequence[ModuleFile], found: Unchanged) -> PlanInProgress | None:
    """Return the plan for a database in which nothing was changed, where nothing else was either; else None."""
    if found.files != _digest(session, files):
        return None
    status = DatabaseStatus(*found.version[:2], {}, Catalog())
    return PlanInProgress(unchanged_plan(files), status, list(files), found.version)


def record_unchanged(connection: Connection, session: Session, planned: PlanInProgress, catalog_version: str) -> None:
    """Write down that nothing is to be done in a database, and nothing in it to be reported; else do nothing.

    `catalog_version` was read before the catalog. A database that takes no writes, or has no place for it, stays as it
    is: it is read again the next time.
    """
    status = planned.status
    if planned.version is None or not planned.plan.is_unchanged or status.unmanaged(session.allowed):
        return
    made, there = status.expected.definitions.items(), status.catalog.objects.items()
    if made - there:  # of a module without a file
        return
    if not _has_settings(connection, status):  # what is missing, another session in this server would not find
        return
    digest, further = _digest(session, planned.files), Catalog(dict(there - made))
    compared = ledger.Compared(_as_read(catalog_version, session), planned.version.event, digest, further)
    with suppress(psycopg.Error):
        connection.execute("RESET default_transaction_read_only")
        with session.transaction(connection):
            connection.execute("SET LOCAL synchronous_commit = off")  # if it is lost, the catalog is read again
            ledger.record_compared(connection, compared)


def _has_settings(connection: Connection, status: DatabaseStatus) -> bool:
    """Return whether a database sets for its sessions what modules made it set."""
    rows = {**status.entries, **status.unfinished, **status.others}
    values = database_settings((name, rows[name].effect) for name in sorted(rows, key=order))
    there = {identity.name: value for identity, value in read_settings(connection).objects.items()} if values else {}
    return all(there.get(parameter) == value for parameter, (value, _) in values.items())


def _digest(session: Session, files: Sequence[ModuleFile]) -> str:
    """Return the digest of what else a plan is made of: files and settings."""
    parts = [session.lifecycle.value, *session.allowed, *(f"{file.name} {file.text_digest}" for file in files)]
    if seed := session.read_seed():
        parts.append(f"seed {seed.digest}")
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def _reader() -> str:
    return hashlib.sha256("".join(catalog_query(group, narrow=False) for group in GROUPS).encode()).hexdigest()


def _as_read(catalog_version: str, session: Session) -> str:
    """Return a catalog's version for this version of the program: another one may read more of the same catalog.

    What a program beside another one wrote down is of no use to that one.
    """
    return f"{catalog_version} {_reader()}{f' {session.stack}' if session.beside else ''}"

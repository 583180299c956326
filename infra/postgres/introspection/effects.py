"""The change that a module's transaction makes to the catalog, read from inside the transaction and from outside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple, cast

import psycopg
from psycopg.errors import LockNotAvailable

from infra.catalog.catalog import ACCESS, NOTES, OWNED, Catalog
from infra.catalog.changes import CatalogChange, catalog_change_between
from infra.postgres.connection import pool
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.introspection.reader import (
    CatalogPart,
    read_catalog,
    read_catalog_version,
    read_own_catalog_version,
    read_settings,
    visible_part,
    warm_prepared_statements,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from typing_extensions import LiteralString

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

_OBSERVER_LOCK_TIMEOUT = "50ms"

_warming: dict[str, Thread] = {}

DOMAINS_OF_CONSTRAINTS = "SELECT contypid::bigint FROM pg_catalog.pg_constraint WHERE oid = ANY (%s) AND contypid > 0"

LOCKED_BUILT_IN = """
SELECT 1 FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'object' AND objid < 16384 AND mode <> 'AccessShareLock'
  AND database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
"""


class ChangedOids(NamedTuple):
    """What a transaction changed, and the constraints of which it cannot be read any more what they belonged to.

    `settings` says that it changed what `read_settings` reads.
    """

    part: CatalogPart
    constraints: tuple[int, ...]
    settings: bool


@cache
def _query(name: str) -> LiteralString:
    return cast("LiteralString", Path(__file__).with_name(name).read_text())


def changed_oids(connection: Connection) -> ChangedOids:
    """Return the oids of what the current transaction changed, and perhaps of more."""
    rows = connection.execute(_query("changed_oids.sql"), prepare=True).fetchall()
    relations, objects, further, constraints, settings = (
        tuple(int(oid) for name, oid in rows if name == kind and oid)
        for kind in ("relation", "object", "further", "constraint", "settings")
    )
    if further:
        rows = connection.execute(_query("further_oids.sql"), prepare=True).fetchall()
        further += (*objects, *(int(row[0]) for row in rows))
    return ChangedOids(CatalogPart(relations, objects, further), constraints, bool(settings))


class FollowedChange(NamedTuple):
    """What a transaction changed, and the catalog's version after it, '' where that is not known."""

    change: CatalogChange
    catalog_version: str


def followed_change_of(
    connection: Connection, observer: Target, act: Callable[[], None], before: str
) -> FollowedChange:
    """Return what `catalog_change_of` does, and the catalog's version after it, given the one before it.

    Where the transaction only created objects, and nobody else changed anything, no other session is needed: without
    the rows that it wrote the version is still the one before, and no row of a changed object is older. Else the
    observer looks for others, after this session did, so that it sees whatever they committed before. The version says
    too little where an object of PostgreSQL's own was changed, which is no module's: the comment of schema public.
    """
    simple_query(connection, "SAVEPOINT before_act")
    act()
    changed = changed_oids(connection)
    after, of_others = read_own_catalog_version(connection)
    is_followed = connection.execute(LOCKED_BUILT_IN).fetchone() is None
    is_new = is_followed and of_others == before and not (changed.part.further or changed.constraints)
    if is_new and not visible_part(connection, changed.part, own=False):
        change = catalog_change_between(Catalog(), read_catalog(connection, changed.part))
        return FollowedChange(_with_settings(connection, observer, changed, change), after)
    change = _observed_change(connection, observer, changed, act)
    if not is_followed:
        return FollowedChange(change, "")
    simple_query(connection, "SET LOCAL enable_seqscan = on")  # reading a part turned it off
    after = read_catalog_version(connection)  # another one where the act was repeated
    with _observer_connection(observer) as outside:
        return FollowedChange(change, after if read_catalog_version(outside) == before else "")


def catalog_change_of(connection: Connection, observer: Target, act: Callable[[], None]) -> CatalogChange:
    """Act in the current transaction, and return the change that this makes to the catalog.

    The state before is read by another session, a connection to `observer`, which does not see this transaction. So
    nothing has to be read before the module runs, and the cost depends only on the number of changed objects. Some
    definitions can be read only with a lock on their table: where this transaction holds a conflicting one, the act is
    rolled back, the state before is read in this session, and the act is repeated. A name that disappeared may have
    been changed, and then definitions of unchanged objects contain the new name: the whole catalog is read.
    """
    simple_query(connection, "SAVEPOINT before_act")
    act()
    return _observed_change(connection, observer, changed_oids(connection), act)


def _with_settings(
    connection: Connection, observer: Target, changed: ChangedOids, change: CatalogChange
) -> CatalogChange:
    """Return a change of objects with what this transaction changed of the database's settings."""
    if not changed.settings:
        return change
    with _observer_connection(observer) as outside:
        settings = catalog_change_between(read_settings(outside), read_settings(connection))
    return CatalogChange({**change.objects, **settings.objects}, change.changed | settings.changed)


def _observed_change(
    connection: Connection, observer: Target, changed: ChangedOids, act: Callable[[], None]
) -> CatalogChange:
    """Return the change that this transaction made since the savepoint, in which it acted."""
    return _with_settings(connection, observer, changed, _change_of_objects(connection, observer, changed, act))


def _change_of_objects(
    connection: Connection, observer: Target, changed: ChangedOids, act: Callable[[], None]
) -> CatalogChange:
    part = _with_domains(changed, observer)
    if not part:
        return CatalogChange()
    before, after = _read_before_and_after(connection, observer, part)
    if before is not None:
        change = catalog_change_between(before, after)
        if not _may_contain_renames(change):
            return change
        before = _read_as_observer(observer, None)
        if before is not None:
            return catalog_change_between(before, read_catalog(connection))
    simple_query(connection, "ROLLBACK TO SAVEPOINT before_act")
    before = read_catalog(connection, part)
    whole = _may_contain_renames(catalog_change_between(before, after))
    if whole:
        before = read_catalog(connection)
    act()
    after = read_catalog(connection, None if whole else _with_domains(changed_oids(connection), observer))
    return catalog_change_between(before, after)


def successive_changes(connection: Connection, observer: Target) -> Callable[[Callable[[], None]], CatalogChange]:
    """Return a function that calls its argument and returns what the catalog changed since the call before."""
    before = read_with_settings(connection)

    def measure(act: Callable[[], None]) -> CatalogChange:
        nonlocal before
        act()
        earlier, before = before, read_with_unnamed(connection, observer)
        return catalog_change_between(earlier, before)

    return measure


def read_with_settings(connection: Connection) -> Catalog:
    """Read the whole catalog, and what the database sets for all sessions."""
    return Catalog({**read_catalog(connection).objects, **read_settings(connection).objects})


def read_with_unnamed(connection: Connection, observer: Target) -> Catalog:
    """Read the whole catalog and what the database sets, with the large objects that the current transaction created.

    Those of other transactions are never read, since there may be millions of them: the observer has no others.
    """
    catalog = read_with_settings(connection)
    changed = read_catalog(connection, CatalogPart(further=changed_oids(connection).part.further)).of(*OWNED)
    if not changed.objects:
        return catalog
    with _observer_connection(observer) as outside:
        existing = read_catalog(outside, CatalogPart(further=tuple(int(name) for _, name in changed.objects)))
    created = {identity: text for identity, text in changed.objects.items() if identity not in existing.objects}
    return Catalog({**catalog.objects, **created})


def _read_before_and_after(
    connection: Connection, observer: Target, part: CatalogPart
) -> tuple[Catalog | None, Catalog]:
    """Read a part as the observer sees it, where it sees any of it, and as this transaction does.

    Both are read at once: each has its own backend.
    """
    with _observer_connection(observer) as outside:
        visible = visible_part(outside, part)
    if not visible:
        return Catalog(), read_catalog(connection, part, keep_settings=True)
    with ThreadPoolExecutor(1) as executor:
        before = executor.submit(_read_as_observer, observer, visible)
        after = read_catalog(connection, part, keep_settings=True)
        return before.result(), after


def prepare_observer(observer: Target) -> None:
    """Start to open the observer's connection and to prepare its statements, in a thread, unless one is in the pool."""
    if not pool.has_idle(observer) and str(observer) not in _warming:
        _warming[str(observer)] = Thread(target=_warm, args=(observer,), daemon=True)
        _warming[str(observer)].start()


def _warm(observer: Target) -> None:
    with suppress(psycopg.Error), pool.connection(observer) as connection:
        warm_prepared_statements(connection)


@contextmanager
def _observer_connection(observer: Target) -> Generator[Connection]:
    wait_for_observer(observer)
    with pool.connection(observer) as connection:
        yield connection


def wait_for_observer(observer: Target) -> None:
    """Wait until the thread of `prepare_observer` has ended: after that no connection is added to the pool."""
    warming = _warming.pop(str(observer), None)
    if warming:
        warming.join()


def _may_contain_renames(change: CatalogChange) -> bool:
    return any(text is None and identity.kind not in (*ACCESS, *NOTES) for identity, text in change.objects.items())


def _with_domains(changed: ChangedOids, observer: Target) -> CatalogPart:
    """Return what was changed, with the domains whose constraints were dropped: only the constraints are locked."""
    if not changed.constraints:
        return changed.part
    with _observer_connection(observer) as outside:
        rows = outside.execute(DOMAINS_OF_CONSTRAINTS, (list(changed.constraints),), prepare=True).fetchall()
    return replace(changed.part, objects=changed.part.objects + tuple(row[0] for row in rows))


def _read_as_observer(observer: Target, part: CatalogPart | None) -> Catalog | None:
    """Read a part, or all, as the observer sees it; return None where it would have to wait for a lock."""
    with _observer_connection(observer) as outside:
        try:
            return read_catalog(outside, part, lock_timeout=_OBSERVER_LOCK_TIMEOUT)
        except LockNotAvailable:
            return None

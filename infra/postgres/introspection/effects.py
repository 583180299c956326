"""What a module's transaction did to the catalog, found by reading what it touched, from inside and from outside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple, cast

import psycopg
from psycopg.errors import LockNotAvailable

from infra.catalog.catalog import ACCESS, NOTES, Catalog
from infra.catalog.changes import CatalogChange, catalog_change_between
from infra.postgres.connection import pool
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.introspection.reader import CatalogPart, existing, read_catalog, warm_prepared_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from typing_extensions import LiteralString

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

_PATIENCE = "50ms"

_preparing: dict[str, Thread] = {}

DOMAINS = "SELECT contypid::bigint FROM pg_catalog.pg_constraint WHERE oid = ANY (%s) AND contypid > 0"


class ChangedOids(NamedTuple):
    """What a transaction touched, and the constraints of which there is nothing left to say what they belonged to."""

    part: CatalogPart
    constraints: tuple[int, ...]


@cache
def _touched() -> LiteralString:
    return cast("LiteralString", Path(__file__).with_name("changed_oids.sql").read_text())


def changed_oids(connection: Connection) -> ChangedOids:
    """Give what the current transaction touched."""
    rows = connection.execute(_touched(), prepare=True).fetchall()
    relations, objects, constraints = (
        tuple(int(oid) for what, oid in rows if what == kind and oid) for kind in ("relation", "object", "constraint")
    )
    return ChangedOids(CatalogPart(relations, objects), constraints)


def catalog_change_of(connection: Connection, outside: Target, act: Callable[[], None]) -> CatalogChange:
    """Act in the current transaction, and give what that did to the catalog.

    The state before is what another session sees, to which this transaction has not happened. So nothing is read before
    a module runs and nothing is remembered from one to the next: the cost is that of what was touched. Where the other
    session would have to wait, because it can read a definition only under a lock that this transaction holds, the act
    is undone, the state before is read from inside, and the act is done again. A name that is gone may be a new name,
    which stands in definitions that nobody touched: then everything is read.
    """
    simple_query(connection, "SAVEPOINT before_act")
    prepare_meanwhile(outside)
    act()
    part = _part(connection, outside)
    if not part:
        return CatalogChange()
    before, after = _on_both_sides(connection, outside, part)
    if before is not None:
        effect = catalog_change_between(before, after)
        if not _may_have_renamed(effect):
            return effect
        before = _seen_from(outside, None)
        if before is not None:
            return catalog_change_between(before, read_catalog(connection))
    simple_query(connection, "ROLLBACK TO SAVEPOINT before_act")
    before = read_catalog(connection, part)
    whole = _may_have_renamed(catalog_change_between(before, after))
    if whole:
        before = read_catalog(connection)
    act()
    return catalog_change_between(before, read_catalog(connection, None if whole else _part(connection, outside)))


def _on_both_sides(connection: Connection, outside: Target, part: CatalogPart) -> tuple[Catalog | None, Catalog]:
    """Read a part as another session sees it and as this transaction does, at once: the server has two backends."""
    with ThreadPoolExecutor(1) as beside:
        before = beside.submit(_seen_from, outside, part)
        after = read_catalog(connection, part, lasting=True)
        return before.result(), after


def prepare_meanwhile(outside: Target) -> None:
    """Open the connection that sees from outside, and have it ready, while a process's first module is looked at."""
    if not pool.has_idle(outside) and str(outside) not in _preparing:
        _preparing[str(outside)] = Thread(target=_prepare, args=(outside,), daemon=True)
        _preparing[str(outside)].start()


def _prepare(outside: Target) -> None:
    with suppress(psycopg.Error), pool.connection(outside) as observer:
        warm_prepared_statements(observer)


@contextmanager
def _observer(outside: Target) -> Generator[Connection]:
    """Lend the connection that sees from outside, as soon as it is ready."""
    settle(outside)
    with pool.connection(outside) as observer:
        yield observer


def settle(outside: Target) -> None:
    """Wait until nothing is being made ready any more, so that no connection appears after all are closed."""
    preparing = _preparing.pop(str(outside), None)
    if preparing:
        preparing.join()


def _may_have_renamed(effect: CatalogChange) -> bool:
    return any(text is None and one.kind not in (*ACCESS, *NOTES) for one, text in effect.objects.items())


def _part(connection: Connection, outside: Target) -> CatalogPart:
    """Give what was touched, with the domains whose constraints were dropped: what is locked is the constraint."""
    part, constraints = changed_oids(connection)
    if not constraints:
        return part
    with _observer(outside) as observer:
        rows = observer.execute(DOMAINS, (list(constraints),), prepare=True).fetchall()
    return CatalogPart(part.relations, part.objects + tuple(row[0] for row in rows))


def _seen_from(outside: Target, part: CatalogPart | None) -> Catalog | None:
    """Read a part, or all, as another session sees it; None where that would mean to wait for a lock."""
    with _observer(outside) as observer:
        try:
            return read_catalog(observer, part and existing(observer, part), patience=_PATIENCE)
        except LockNotAvailable:
            return None

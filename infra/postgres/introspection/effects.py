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
from infra.catalog.changes import Effect, effect_between
from infra.postgres.connection import pool
from infra.postgres.connection.simple_query import plain
from infra.postgres.introspection.reader import Part, existing, prepare, read_catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from typing_extensions import LiteralString

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

PATIENCE = "50ms"

_preparing: dict[str, Thread] = {}

DOMAINS = "SELECT contypid::bigint FROM pg_catalog.pg_constraint WHERE oid = ANY (%s) AND contypid > 0"


class Touched(NamedTuple):
    """What a transaction touched, and the constraints of which there is nothing left to say what they belonged to."""

    part: Part
    constraints: tuple[int, ...]


@cache
def _touched() -> LiteralString:
    return cast("LiteralString", Path(__file__).with_name("changed_oids.sql").read_text())


def touched(connection: Connection) -> Touched:
    """Give what the current transaction touched."""
    rows = connection.execute(_touched(), prepare=True).fetchall()
    relations, objects, constraints = (
        tuple(int(oid) for what, oid in rows if what == kind and oid) for kind in ("relation", "object", "constraint")
    )
    return Touched(Part(relations, objects), constraints)


def effect_of(connection: Connection, outside: Target, act: Callable[[], None]) -> Effect:
    """Act in the current transaction, and give what that did to the catalog.

    The state before is what another session sees, to which this transaction has not happened. So nothing is read before
    a module runs and nothing is remembered from one to the next: the cost is that of what was touched. Where the other
    session would have to wait, because it can read a definition only under a lock that this transaction holds, the act
    is undone, the state before is read from inside, and the act is done again. A name that is gone may be a new name,
    which stands in definitions that nobody touched: then everything is read.
    """
    plain(connection, "SAVEPOINT before_act")
    prepare_meanwhile(outside)
    act()
    part = _part(connection, outside)
    if not part:
        return Effect()
    before, after = _on_both_sides(connection, outside, part)
    if before is not None:
        effect = effect_between(before, after)
        if not _may_have_renamed(effect):
            return effect
        before = _seen_from(outside, None)
        if before is not None:
            return effect_between(before, read_catalog(connection))
    plain(connection, "ROLLBACK TO SAVEPOINT before_act")
    before = read_catalog(connection, part)
    whole = _may_have_renamed(effect_between(before, after))
    if whole:
        before = read_catalog(connection)
    act()
    return effect_between(before, read_catalog(connection, None if whole else _part(connection, outside)))


def _on_both_sides(connection: Connection, outside: Target, part: Part) -> tuple[Catalog | None, Catalog]:
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
        prepare(observer)


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


def _may_have_renamed(effect: Effect) -> bool:
    return any(text is None and one.kind not in (*ACCESS, *NOTES) for one, text in effect.objects.items())


def _part(connection: Connection, outside: Target) -> Part:
    """Give what was touched, with the domains whose constraints were dropped: what is locked is the constraint."""
    part, constraints = touched(connection)
    if not constraints:
        return part
    with _observer(outside) as observer:
        rows = observer.execute(DOMAINS, (list(constraints),), prepare=True).fetchall()
    return Part(part.relations, part.objects + tuple(row[0] for row in rows))


def _seen_from(outside: Target, part: Part | None) -> Catalog | None:
    """Read a part, or all, as another session sees it; None where that would mean to wait for a lock."""
    with _observer(outside) as observer:
        try:
            return read_catalog(observer, part and existing(observer, part), patience=PATIENCE)
        except LockNotAvailable:
            return None

"""What a module's transaction did to the catalog, found by reading what it touched, from inside and from outside."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from psycopg.errors import LockNotAvailable

from infra.catalog.catalog import ACCESS, NOTES, Catalog
from infra.catalog.owned import Effect, effect_between
from infra.postgres import pool
from infra.postgres.snapshot import Part, read_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import LiteralString

    from infra.postgres.pool import Connection
    from infra.postgres.target import Target

PATIENCE = "50ms"

RELATIONS_THERE = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = ANY (%s))"
DOMAINS = "SELECT contypid::bigint FROM pg_catalog.pg_constraint WHERE oid = ANY (%s) AND contypid > 0"


@cache
def _touched() -> LiteralString:
    return cast("LiteralString", Path(__file__).with_name("touched.sql").read_text())


def touched(connection: Connection) -> Part:
    """Give what the current transaction touched."""
    rows = connection.execute(_touched(), prepare=True).fetchall()
    return Part(
        tuple(oid for is_relation, oid in rows if is_relation and oid),
        tuple(oid for is_relation, oid in rows if not is_relation),
    )


def effect_of(connection: Connection, outside: Target, act: Callable[[], None]) -> Effect:
    """Act in the current transaction, and give what that did to the catalog.

    The state before is what another session sees, to which this transaction has not happened. So nothing is read before
    a module runs and nothing is remembered from one to the next: the cost is that of what was touched. Where the other
    session would have to wait, because it can read a definition only under a lock that this transaction holds, the act
    is undone, the state before is read from inside, and the act is done again. A name that is gone may be a new name,
    which stands in definitions that nobody touched: then everything is read.
    """
    connection.execute("SAVEPOINT before_act")
    act()
    part = touched(connection)
    if not part:
        return Effect()
    part = _with_domains(outside, part)
    after = read_catalog(connection, part)
    before = _seen_from(outside, part)
    if before is not None:
        effect = effect_between(before, after)
        if not _may_have_renamed(effect):
            return effect
        before = _seen_from(outside, None)
        if before is not None:
            return effect_between(before, read_catalog(connection))
    connection.execute("ROLLBACK TO SAVEPOINT before_act")
    before = read_catalog(connection, part)
    whole = _may_have_renamed(effect_between(before, after))
    if whole:
        before = read_catalog(connection)
    act()
    return effect_between(
        before, read_catalog(connection, None if whole else _with_domains(outside, touched(connection)))
    )


def _may_have_renamed(effect: Effect) -> bool:
    return any(text is None and one.kind not in (*ACCESS, *NOTES) for one, text in effect.objects.items())


def _with_domains(outside: Target, part: Part) -> Part:
    """Add the domains whose constraints were dropped: what is locked is the constraint, of which nothing is left."""
    if not part.objects:
        return part
    with pool.connection(outside) as observer:
        rows = observer.execute(DOMAINS, (list(part.objects),), prepare=True).fetchall()
    return Part(part.relations, part.objects + tuple(row[0] for row in rows))


def _seen_from(outside: Target, part: Part | None) -> Catalog | None:
    """Read a part, or all, as another session sees it; None where that would mean to wait for a lock."""
    with pool.connection(outside) as observer:
        there = part is None or bool(part.objects) or _is_there(observer, part)
        try:
            with observer.transaction():
                observer.execute("SELECT set_config('lock_timeout', %s, true)", (PATIENCE,))
                return read_catalog(observer, part) if there else Catalog()
        except LockNotAvailable:
            return None


def _is_there(observer: Connection, part: Part) -> bool:
    """Say whether any relation of the part had been there before; most modules only make new ones."""
    return observer.execute(RELATIONS_THERE, (list(part.relations),), prepare=True).fetchone() == (True,)

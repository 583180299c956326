"""Runs one module: its text, what it did to the catalog, and its row in the ledger, in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.postgres.connection.blockers import watched
from infra.postgres.connection.execute import execute
from infra.postgres.introspection.effects import catalog_change_of
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.catalog.changes import CatalogChange
    from infra.modules.decision import Digests, Step
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session


@dataclass(frozen=True)
class Applied:
    """What was done with a module: the step taken, and how long its statements ran (milliseconds)."""

    step: Step
    milliseconds: float = 0


def run_module(
    connection: Connection,
    session: Session,
    module: Module,
    digests: Digests,
    step: Step,
    *,
    watching: Callable[[Callable[[], None]], CatalogChange] | None = None,
) -> Applied:
    """Run a module and write its row, in the current transaction; the ledger is there.

    `watching` acts and gives what that did; without it the whole transaction is taken for this module's.
    """
    milliseconds = 0.0

    def act() -> None:
        nonlocal milliseconds
        started = time.perf_counter()
        watched(session, connection, lambda patience: execute(connection, module, patience))
        milliseconds = (time.perf_counter() - started) * 1000
        session.begin(connection)

    effect = watching(act) if watching else catalog_change_of(connection, session.target, act)
    ledger.record(
        connection, module.name, digests, step=step, stack=session.stack, milliseconds=milliseconds, effect=effect
    )
    return Applied(step, milliseconds)

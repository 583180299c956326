"""The executor: runs one module, in one transaction or statement by statement, and reads what it changed.

First runs, rebuilds and proofs on scratch databases all go through it, so that a module does the same in each of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.modules.decision import Digests
from infra.modules.digests import text_digest
from infra.modules.directive import runs_by_statement
from infra.modules.statements import statements_digest
from infra.postgres.apply.by_statement import run_statements
from infra.postgres.apply.module_text import end_module, refuse_stack_privileges, run_text
from infra.postgres.introspection.effects import catalog_change_of, followed_change_of, prepare_observer
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import create_ledger, ledger_exists
from infra.postgres.private_schemas import revoke_granted_by_default

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.catalog.changes import CatalogChange
    from infra.modules.decision import Step
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session


@dataclass(frozen=True)
class Applied:
    """What was done with a module: the step taken, and how long its statements ran (milliseconds).

    `catalog_version` is the catalog's after a transaction in which nobody else changed it, '' where that is not known;
    `event` is the number of the event that the ledger has of it, 0 where none is known.
    """

    step: Step
    milliseconds: float = 0
    catalog_version: str = ""
    event: int = 0


def digests_of(module: Module) -> Digests:
    """Return the digests of a module's file."""
    return Digests(text_digest(module.text), statements_digest(module.text))


def run_module(
    connection: Connection, session: Session, module: Module, digests: Digests, step: Step, *, catalog_version: str = ""
) -> Applied:
    """Run a module as its first line declares, in a transaction of its own or statement by statement; write its row.

    Where the catalog's version before it is given, that after its transaction is found out. Raises ModuleError where
    PostgreSQL refuses a statement, RefusedError where a module that runs statement by statement cannot be resumed.
    """
    if not runs_by_statement(module.text):
        with session.transaction(connection):
            if not ledger_exists(connection):
                create_ledger(connection, session.program)
            return run_in_transaction(connection, session, module, digests, step, catalog_version=catalog_version)
    started = time.perf_counter()
    effect = run_statements(connection, session, module)
    milliseconds = (time.perf_counter() - started) * 1000
    with session.transaction(connection):
        event = ledger.record(
            connection,
            module.name,
            digests,
            step=step,
            program=session.program,
            milliseconds=milliseconds,
            effect=effect,
        )
    return Applied(step, milliseconds, event=event)


def run_in_transaction(
    connection: Connection,
    session: Session,
    module: Module,
    digests: Digests,
    step: Step,
    *,
    measure: Callable[[Callable[[], None]], CatalogChange] | None = None,
    catalog_version: str = "",
) -> Applied:
    """Run a module and write its row, in the current transaction; the ledger must exist.

    `measure` is for a transaction of several modules: it calls its argument and returns what that changed in the
    catalog. Without it everything that the transaction changed is this module's effect. Raises ModuleError.
    """
    milliseconds = 0.0

    def act() -> None:
        nonlocal milliseconds
        started = time.perf_counter()
        run_text(connection, session, module)
        milliseconds = (time.perf_counter() - started) * 1000
        end_module(connection, session, module, others_follow=measure is not None)
        revoke_granted_by_default(connection, session.private_schemas)

    after = ""
    if measure:
        effect = measure(act)
    elif catalog_version:
        effect, after = followed_change_of(connection, session.target, act, catalog_version)
    else:
        prepare_observer(session.target)
        effect = catalog_change_of(connection, session.target, act)
    refuse_stack_privileges(module, effect)
    event = ledger.record(
        connection, module.name, digests, step=step, program=session.program, milliseconds=milliseconds, effect=effect
    )
    return Applied(step, milliseconds, after, event)


def run_without_ledger(connection: Connection, session: Session, module: Module) -> CatalogChange:
    """Run a module as `run_module` does, in a database without a ledger; return its effect. Raises ModuleError."""
    if runs_by_statement(module.text):
        return run_statements(connection, session, module, resumable=False)

    def act() -> None:
        run_text(connection, session, module)
        end_module(connection, session, module)
        revoke_granted_by_default(connection, session.private_schemas)

    prepare_observer(session.target)
    with session.transaction(connection):
        effect = catalog_change_of(connection, session.target, act)
        refuse_stack_privileges(module, effect)
    return effect

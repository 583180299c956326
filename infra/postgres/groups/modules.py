"""A module in the databases of a group: applied where the modules before it are, and compared."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.modules.decision import Step
from infra.modules.digests import text_digest
from infra.modules.module import load_modules
from infra.postgres.apply import runner
from infra.postgres.connection import pool
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.introspection.effects import wait_for_observer
from infra.postgres.ledger.identity import ledger_exists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.postgres.connection.session import Session

APPLIED = "SELECT module, text_digest FROM sqlmodule.ledger"


class WaitingError(InfraError):
    """A module that was not run, because a module before it is not applied to the database."""


class AppliedModules:
    """The digests of the texts that each database has in its ledger, as this process read or wrote them."""

    def __init__(self) -> None:
        self._digests: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def of(self, session: Session) -> dict[str, str]:
        """Return the digests by module; the first call for a database reads its ledger. Raises psycopg.Error."""
        key = str(session.target)
        if key not in self._digests:
            with pool.connection(session.target) as connection:
                rows = dict(connection.execute(APPLIED).fetchall()) if ledger_exists(connection) else {}
            with self._lock:
                self._digests[key] = rows
        return self._digests[key]

    def record(self, session: Session, module: str, digest: str) -> None:
        """Note that a module is applied with this text."""
        with self._lock:
            self._digests.setdefault(str(session.target), {})[module] = digest

    def forget(self, session: Session) -> None:
        """Forget what a database has, so that it is read again."""
        with self._lock:
            self._digests.pop(str(session.target), None)


applied_modules = AppliedModules()


def apply_in_order(session: Session, module: Module, before: Sequence[Module], *, recorded: bool) -> Step:
    """Apply a module to a session's database as `runner.apply` does, if all modules before it are applied as they are.

    Raises WaitingError where they are not, and what `runner.apply` raises.
    """
    with translated_errors(session.place):
        applied = applied_modules.of(session) if before else {}
    missing = next((earlier.name for earlier in before if applied.get(earlier.name) != text_digest(earlier.text)), None)
    if missing:
        raise WaitingError(f"waits for {missing}")
    try:
        step = runner.apply(session, module, recorded=recorded).step
    finally:
        wait_for_observer(session.target)  # it would add a connection to the pool after the work on this database
    if step is Step.REBUILD:
        applied_modules.forget(session)  # the later ones ran again
    else:
        applied_modules.record(session, module.name, text_digest(module.text))
    return Step.UNCHANGED if step is Step.REFORMATTED else step


def modules_before(module: Module, directory: str) -> list[Module]:
    """Return the modules of a directory that come before a module; raises ModuleFileError."""
    return [earlier for earlier in load_modules(Path(directory), shown_as=directory) if earlier.number < module.number]

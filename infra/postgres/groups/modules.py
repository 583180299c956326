"""The modules in a database of a group: one visit, with one connection, applies all that are to be run, in order.

Pulumi asks module by module, for all databases of the group each time. So the visit for the first one keeps what came
of the later ones until they are asked for.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.catalog.catalog import fingerprint
from infra.errors import InfraError
from infra.modules.decision import Step
from infra.modules.digests import text_digest
from infra.modules.module import load_modules
from infra.modules.restrictions import find_restricted
from infra.postgres.apply import planning, runner
from infra.postgres.apply.live_status import read_status
from infra.postgres.apply.revisions import history_of, stamp_head
from infra.postgres.connection import pool
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.introspection.effects import wait_for_observer
from infra.postgres.ledger.identity import ledger_exists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.plan.database_status import DatabaseStatus
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

APPLIED = "SELECT module, text_digest FROM sqlmodule.ledger"


class WaitingError(InfraError):
    """A module that was not run, because a module before it is not applied to the database."""


@dataclass(frozen=True)
class Completeness:
    """What a database has: its fingerprint, the statements' digests by module, and what no module made."""

    fingerprint: str
    statements: dict[str, str]
    unmanaged: tuple[str, ...]


class Visits:
    """What this process knows of the databases that it visited, by the migrator's target."""

    def __init__(self) -> None:
        self._applied: dict[str, dict[str, str]] = {}
        self._outcomes: dict[tuple[str, str], Step | Exception] = {}
        self._completeness: dict[str, Completeness] = {}
        self._held: dict[str, str] = {}
        self._lock = threading.Lock()

    def apply(self, session: Session, module: Module, order: ModuleOrder, *, recorded: bool) -> Step:
        """Apply a module as `runner.apply` does, if all modules before it are applied as their files are.

        The modules after it are applied too, as far as the plan of the database does something with them. Raises
        WaitingError where a module before it is missing, and what `runner.apply` raises.
        """
        key = str(session.target)
        if key in self._held:
            raise WaitingError(self._held[key])
        if (key, module.name) not in self._outcomes:
            try:
                self._visit(session, module, order, recorded=recorded)
            finally:
                wait_for_observer(session.target)  # it would add a connection to the pool after the visit
        outcome = self._outcomes.pop((key, module.name))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def completeness(self, session: Session, order: ModuleOrder | None = None) -> Completeness:
        """Return what a database has, as the visit that applied its last module left it; else it is read.

        Given the modules, what `read_completeness` writes down is written down.
        """
        return self._completeness.pop(str(session.target), None) or read_completeness(session, order)

    def has_all(self, session: Session) -> bool:
        """Return whether this process knows that a database has all modules."""
        return str(session.target) in self._completeness

    def hold(self, session: Session, why: str) -> None:
        """Refuse the modules of a database in this process: `apply` raises a WaitingError with this text."""
        self._held[str(session.target)] = why

    def keep(self, session: Session, complete: Completeness, modules: Sequence[Module]) -> None:
        """Remember what a new database has, which is a clone of one with these modules: it need not be visited."""
        key = str(session.target)
        self._completeness[key] = complete
        self._outcomes |= {(key, module.name): Step.UNCHANGED for module in modules}

    def forget(self, session: Session) -> None:
        """Forget a database, which may be dropped."""
        key = str(session.target)
        self._applied.pop(key, None)
        self._completeness.pop(key, None)
        self._held.pop(key, None)
        self._outcomes = {known: outcome for known, outcome in self._outcomes.items() if known[0] != key}

    def _visit(self, session: Session, module: Module, order: ModuleOrder, *, recorded: bool) -> None:
        key = str(session.target)
        applied = self._ledger(session)
        for earlier in order.before(module):
            if applied.get(earlier.name) != text_digest(earlier.text):
                raise WaitingError(f"waits for {earlier.name}")
        complete = self._completeness.pop(key, None)
        if applied and not planning.known_step(session, module.name):
            planning.look(session, recorded=True, explain=False)  # a clone need not be read
        for due in (module, *order.after(module)):
            planned = planning.known_step(session, due.name)
            if due is not module and not (planned and planned.acts):
                self._outcomes[key, due.name] = Step.UNCHANGED
                continue
            try:
                step = runner.apply(session, due, recorded=recorded).step
            except Exception as error:  # noqa: BLE001 (it is raised when it is the module's turn)
                self._outcomes[key, due.name] = error
                return
            if step is Step.REBUILD:
                self._applied.pop(key, None)  # the later ones ran again
            elif key in self._applied:
                self._applied[key][due.name] = text_digest(due.text)
            complete = complete if step is Step.UNCHANGED else None
            self._outcomes[key, due.name] = Step.UNCHANGED if step is Step.REFORMATTED else step
        self._completeness[key] = complete or read_completeness(session, order)

    def _ledger(self, session: Session) -> dict[str, str]:
        """Return the digests of the texts in a database's ledger, by module, as this process read or wrote them."""
        key = str(session.target)
        if key not in self._applied:
            with translated_errors(session.place), pool.connection(session.target) as connection:
                rows = dict(connection.execute(APPLIED).fetchall()) if ledger_exists(connection) else {}
            self._applied[key] = rows
        return self._applied[key]


visits = Visits()


@dataclass(frozen=True)
class ModuleOrder:
    """The modules of a directory in order, and those that may be run ahead: up to the first that is refused."""

    modules: tuple[Module, ...]
    ahead: frozenset[str]

    def before(self, module: Module) -> list[Module]:
        """Return the modules before a module."""
        return [earlier for earlier in self.modules if earlier.number < module.number]

    def after(self, module: Module) -> list[Module]:
        """Return the modules after a module that may be run before Pulumi has checked them."""
        return [later for later in self.modules if later.number > module.number and later.name in self.ahead]


def module_order(directory: str) -> ModuleOrder:
    """Return the modules of a directory in order; raises ModuleFileError."""
    modules = load_modules(Path(directory), shown_as=directory)
    ahead: list[str] = []
    for module in modules:
        if find_restricted(module):
            break
        ahead.append(module.name)
    return ModuleOrder(tuple(modules), frozenset(ahead))


def read_completeness(session: Session, order: ModuleOrder | None = None) -> Completeness:
    """Read ledger and catalog of a database; raises ServerError, LedgerError.

    Given the modules, it is written down where the database has them all, so that it need not be read the next time,
    and that it is at the last revision.
    """
    with translated_errors(session.place), pool.connection(session.target) as connection:
        if order:
            _stamp(connection, session, order.modules)
            status = planning.read_and_record(connection, session, order.modules)
        else:
            status = read_status(connection, session.program)
    return completeness_of(status, session)


def _stamp(connection: Connection, session: Session, modules: Sequence[Module]) -> None:
    """Write down that a database with all modules, each as in its file, is at the last revision, if there are any."""
    history = history_of(session)
    if history and ledger_exists(connection):
        applied = dict(connection.execute(APPLIED).fetchall())
        if all(applied.get(module.name) == text_digest(module.text) for module in modules):
            stamp_head(connection, session.owner, history.head)


def completeness_of(status: DatabaseStatus, session: Session) -> Completeness:
    """Return what a database has, given its status."""
    statements = {name: entry.digests.statements for name, entry in status.entries.items()}
    return Completeness(fingerprint(status.catalog), statements, tuple(map(str, status.unmanaged(session.allowed))))

"""What each module does to a catalog, found by running the modules on a scratch database."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from infra.catalog.changes import CatalogChange, fold
from infra.modules.digests import text_digest
from infra.postgres.apply.execution import run_without_ledger
from infra.postgres.apply.scratch import scratch_on_server
from infra.postgres.apply.scratch_names import change_with_real_names
from infra.postgres.connection import pool
from infra.postgres.connection.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget

_latest_effects: dict[tuple[str, ...], dict[str, CatalogChange]] = {}
"""The effects of the modules that were run last, by target and digests of all texts: it has at most one entry."""
_lock = threading.Lock()


class ModuleEffects:
    """The effect of each module by name, and the definitions that all of them together leave."""

    def __init__(self, by_module: Mapping[str, CatalogChange]) -> None:
        self.by_module = by_module
        self.definitions = fold(by_module.items()).definitions


def effects_of_modules(session: Session) -> ModuleEffects:
    """Return the effects of a session's modules, which are run only once in a process while their files stay the same.

    Threads wait for each other, so that modules are never run twice at once. Raises ModuleError.
    """
    modules = session.read_modules()
    key = (str(session.target), *(text_digest(module.text) for module in modules))
    with _lock:
        if key not in _latest_effects:
            _latest_effects.clear()
            _latest_effects[key] = effects_on_scratch(session, modules)
        return ModuleEffects(_latest_effects[key])


def effects_on_scratch(session: Session, modules: Sequence[Module]) -> dict[str, CatalogChange]:
    """Run modules in order on a scratch database like the session's, and return the effect of each by name.

    Raises ModuleError.
    """
    provide, seconds = session.scratch or scratch_on_server, session.statement_timeout
    with provide(session) as scratch, pool.connection(scratch.target) as connection:
        if scratch.differences:
            session.tell(
                f"the scratch database for comparing is not like {session.place}: {'; '.join(scratch.differences)}"
            )
        return {module.name: run_on_scratch(connection, scratch, module, seconds=seconds) for module in modules}


def run_on_scratch(
    connection: Connection,
    scratch: ScratchTarget,
    module: Module,
    *,
    seconds: float,
    private_schemas: tuple[str, ...] = (),
) -> CatalogChange:
    """Run one module on a scratch database as a stack's run would, and return its effect; raises ModuleError.

    The effect has the names of the database that the scratch database stands for.
    """
    session = session_on_scratch(scratch, seconds=seconds, private_schemas=private_schemas)
    return change_with_real_names(scratch, run_without_ledger(connection, session, module))


def session_on_scratch(scratch: ScratchTarget, *, seconds: float, private_schemas: tuple[str, ...] = ()) -> Session:
    """Return the session for modules that are run on a scratch database."""
    return Session(
        scratch.target,
        scratch.target,
        scratch.owner,
        stack="",
        lock_timeout=seconds,
        statement_timeout=seconds,
        private_schemas=private_schemas,
    )

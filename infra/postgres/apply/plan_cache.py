"""The plans that this process has made, by database, and what is done of them."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.catalog.catalog import ObjectId
    from infra.modules.module import Module
    from infra.modules.module_file import ModuleFile
    from infra.plan.database_status import DatabaseStatus
    from infra.plan.plan import Plan
    from infra.postgres.apply.execution import Applied
    from infra.postgres.ledger.ledger import LedgerVersion


@dataclass
class PlanInProgress:
    """The plan for a database in this process, and what is done of it.

    `version` is the ledger's when this process last read or wrote it, `explained` what the plan's revisions change
    and the modules that it adopts make.
    `is_read` says that a look read the catalog, since nothing was written down of it or it was changed since.
    `catalog_version` is the catalog's as far as it follows from `status` and `done`, '' where that is not known.
    """

    plan: Plan
    status: DatabaseStatus
    files: list[ModuleFile]
    version: LedgerVersion | None
    done: dict[str, Applied] = field(default_factory=dict[str, "Applied"])
    is_renamed: bool = False
    is_torn_down: bool = False
    explained: frozenset[ObjectId] = frozenset()
    catalog_version: str = ""
    is_read: bool = False

    def has(self, module: Module | None) -> bool:
        """Return whether the plan was made of a module with this text; True for None."""
        return module is None or any(file.module == module for file in self.files)

    def file_of(self, module: str) -> ModuleFile:
        """Return the file of a module that has one."""
        return next(file for file in self.files if file.name == module)


@dataclass(frozen=True)
class Unreadable:
    """Why a database could not be looked at; `is_missing` where it, or its role, does not exist."""

    reason: str
    is_missing: bool


class PlanCache:
    """The plans of this process by database; while one thread makes a plan, others that want it wait."""

    def __init__(self) -> None:
        self._plans: dict[str, PlanInProgress | Unreadable] = {}
        self._looked: dict[str, Plan | None] = {}
        self._statuses: dict[str, DatabaseStatus | None] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def plan(self, key: str, make: Callable[[], PlanInProgress | Unreadable]) -> PlanInProgress | Unreadable:
        """Return the plan for a key, which the first call makes; an error is not kept."""
        with self._locks[key]:
            if key not in self._plans:
                self._plans[key] = plan = make()
                self._looked.setdefault(key, None if isinstance(plan, Unreadable) else plan.plan)
            return self._plans[key]

    def has_looked(self, key: str) -> bool:
        """Return whether this process has made a plan by looking, and not only to carry it out."""
        return key in self._looked

    def has_changes(self, key: str) -> bool:
        """Return whether a look found a database changed since it was found as the modules left it."""
        plan = self._plans.get(key)
        return isinstance(plan, PlanInProgress) and plan.is_read

    def looked(self, key: str) -> Plan | None:
        """Return the plan that was first made by looking, whatever was done since; None for no plan."""
        return self._looked.get(key)

    def digests(self) -> list[str]:
        """Return the digests of the plans that were first made by looking, in the order of their databases."""
        return [plan.digest for _, plan in sorted(self._looked.items()) if plan]

    def status(self, key: str, read: Callable[[], DatabaseStatus | None]) -> DatabaseStatus | None:
        """Return what a refresh read of a database, which the first call reads; an error is not kept."""
        with self._locks[key]:
            if key not in self._statuses:
                self._statuses[key] = read()
            return self._statuses[key]

    def known(self, key: str) -> PlanInProgress | None:
        """Return the plan for a key where this process has made one."""
        plan = self._plans.get(key)
        return plan if isinstance(plan, PlanInProgress) else None

    def keep(self, key: str, plan: PlanInProgress) -> None:
        """Replace the plan for a key."""
        self._plans[key] = plan

    def forget(self, key: str) -> None:
        """Forget the plan for a key."""
        self._plans.pop(key, None)

    def clear(self) -> None:
        """Forget everything, as a new process would."""
        self._plans.clear()
        self._looked.clear()
        self._statuses.clear()


cache = PlanCache()

"""What follows from the steps of edited and removed modules: which others are built anew, why, and the seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.modules.decision import Step
from infra.modules.module import order
from infra.plan.plan import RUN_STEPS, PlannedSeed
from infra.plan.row_selection import filled_by_later

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.modules.seed import SeedFile
    from infra.plan.ledger_rows import LedgerEntry
    from infra.plan.plan import PlannedStep

SEED_CHANGED = "the seed has changed, so that the database is built anew"
FOLLOWS = "later than {}, whose objects are dropped and made anew"
"""Why a module is rebuilt whose file did not change, after one that is."""
SEED_FOLLOWS = "the seed is inserted anew, and only fits tables without rows"
CHANGED_BY_LATER = "a later module changed what it made, and is built anew or removed"
ROWS_OF_LATER = "a later module wrote rows into its tables, and is built anew or removed"
"""Why a module before all that were changed is rebuilt: rows would be there twice, or not go."""


def reasons_of_teardown(
    teardown: Sequence[LedgerEntry], rebuilt: Sequence[str], removed: Sequence[str]
) -> dict[str, str]:
    """Return why modules are torn down whose files did not change, given those that were edited or removed."""
    begun = [*rebuilt, *removed]
    if not begun:
        return {}
    names = [entry.module for entry in teardown if entry.module not in removed]
    edited = min(rebuilt, key=order, default=None)
    reasons = dict.fromkeys(names[:1], CHANGED_BY_LATER)
    for name in names[1:]:
        reasons[name] = FOLLOWS.format(edited if edited and order(edited) < order(name) else names[0])
    return reasons | dict.fromkeys(filled_by_later(teardown, before=min(begun, key=order)), ROWS_OF_LATER)


def seed_due(seed: SeedFile | None, recorded: LedgerEntry | None, *, is_torn_down: bool) -> PlannedSeed | None:
    """Return the seed that a database gets, given its row in the ledger; None where it has it, and keeps it."""
    if not seed:
        return None
    if not recorded:
        return PlannedSeed(seed.path, seed.digest, "the database does not have them yet")
    if recorded.digests.text != seed.digest:
        return PlannedSeed(seed.path, seed.digest, "the file has changed")
    return PlannedSeed(seed.path, seed.digest, "its tables are built anew") if is_torn_down else None


def following_step(step: PlannedStep, reasons: Mapping[str, str]) -> PlannedStep:
    """Return the step of a module with a file: a rebuild where its objects are dropped, which `reasons` has."""
    if step.module not in reasons or step.step in RUN_STEPS:
        return step
    differences = () if step.step is Step.REFUSE else step.differences
    return replace(step, step=Step.REBUILD, why=reasons[step.module], remedy="", differences=differences)

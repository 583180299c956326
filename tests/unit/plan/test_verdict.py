"""The first line of a plan: what `up` will do, in one sentence."""

from __future__ import annotations

import pytest

from infra.modules.decision import Lifecycle, Step
from infra.plan.plan import Plan, PlannedStep
from infra.plan.rendering import PlannedDatabase, verdict_of


def planned(*steps: Step, removed: tuple[Step, ...] = ()) -> PlannedDatabase:
    """Return a database with a module for each step."""
    made = tuple(PlannedStep(f"0{number}-a", step, "") for number, step in enumerate(steps, 1))
    gone = tuple(PlannedStep(f"1{number}-a", step, "") for number, step in enumerate(removed))
    return PlannedDatabase("shop", Lifecycle.EPHEMERAL, Plan(made, gone))


@pytest.mark.parametrize(
    ("database", "text"),
    [
        (planned(Step.UNCHANGED), "`up` will leave the schema as it is"),
        (planned(Step.UNCHANGED, Step.APPLY), "`up` will change the schema of shop, and lose no row"),
        (planned(Step.REBUILD), "`up` will change the schema of shop, and lose no row"),
        (planned(Step.REFORMATTED), "`up` will change the ledger of shop alone"),
        (planned(Step.VERIFY, Step.ADOPT, Step.UNCHANGED), "`up` will change the ledger of shop alone"),
        (planned(Step.UNCHANGED, removed=(Step.RETAIN,)), "`up` will change the ledger of shop alone"),
        (planned(Step.REFORMATTED, Step.REFUSE), "`up` will refuse, and change nothing in shop"),
    ],
)
def test_it_says_what_is_changed(database: PlannedDatabase, text: str) -> None:
    """A changed comment is no change of the schema, and neither is a module that is taken as it is."""
    assert verdict_of([database]).text == text

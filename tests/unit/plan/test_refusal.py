"""What a person reads where a plan is refused."""

from __future__ import annotations

from infra.modules.decision import Step
from infra.plan.plan import Plan, PlannedStep
from infra.plan.refusal import refusal_of


def refused(module: str, why: str) -> PlannedStep:
    return PlannedStep(module, Step.REFUSE, why, "mend it", path=f"sql/{module}.sql")


def test_two_reasons_are_two_sentences() -> None:
    """Each has its module and its remedy, on a line of its own."""
    plan = Plan((refused("01-a", "its table is gone"), refused("02-b", "somebody changed it")))
    assert str(refusal_of(plan, "database shop")).splitlines() == [
        "sql/01-a.sql in database shop: its table is gone; mend it",
        "sql/02-b.sql in database shop: somebody changed it; mend it",
    ]


def test_one_reason_of_two_modules_is_one_sentence() -> None:
    """The first module is named, and how many there are besides."""
    plan = Plan((refused("01-a", "its table is gone"), refused("02-b", "its table is gone")))
    assert str(refusal_of(plan, "database shop")) == (
        "sql/01-a.sql and 1 more in database shop: its table is gone; mend it"
    )

"""What the providers of modules tell Pulumi of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.resources.module_provider import AGAIN
from infra.resources.sql_module import SqlModuleProvider

if TYPE_CHECKING:
    from infra.resources.base import Properties


class Planning(SqlModuleProvider):
    """A provider for whose module there is always the same plan."""

    def planned(self, olds: Properties, inputs: Properties, *, explain: bool) -> Properties:  # noqa: ARG002
        return {"plan": "plan1:x", "drift": "rebuild: its statements changed"}


def test_the_plan_of_the_last_run_is_to_be_carried_out_again() -> None:
    """A restored backup may bring back the very situation of the last run: that is a change, and not what is stored."""
    provider = Planning()
    session = '{"stack": "dev"}'
    props: Properties = {"text_digest": "t", "statements_digest": "s", "session": session, "look": True}
    plans: list[str] = []
    stored = props
    for _ in range(3):
        inputs = provider.check(stored, props).inputs
        plans.append(inputs["plan"])
        assert provider.diff("id", {**stored, "drift": "none"}, inputs).changes
        assert not provider.diff("id", {**inputs, "drift": "none"}, inputs).changes  # as a refresh asks
        stored = inputs
    assert plans == ["plan1:x", "plan1:x" + AGAIN, "plan1:x"]

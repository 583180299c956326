"""What the providers of modules tell Pulumi of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi.output import Unknown

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

    def outputs(inputs: Properties) -> Properties:
        return {**inputs, "session": session, "drift": "none"}

    for _ in range(3):
        inputs = provider.check(stored, props).inputs
        plans.append(inputs["plan"])
        assert provider.diff("id", outputs(stored), inputs).changes
        assert not provider.diff("id", outputs(inputs), inputs).changes  # as a refresh asks
        stored = inputs
    assert plans == ["plan1:x", "plan1:x" + AGAIN, "plan1:x"]


def test_the_session_is_in_the_outputs_alone() -> None:
    """The inputs have its digest; another session is a change, and one that a preview does not know yet is none."""
    provider = Planning()
    props: Properties = {"text_digest": "t", "session": '{"stack": "dev"}', "look": False}
    before: Properties = {"text_digest": "t", "statements_digest": "s", "program": "dev"}
    inputs = provider.check(before, props).inputs
    assert "session" not in inputs
    outputs = {**inputs, "session": props["session"]}
    assert not provider.diff("id", outputs, inputs).changes
    assert provider.diff("id", {**outputs, "session": '{"stack": "dev", "port": 1}'}, inputs).changes
    unknown = provider.check(before, {**props, "session": Unknown()}).inputs
    assert unknown.keys() == inputs.keys()  # else Pulumi refuses a plan that was saved before the server was there
    assert not provider.diff("id", outputs, unknown).changes


def test_a_former_name_of_the_stack_is_passed_on() -> None:
    """What the inputs of the last run have proves it."""
    props: Properties = {"text_digest": "t", "session": '{"stack": "new"}', "look": False}
    before: Properties = {"text_digest": "t", "statements_digest": "s"}
    for program, formerly in (("old", "old"), ("new", None)):
        assert Planning().check({**before, "program": program}, props).inputs.get("formerly") == formerly

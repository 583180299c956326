"""What a stack may lose: the guard that is declared before everything else and acts in previews too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.modules.decision import Lifecycle
from infra.resources.base import DynamicResource, Properties, Provider, changed, refused

if TYPE_CHECKING:
    from collections.abc import Sequence


BEGIN_EMPTY = (
    "put a copy of the data back; or, to begin with an empty database, set lifecycle: ephemeral, run `up`, set it "
    "back, and restore a backup"
)
"""What to do where the data of a persistent stack are gone."""


class StackPolicyProvider(Provider):
    """Refuses to lose a database of a persistent stack that `drop_databases` does not name."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Compare the databases with those of the last run."""
        if _olds.get("lifecycle") != Lifecycle.PERSISTENT.value:
            return CheckResult(news, [])
        lost = [name for name in _olds["databases"] if name not in {*news["databases"], *news["drop_databases"]}]
        remedy = "put it back; or, to drop it with its data, name it in drop_databases, run `up`, and then take it out"
        problems = [
            f"database {name} is gone from the settings, and this stack is persistent; {remedy}" for name in lost
        ]
        return refused(news, problems)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when any input differs."""
        return DiffResult(changes=bool(changed(_olds, _news, "lifecycle", "databases", "drop_databases")))

    def create(self, props: Properties) -> CreateResult:
        """Store the inputs."""
        return CreateResult("policy", props)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Store the new inputs."""
        return UpdateResult(_news)


class StackPolicy(DynamicResource, module="postgres", name="StackPolicy"):
    """The lifecycle and the databases of a stack."""

    def __init__(
        self,
        name: str,
        *,
        lifecycle: Lifecycle,
        databases: Sequence[str],
        drop_databases: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            "lifecycle": lifecycle.value,
            "databases": list(databases),
            "drop_databases": list(drop_databases),
        }
        super().__init__(StackPolicyProvider, name, props, opts)

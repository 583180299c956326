"""What a stack may lose: the guard that stands before everything else, in previews too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.resources.base import DynamicResource, Properties, Provider, changed, readable_errors, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

PERSISTENT = "persistent"


class StackPolicyProvider(Provider):
    """Refuses to lose a database of a persistent stack that nobody has named."""

    @readable_errors
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Compare the databases with those of the run before."""
        if _olds.get("lifecycle") != PERSISTENT:
            return CheckResult(news, [])
        lost = [name for name in _olds["databases"] if name not in {*news["databases"], *news["drop_databases"]}]
        remedy = "put it back; or, to drop it with its data, name it in drop_databases, run `up`, and then take it out"
        problems = [
            f"database {name} is gone from the settings, and this stack is persistent; {remedy}" for name in lost
        ]
        return refused(news, problems)

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when any of it did."""
        return DiffResult(changes=bool(changed(_olds, _news, "lifecycle", "databases", "drop_databases")))

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Remember what there is."""
        return CreateResult("policy", props)

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Remember what there is now."""
        return UpdateResult(_news)


class StackPolicy(DynamicResource, module="postgres", name="StackPolicy"):
    """The lifecycle and the databases of a stack."""

    def __init__(
        self,
        name: str,
        *,
        lifecycle: str,
        databases: Sequence[str],
        drop_databases: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            "lifecycle": lifecycle,
            "databases": list(databases),
            "drop_databases": list(drop_databases),
        }
        super().__init__(StackPolicyProvider, name, props, opts)

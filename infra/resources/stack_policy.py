"""What a stack may lose: the guard that is declared before everything else and acts in previews too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.modules.decision import Lifecycle
from infra.resources.base import DynamicResource, Properties, Provider, changed, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.resources.actions import embedded_server as servers
else:
    servers = LazyModule("infra.resources.actions.embedded_server")


class StackPolicyProvider(Provider):
    """Refuses to lose a database of a persistent stack that `drop_databases` does not name.

    It is created before a server, and deleted after it, so that it removes what a killed creation has left of one.
    """

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Compare the databases with those of the last run."""
        if news.get("server"):
            news = {**news, "server": {**news["server"], **servers.place(_olds.get("server") or {}, news["server"])}}
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
        return DiffResult(changes=bool(changed(_olds, _news, "lifecycle", "databases", "drop_databases", "server")))

    def create(self, props: Properties) -> CreateResult:
        """Store the inputs."""
        return CreateResult("policy", props)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Store the new inputs."""
        return UpdateResult(_news)

    def delete(self, _id: str, _props: Properties) -> None:
        """Remove an embedded server that no state has, because the run that created it was killed."""
        if _props.get("server"):
            servers.remove_unrecorded(_props["server"])


class StackPolicy(DynamicResource, module="postgres", name="StackPolicy"):
    """The lifecycle and the databases of a stack; `server` is where an embedded server is created."""

    def __init__(
        self,
        name: str,
        *,
        lifecycle: Lifecycle,
        databases: Sequence[str],
        drop_databases: Sequence[str],
        server: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            "lifecycle": lifecycle.value,
            "databases": list(databases),
            "drop_databases": list(drop_databases),
            **({"server": dict(server)} if server else {}),
        }
        super().__init__(StackPolicyProvider, name, props, opts)

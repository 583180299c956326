"""A Docker engine, as a resource: asked in every run whether it answers, and where its published ports are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed

if TYPE_CHECKING:
    from infra.resources.actions import docker_objects as actions
else:
    actions = LazyModule("infra.resources.actions.docker_objects")


class DockerEngineProvider(Provider):
    """Looks at the engine before anything is created on it."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse an engine that does not answer; previews know its address."""
        return CheckResult({**news, **actions.look_at_engine(news)}, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the engine is another one, or is reached at another address."""
        return DiffResult(changes=bool(changed(_olds, _news, "host", "server_host")))

    def create(self, props: Properties) -> CreateResult:
        """Store what was found."""
        return CreateResult("engine", props)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Store what is found now."""
        return UpdateResult(_news)


class DockerEngine(DynamicResource, module="postgres", name="DockerEngine"):
    """The engine: `host` in the form of DOCKER_HOST, `server_host` where a port published on `address` is reached."""

    host: pulumi.Output[str]
    server_host: pulumi.Output[str]

    def __init__(
        self, name: str, *, docker_host: str | None, address: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props: Properties = {"docker_host": docker_host, "address": address, "host": None, "server_host": None}
        super().__init__(DockerEngineProvider, name, props, opts)

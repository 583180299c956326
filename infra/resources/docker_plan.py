"""What will be done to a server in a container, as a resource: looks before anything is created, and keeps the port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed, refused
from infra.resources.docker_inputs import FOUND, RESTARTING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.resources.actions import docker_plan as actions
    from infra.settings.servers import DockerSettings
else:
    actions = LazyModule("infra.resources.actions.docker_plan")

_INPUTS = ("image", "volume", "data_volume", "port", "settings", "extensions", "initdb_args", "retain")


class DockerPlanProvider(Provider):
    """Looks at engine, image and volume, and refuses what would fail later; changes nothing."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse in a sentence what could not be created, and show what a changed setting will do."""
        inputs, missing = actions.look(_olds, news)
        if _olds and not missing:
            actions.show_plan(_olds, inputs)
        return refused(news, missing) if missing else CheckResult(inputs, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when what was looked at differs."""
        return DiffResult(changes=bool(changed(_olds, _news, *_INPUTS, "listen_port", "version", *RESTARTING)))

    def create(self, props: Properties) -> CreateResult:
        """Store what was found."""
        return CreateResult(props["container"], props)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Store what is found now; before that, move the data where they have to be moved."""
        if _news["data_volume"] != (_olds.get("data_volume") or _olds["volume"]):
            actions.upgrade(_olds, _news)
        return UpdateResult(_news)

    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the volumes that upgrades have created; the first one is a resource of its own."""
        if not _props.get("retain"):
            actions.remove_moved_volumes(_props)


class DockerPlan(DynamicResource, module="postgres", name="DockerPlan"):
    """What was found and decided before the container is created; `listen_port` is the port that it publishes."""

    listen_port: pulumi.Output[int]
    data_volume: pulumi.Output[str]
    version: pulumi.Output[str]
    major: pulumi.Output[int]
    docker_host: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: DockerSettings,
        *,
        engine: pulumi.Input[str],
        image_id: pulumi.Input[str],
        stack: str,
        names: Mapping[str, str],
        extensions: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = settings.model_dump(exclude={"kind", "restart"})
        props |= {"docker_host": engine, "image_id": image_id, "stack": stack, "extensions": list(extensions), **names}
        props |= dict.fromkeys(("listen_port", "data_volume", *FOUND))
        super().__init__(DockerPlanProvider, name, props, opts)

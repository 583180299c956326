"""A volume for a server's data and a network for its container, as resources: what others created is used and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed

if TYPE_CHECKING:
    from infra.resources.actions import docker_objects as actions
else:
    actions = LazyModule("infra.resources.actions.docker_objects")


class DockerObjectProvider(Provider):
    """Creates an object where there is none of its name, and removes it only if this stack created it."""

    kind: ClassVar[str]

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change of the inputs; another name is another object."""
        return DiffResult(
            changes=bool(changed(_olds, _news, "name", "engine", "retain")),
            replaces=changed(_olds, _news, "name"),
            delete_before_replace=True,
        )

    def create(self, props: Properties) -> CreateResult:
        """Create the object, labelled with the stack's name, unless it exists."""
        actions.create(self.kind, props)
        return CreateResult(props["name"], props)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Store the inputs."""
        return UpdateResult(_news)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return what the state has while the object exists."""
        return ReadResult(id_, props) if actions.exists(self.kind, props) else ReadResult("", {})

    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the object if the stack created it and need not retain it; harmless when it is gone."""
        actions.remove(self.kind, _props)


class DockerVolumeProvider(DockerObjectProvider):
    """Creates and removes volumes."""

    kind = "volume"


class DockerNetworkProvider(DockerObjectProvider):
    """Creates and removes networks."""

    kind = "network"


class DockerVolume(DynamicResource, module="postgres", name="DockerVolume"):
    """The volume of a server's data; with `retain` it is never removed."""

    def __init__(
        self,
        name: str,
        *,
        volume: str,
        stack: str,
        engine: pulumi.Input[str],
        retain: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {"name": volume, "stack": stack, "engine": engine, "retain": retain}
        super().__init__(DockerVolumeProvider, name, props, opts)


class DockerNetwork(DynamicResource, module="postgres", name="DockerNetwork"):
    """The bridge network of a server's container."""

    def __init__(
        self,
        name: str,
        *,
        network: str,
        stack: str,
        engine: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {"name": network, "stack": stack, "engine": engine, "retain": False}
        super().__init__(DockerNetworkProvider, name, props, opts)

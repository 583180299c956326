"""A PostgreSQL server in a container, as a resource: it exists when the server answers with the stack's password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed, login_password

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.resources.actions import docker_server as actions
else:
    actions = LazyModule("infra.resources.actions.docker_server")

_INPUTS = ("container_id", "port", "address", "password", "volume", "options")


class DockerServerProvider(Provider):
    """Starts the container if it is stopped, waits for the server, and sets the administrator's password."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Report where the server will be."""
        inputs = {**news, "login_password": login_password(_olds, news)}
        return CheckResult(actions.look(inputs) if _olds else inputs, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the connection differs, or when the container has to be started, and show that."""
        stopped = actions.show_start(_olds, _news)
        is_older = "login_password" not in _olds  # of an earlier version
        return DiffResult(changes=stopped or is_older or bool(changed(_olds, _news, *_INPUTS)))

    def create(self, props: Properties) -> CreateResult:
        """Wait until the server answers."""
        return CreateResult(props["container"], actions.ready(props, ""))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Wait until the server answers, with the data that it had; those of another volume have another identifier."""
        moved = _olds["volume"] != _news["volume"]
        return UpdateResult(actions.ready(_news, "" if moved else _olds["system_identifier"]))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Start it when it is stopped, because the refresh of everything inside needs it; without it, it is gone."""
        outputs = actions.read(props)
        return ReadResult("", {}) if outputs is None else ReadResult(id_, outputs)


class DockerServer(DynamicResource, module="postgres", name="DockerServer"):
    """The server; `host` and `listen_port` are known when it listens there.

    The output `login_password` is the administrator's that counts: in a preview of a rotation still the old one.
    """

    host: pulumi.Output[str]
    listen_port: pulumi.Output[int]
    version: pulumi.Output[str]
    system_identifier: pulumi.Output[str]
    login_password: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        address: str,
        names: Mapping[str, pulumi.Input[str]],
        stack: str,
        container_id: pulumi.Input[str],
        port: pulumi.Input[int],
        user: str,
        password: pulumi.Input[str],
        options: pulumi.Input[Mapping[str, str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {"docker_host": engine, "address": address, "stack": stack, **names}
        props |= {"container_id": container_id, "port": port, "user": user, "password": password, "options": options}
        props["login_password"] = pulumi.Output.secret("")
        props |= dict.fromkeys(("host", "listen_port", "version", "system_identifier"))
        super().__init__(DockerServerProvider, name, props, opts)

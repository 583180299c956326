"""A PostgreSQL server in a container, as a resource: it is there when the server answers with the stack's password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import InfraError, RefusedError
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, readable_errors, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_INPUTS = ("container_id", "port", "address", "password", "volume", "options")


class DockerServerProvider(Provider):
    """Starts the container if it stands still, waits for the server, and sets the administrator's password."""

    @readable_errors
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Say where the server will be, and whether its container has to be started."""
        if not _olds:
            return CheckResult(news, [])
        from infra.server.docker import container  # noqa: PLC0415
        from infra.server.docker import engine as docker_engine  # noqa: PLC0415

        engine = docker_engine.engine_of(news["docker_host"])
        inputs = dict(news)
        try:
            inputs["host"] = container.reachable_at(engine, news["address"])
            if is_known(news["port"]):
                inputs["listen_port"] = news["port"]
            if is_known(news["container_id"]) and not changed(_olds, news, "container_id"):
                inputs |= _standing_still(engine.container(news["container_id"]), news["container"])
        except InfraError as error:
            return refused(news, [str(error)])
        return CheckResult(inputs, [])

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when the way in did, or when the container has to be started."""
        return DiffResult(changes=bool(changed(_olds, _news, *_INPUTS)) or "plan" in _news)

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Wait until the server answers."""
        return CreateResult(props["container"], _ready(props, ""))

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Wait until the server answers, with the data that it had; those of another volume have another identifier."""
        moved = _olds["volume"] != _news["volume"]
        return UpdateResult(_ready(_news, "" if moved else _olds["system_identifier"]))

    @readable_errors
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Start it when it stands still, because the refresh of everything inside it needs it; gone is gone."""
        from infra.server.docker import engine  # noqa: PLC0415 (only where a server is asked)

        if engine.engine_of(props["docker_host"]).container(props["container_id"]) is None:
            return ReadResult("", {})
        return ReadResult(id_, _ready(props, props["system_identifier"]))


def _standing_still(there: Properties | None, container: str) -> Properties:
    """Give the plan to start a container, {} when it runs; raises RefusedError when it is gone."""
    if there is None:
        raise RefusedError(
            "is gone, though this stack made it",
            place=f"container {container}",
            remedy="`make refresh`, then `make up`",
        )
    state = there["State"]
    return {} if state["Running"] else {"plan": f"start: the container is {state['Status']}; the data are there"}


def _ready(props: Properties, known: str) -> Properties:
    from infra.server.docker import container  # noqa: PLC0415
    from infra.server.docker import engine as docker_engine  # noqa: PLC0415

    engine = docker_engine.engine_of(props["docker_host"])
    host, port = container.reachable_at(engine, props["address"]), int(props["port"])
    options: dict[str, str] = props.get("options") or {}
    way = {"host": host, "port": str(port), "user": str(props["user"]), **options}
    reached = container.make_ready(engine, props["container"], way, props["password"])
    container.refuse_other_data(reached, known, props["volume"])
    return {
        **{name: value for name, value in props.items() if name != "plan"},
        "host": host,
        "listen_port": port,
        "version": reached.version,
        "system_identifier": reached.system_identifier,
    }


class DockerServer(DynamicResource, module="postgres", name="DockerServer"):
    """The server; `host` and `listen_port` are known when it listens there."""

    host: pulumi.Output[str]
    listen_port: pulumi.Output[int]
    version: pulumi.Output[str]
    system_identifier: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        engine: str,
        address: str,
        names: Mapping[str, pulumi.Input[str]],
        container_id: pulumi.Input[str],
        port: pulumi.Input[int],
        user: str,
        password: pulumi.Input[str],
        options: pulumi.Input[Mapping[str, str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: Properties = {"docker_host": engine, "address": address, **names}
        given |= {"container_id": container_id, "port": port, "user": user, "password": password, "options": options}
        given |= dict.fromkeys(("host", "listen_port", "version", "system_identifier"))
        super().__init__(DockerServerProvider, name, given, opts)

"""What DockerServer's verbs do, in the terms of infra/server/docker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import RefusedError
from infra.resources.base import changed, is_known, without
from infra.server.docker import container
from infra.server.docker.engine import engine_of

if TYPE_CHECKING:
    from infra.resources.base import Properties


def look(olds: Properties, news: Properties) -> Properties:
    """Return the inputs with the address where the server will listen, and what will be done as `plan`."""
    engine = engine_of(news["docker_host"])
    inputs = {**news, "host": container.reachable_at(engine, news["address"])}
    if is_known(news["port"]):
        inputs["listen_port"] = news["port"]
    if is_known(news["container_id"]) and not changed(olds, news, "container_id"):
        inputs |= _start_plan(engine.container(news["container_id"]), news["container"])
    return inputs


def ready(props: Properties, known: str) -> Properties:
    """Wait until the server answers, and return the resource's outputs; raises RefusedError where its data are others.

    `known` is the system identifier of the data that the container had, '' for any.
    """
    engine = engine_of(props["docker_host"])
    host, port = container.reachable_at(engine, props["address"]), int(props["port"])
    options: dict[str, str] = props.get("options") or {}
    keywords = {"host": host, "port": str(port), "user": str(props["user"]), **options}
    reached = container.make_ready(engine, props["container"], keywords, props["password"])
    container.refuse_other_data(reached, known, props["volume"])
    return {
        **without(props, "plan"),
        "host": host,
        "listen_port": port,
        "version": reached.version,
        "system_identifier": reached.system_identifier,
    }


def read(props: Properties) -> Properties | None:
    """Start the container where it is stopped and return the outputs, None where it is gone."""
    if engine_of(props["docker_host"]).container(props["container_id"]) is None:
        return None
    return ready(props, props["system_identifier"])


def _start_plan(existing: Properties | None, name: str) -> Properties:
    """Return the plan to start a container, {} when it runs; raises RefusedError when it is gone."""
    if existing is None:
        raise RefusedError(
            "is gone, though this stack made it",
            place=f"container {name}",
            remedy="`make refresh`, then `make up`",
        )
    state = existing["State"]
    return {} if state["Running"] else {"plan": f"start: the container is {state['Status']}; its data are kept"}

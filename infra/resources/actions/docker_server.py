"""What DockerServer's verbs do, in the terms of infra/server/docker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import RefusedError
from infra.postgres.connection.target import Target
from infra.postgres.server_privileges import restrict_server
from infra.resources.base import changed, is_known
from infra.resources.console import Shown, logger
from infra.server.docker import container
from infra.server.docker.engine import engine_of

if TYPE_CHECKING:
    from infra.resources.base import Properties


def look(news: Properties) -> Properties:
    """Return the inputs with the address where the server will listen."""
    inputs = {**news, "host": container.reachable_at(engine_of(news["docker_host"]), news["address"])}
    return {**inputs, "listen_port": news["port"]} if is_known(news["port"]) else inputs


def show_start(olds: Properties, news: Properties) -> bool:
    """Show that a container that does not run will be started, and return whether; RefusedError when it is gone."""
    if not is_known(news["container_id"]) or changed(olds, news, "container_id"):
        return False
    existing = engine_of(news["docker_host"]).container(news["container_id"])
    if existing is None:
        raise RefusedError(
            "is gone, though this stack made it",
            place=f"container {news['container']}",
            remedy="`make refresh`, then `make up`",
        )
    state = existing["State"]
    is_up = state["Running"] and not state["Paused"]
    if not is_up:
        text = f"start: the container is {state['Status']}; its data are kept"
        logger(news, "DockerServer", "server", Shown.INFO)(text)
    return not is_up


def ready(props: Properties, known: str) -> Properties:
    """Wait until the server answers, restrict it, and return the resource's outputs.

    `known` is the system identifier of the data that the container had, '' for any. Raises RefusedError where the data
    are others.
    """
    outputs, admin = _wait_for(props, known)
    restrict_server(admin)
    return outputs


def _wait_for(props: Properties, known: str) -> tuple[Properties, Target]:
    engine = engine_of(props["docker_host"])
    host, port = container.reachable_at(engine, props["address"]), int(props["port"])
    options: dict[str, str] = props.get("options") or {}
    keywords = {"host": host, "port": str(port), "user": str(props["user"]), **options}
    reached = container.make_ready(engine, props["container"], keywords, props["password"])
    container.refuse_other_data(reached, known, props["volume"])
    outputs = {
        **props,
        "login_password": props["password"],
        "host": host,
        "listen_port": port,
        "version": reached.version,
        "system_identifier": reached.system_identifier,
    }
    admin = Target(reached.host, reached.port, reached.database, reached.user, reached.password, reached.options)
    return outputs, admin


def read(props: Properties) -> Properties | None:
    """Start the container where it is stopped and return the outputs, None where it is gone."""
    if engine_of(props["docker_host"]).container(props["container_id"]) is None:
        return None
    return _wait_for(props, props["system_identifier"])[0]

"""What the verbs of DockerEngine, DockerVolume and DockerNetwork do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.errors import RefusedError
from infra.server.docker.container import OWNER, is_ours, reachable_at
from infra.server.docker.engine import engine_of

if TYPE_CHECKING:
    from infra.resources.base import Properties


def look_at_engine(props: Properties) -> Properties:
    """Return the engine's address and the host where its published ports are reached; raises ServerError."""
    engine = engine_of(props.get("docker_host"))  # Pulumi drops inputs that are None
    engine.ping()
    return {"host": engine.host, "server_host": reachable_at(engine, props["address"])}


def exists(kind: str, props: Properties) -> bool:
    """Return whether the engine has a volume or network of this name."""
    return _inspect(kind, props) is not None


def create(kind: str, props: Properties) -> None:
    """Create a volume or network, labelled with the stack's name, unless it exists."""
    if exists(kind, props):
        return
    engine, labels = engine_of(props["engine"]), {OWNER: props["stack"]}
    if kind == "volume":
        engine.create_volume(props["name"], labels)
    else:
        engine.create_network(props["name"], labels)


def remove(kind: str, props: Properties) -> None:
    """Remove a volume or network that this stack created, unless it is to be retained.

    Raises RefusedError for a volume that a container has: a replacement would lose the data of a server that runs.
    """
    if props["retain"] or not is_ours(_inspect(kind, props), props["stack"]):
        return
    engine = engine_of(props["engine"])
    if kind == "volume":
        users = engine.users_of(props["name"])
        if users:
            raise RefusedError(
                f"is in use by container {', '.join(sorted(users))}, and has its data; nothing was removed",
                place=f"volume {props['name']}",
                remedy="leave out --replace; to begin with an empty server, run `make destroy` and `make up`",
            )
        engine.remove_volume(props["name"])
    else:
        engine.remove_network(props["name"])


def _inspect(kind: str, props: Properties) -> dict[str, Any] | None:
    engine = engine_of(props["engine"])
    return engine.volume(props["name"]) if kind == "volume" else engine.network(props["name"])

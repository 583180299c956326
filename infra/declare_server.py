"""Declares the server of a stack, whatever its kind: what the rest of the stack sees of it is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.program.embedded import declare_embedded
from infra.program.external import declare_external
from infra.settings.model import DockerSettings, ExternalSettings

if TYPE_CHECKING:
    import pulumi

    from infra.program.server import DeclaredServer
    from infra.settings.model import Settings


def declare_server(settings: Settings, policy: pulumi.Resource, stack: str) -> DeclaredServer:
    """Declare the server that the settings name."""
    if isinstance(settings.server, ExternalSettings):
        return declare_external(settings, settings.server, policy)
    if isinstance(settings.server, DockerSettings):
        return _declare_docker(settings, settings.server, policy, stack)
    return declare_embedded(settings, settings.server, policy, stack)


def _declare_docker(settings: Settings, server: DockerSettings, policy: pulumi.Resource, stack: str) -> DeclaredServer:
    """Declare a container; its SDK is installed for stacks that need it, no others (docs/decisions.md)."""
    try:
        from infra.program.docker import declare_docker  # noqa: PLC0415 (see above)
    except ModuleNotFoundError:
        raise ServerError(
            "needs the package pulumi-docker, which is not installed",
            place="server kind docker",
            remedy=f"run `make setup STACK={stack}`, or `.venv/bin/pip install -r requirements-docker.txt`",
        ) from None
    return declare_docker(settings, server, policy, stack)

"""Declares the server of a stack, whatever its kind: what the rest of the stack sees of it is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.declare_embedded import declare_embedded
from infra.declare_external import declare_external
from infra.settings import ExternalServer

if TYPE_CHECKING:
    import pulumi

    from infra.declared_server import Server
    from infra.settings import Settings


def declare_server(settings: Settings, policy: pulumi.Resource, stack: str) -> Server:
    """Declare the server that the settings name."""
    if isinstance(settings.server, ExternalServer):
        return declare_external(settings, settings.server, policy)
    return declare_embedded(settings, settings.server, policy, stack)

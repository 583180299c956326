"""Declares what a stack may lose: the first resource, so this imports next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.modules.decision import Lifecycle
from infra.program.scope import Scope
from infra.resources.stack_policy import StackPolicy

if TYPE_CHECKING:
    from infra.settings.model import Settings


def declare_policy(settings: Settings) -> StackPolicy:
    """Declare the policy; a persistent stack's cannot be deleted, and so neither can the stack."""
    return StackPolicy(
        "policy",
        lifecycle=settings.lifecycle,
        databases=settings.database_names,
        drop_databases=settings.drop_databases,
        server=_place_of_server(settings),
        opts=pulumi.ResourceOptions(protect=settings.lifecycle is Lifecycle.PERSISTENT or None),
    )


def _place_of_server(settings: Settings) -> dict[str, str] | None:
    """Return what decides where an embedded server is, None for another kind; as EmbeddedServer has it."""
    if settings.server.kind != "embedded":
        return None
    stack, root = pulumi.get_stack(), settings.server.data_root
    return {"stack": stack, "label": Scope(stack).label, **({"data_root": str(root)} if root else {})}

"""Declares what a stack may lose: the first resource, so this imports next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.modules.decision import Lifecycle
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
        opts=pulumi.ResourceOptions(protect=settings.lifecycle is Lifecycle.PERSISTENT or None),
    )

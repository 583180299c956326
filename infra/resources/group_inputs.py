"""What all resources of a group of databases have as inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from infra.modules.decision import Lifecycle
    from infra.resources.base import Properties


@dataclass(frozen=True)
class GroupInputs:
    """A group's databases, those of them that are paused, whether they share their roles, and their session.

    What is inside the databases has the server's `address`, and how often each was dropped (`drops`): others are new.
    """

    group: str
    databases: Sequence[str]
    paused: Sequence[str]
    shared: bool
    lifecycle: Lifecycle
    session: pulumi.Output[str]
    address: pulumi.Output[str] | None = None
    drops: pulumi.Output[dict[str, int]] | None = None

    def props(self) -> Properties:
        """Return them as a resource's properties."""
        return {
            "group": self.group,
            "databases": list(self.databases),
            "paused": list(self.paused),
            "shared": self.shared,
            "lifecycle": self.lifecycle.value,
            "session": self.session,
            **({"address": self.address, "drops": self.drops} if self.address is not None else {}),
        }

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
    """A group's databases, those of them that are paused, whether they share their roles, and their session."""

    group: str
    databases: Sequence[str]
    paused: Sequence[str]
    shared: bool
    lifecycle: Lifecycle
    session: pulumi.Output[str]

    def props(self) -> Properties:
        """Return them as a resource's properties."""
        return {
            "group": self.group,
            "databases": list(self.databases),
            "paused": list(self.paused),
            "shared": self.shared,
            "lifecycle": self.lifecycle.value,
            "session": self.session,
        }

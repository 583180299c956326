"""Where a declaration puts its resources: what their names begin with, below which parent, after which resources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Scope:
    """The stack, and in a program of one's own the component in it.

    `after` is what the first resources are ordered after; all others come after these.
    """

    stack: str
    after: Sequence[pulumi.Resource] = ()
    component: str = ""
    parent: pulumi.Resource | None = None

    @property
    def program(self) -> str:
        """The stack with its project, as the ledgers of its databases have it."""
        return f"{pulumi.get_project()}/{self.stack}"

    def name(self, name: str) -> str:
        """Return a resource's name; two components of one program have no name in common."""
        return f"{self.component}-{name}" if self.component else name

    def part(self, database: str, part: str) -> str:
        """Return the name of a part of a database; a component has one database, and its name stands for it."""
        return f"{self.component or database}-{part}"

    def options(
        self,
        *,
        first: bool = False,
        provider: pulumi.ProviderResource | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        deleted_with: pulumi.Resource | None = None,
        protect: bool | None = None,
    ) -> pulumi.ResourceOptions:
        """Return a resource's options; `first` orders it after what the whole scope is ordered after."""
        return pulumi.ResourceOptions(
            parent=self.parent,
            provider=provider,
            depends_on=[*(self.after if first else ()), *depends_on],
            deleted_with=deleted_with,
            protect=protect or None,  # None inherits a component's
        )

    @property
    def label(self) -> str:
        """Return what tells the scope's server from those of other stacks and components, in names outside Pulumi."""
        label = f"{self.stack}-{self.component}" if self.component else self.stack
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", label)

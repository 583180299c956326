"""The order of what is declared on a server: each resource after the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.sdk_tuning import depends_only_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.program.scope import Scope
    from infra.program.server import DeclaredServer
    from infra.program.shared_objects import DeclaredObjects


class Chain:
    """Options that order each resource after the one before it.

    Two changes of one role or database at the same moment fail in PostgreSQL with "tuple concurrently updated", so the
    resources inside a server are created one after the other. What is inside a server or a database is deleted with it,
    without a login.
    """

    def __init__(
        self, scope: Scope, server: DeclaredServer | None = None, objects: DeclaredObjects | None = None
    ) -> None:
        self.server = server
        self.objects = objects
        self.scope = scope
        self.deleted_with = server.deleted_with if server else None
        self.last: list[pulumi.Resource] = [objects.resource] if objects else []

    def options(
        self,
        *,
        provider: bool = True,
        protect: bool | None = None,
        name: str | None = None,
        after: pulumi.Resource | None = None,
    ) -> pulumi.ResourceOptions:
        """Return the options for the next resource, which is also ordered after `after`.

        A role or database has a `name`: it is imported where the server has it already.
        """
        options = pulumi.ResourceOptions(
            parent=self.scope.parent,
            provider=self.server.provider if self.server and provider else None,
            depends_on=[depends_only_on(resource) for resource in (*self.last, *((after,) if after else ()))],
            deleted_with=self.deleted_with,
            protect=protect,
            delete_before_replace=True,
        )
        return pulumi.ResourceOptions.merge(options, self.objects.options(name)) if self.objects and name else options

    def recreated(self, labels: Sequence[str]) -> pulumi.Input[Mapping[str, int]]:
        """Return how often each of some roles and databases was created again because it had gone."""
        return self.objects.recreated(labels) if self.objects else dict[str, int]()

    def retained(self, name: str) -> pulumi.ResourceOptions:
        """Return the options of what is to stay as it is where the database of a name outlives the stack."""
        kept = self.objects is not None and name in self.objects.retained
        return pulumi.ResourceOptions(retain_on_delete=kept or None)

    def append(self, resource: pulumi.Resource) -> None:
        """Order what comes next after this resource."""
        self.last = [resource]

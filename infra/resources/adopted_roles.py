"""Roles of an adopted server get this stack's passwords, before Pulumi takes the roles over as they are then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult

from infra.resources.base import DynamicResource, Properties, Provider, readable_errors, target_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class AdoptedRolesProvider(Provider):
    """Sets verifiers once; from then on the roles are resources of their own."""

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Set each role's verifier, where there is such a role."""
        from infra.postgres.privileges import set_verifiers  # noqa: PLC0415 (imported only where a server is asked)

        set_verifiers(target_of(props, props["user"], props["password"]), props["verifiers"])
        return CreateResult("adopted", {"database": props["database"]})

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Never change: it was for the moment of the adoption."""
        return DiffResult(changes=False)


class AdoptedRoles(DynamicResource, module="postgres", name="AdoptedRoles"):
    """The roles with a login of one database on a server that was adopted."""

    def __init__(
        self,
        name: str,
        *,
        target: Properties,
        verifiers: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(AdoptedRolesProvider, name, {**target, "verifiers": dict(verifiers)}, opts)

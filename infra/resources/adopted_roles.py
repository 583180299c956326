"""Roles and a database of an adopted server, prepared for their import: created where missing, with new passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult

from infra.resources.base import DynamicResource, LazyModule, Properties, Provider, admin_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.postgres import adoption
else:
    adoption = LazyModule("infra.postgres.adoption")


class AdoptedRolesProvider(Provider):
    """Prepares roles and database once; from then on they are resources of their own."""

    def create(self, props: Properties) -> CreateResult:
        """Create what is missing, and set the verifier of each login role."""
        adoption.ensure_importable(
            admin_target(props),
            database=props["name"],
            owner=props["owner"],
            migrator=props["migrator"],
            verifiers=props["verifiers"],
        )
        return CreateResult("adopted", {"database": props["database"]})

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report no change: the resource acts at the adoption alone."""
        return DiffResult(changes=False)


class AdoptedRoles(DynamicResource, module="postgres", name="AdoptedRoles"):
    """The roles and the database `name` on an adopted server; `target` is the administrator's, in another database."""

    def __init__(
        self,
        resource_name: str,
        *,
        target: Properties,
        name: str,
        owner: str,
        migrator: str,
        verifiers: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {**target, "name": name, "owner": owner, "migrator": migrator, "verifiers": dict(verifiers)}
        super().__init__(AdoptedRolesProvider, resource_name, props, opts)

"""An administrator without superuser rights, as a member of the roles that the stack created."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, admin_target, changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres import memberships
else:
    memberships = LazyModule("infra.postgres.memberships")

_COMPARED = ("host", "port", "options", "user", "roles")


class AdminMembershipProvider(Provider):
    """Lets the administrator create databases for roles, and drop both.

    From PostgreSQL 16 on, having created a role is not enough for that. The membership ends with the roles.
    """

    def create(self, props: Properties) -> CreateResult:
        """Grant the memberships; granting twice is harmless, and a superuser needs none."""
        _grant(props)
        return CreateResult(",".join(props["roles"]), props)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when there is another administrator, server or role."""
        return DiffResult(changes=bool(changed(_olds, _news, *_COMPARED)))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Grant the memberships again."""
        _grant(_news)
        return UpdateResult(_news)


def _grant(props: Properties) -> None:
    memberships.grant_to_admin(admin_target(props), props["roles"])


class AdminMembership(DynamicResource, module="postgres", name="AdminMembership"):
    """The administrator's membership in some roles."""

    def __init__(
        self, name: str, *, target: Properties, roles: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(AdminMembershipProvider, name, {**target, "roles": list(roles)}, opts)

"""An administrator without superuser rights, as a member of the roles that the stack has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from infra.resources.base import DynamicResource, Properties, Provider, changed, readable_errors, target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPARED = ("host", "port", "options", "user", "roles")


class AdminMembershipProvider(Provider):
    """Lets the administrator make databases for roles, and drop both: from PostgreSQL 16 on it is not enough to have
    made a role. The membership ends with the roles.
    """

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Grant; doing it twice is harmless, and a superuser needs nothing."""
        _grant(props)
        return CreateResult(",".join(props["roles"]), props)

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when there is another administrator, server or role."""
        return DiffResult(changes=bool(changed(_olds, _news, *_COMPARED)))

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Grant again."""
        _grant(_news)
        return UpdateResult(_news)


def _grant(props: Properties) -> None:
    from infra.postgres import privileges  # noqa: PLC0415 (imported only where a server is asked)

    privileges.let_admin_become(target_of(props, props["user"], props["password"]), props["roles"])


class AdminMembership(DynamicResource, module="postgres", name="AdminMembership"):
    """The administrator's membership in some roles."""

    def __init__(
        self, name: str, *, target: Properties, roles: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(AdminMembershipProvider, name, {**target, "roles": list(roles)}, opts)

"""Declares the mark of an environment: which stack made its databases and roles, and until when they are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.resources.environment_mark import EnvironmentMark
from infra.settings.databases import ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.program.scope import Scope
    from infra.program.server import DeclaredServer
    from infra.settings.model import Settings


def declare_mark(
    settings: Settings, server: DeclaredServer, *, expires: str, scope: Scope, after: Sequence[pulumi.Resource]
) -> None:
    """Declare the mark on what the stack creates on the server; what it has taken over has none, and stays.

    Administrators write it, `after` the databases. It is taken off before they are dropped, but not where the server is
    removed with all that is in it.
    """
    roles = {role for database in settings.single_databases for role in settings.roles_of(database).values()}
    of_each = (*ROLES, *settings.roles)
    roles |= {group.role(name, role) for group in settings.groups for name in group.databases for role in of_each}
    taken = () if isinstance(server.adopt, bool) else server.adopt  # true stands for a server of the stack's own
    EnvironmentMark(
        scope.name("environment-mark"),
        target={
            **server.address,
            "database": server.maintenance_database,
            "user": server.user,
            "password": server.password,
        },
        project=pulumi.get_project(),
        stack=scope.stack,
        expires=expires,
        databases=[name for name in settings.database_names if name not in taken],
        roles=sorted(roles.difference(taken)),
        opts=scope.options(depends_on=after, deleted_with=server.deleted_with),
    )

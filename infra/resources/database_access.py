"""Who may connect to a database, use its schemas, and read and write its tables: all of it in one resource, in SQL.

The postgresql plugin has a resource for each grant, and none for PUBLIC, for schemas or for all schemas at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.resources.base import DynamicResource, LazyModule, Properties, Provider, admin_target, changed

if TYPE_CHECKING:
    from infra.postgres import privileges
else:
    privileges = LazyModule("infra.postgres.privileges")

_ROLES = ("owner", "app", "readonly")
_COMPARED = ("host", "port", "options", "user", "password", *_ROLES)


class DatabaseAccessProvider(Provider):
    """Grants the roles of a database what they need, and PUBLIC nothing; a refresh reports drift by grantee."""

    def create(self, props: Properties) -> CreateResult:
        """Grant the privileges; granting them twice is harmless."""
        privileges.grant_access(admin_target(props), _access(props))
        return CreateResult(props["database"], {**props, "drift": []})

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the inputs differ, or when a refresh found other privileges."""
        return DiffResult(changes=bool(changed(_olds, _news, *_COMPARED)) or bool(_olds.get("drift")))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Grant the privileges again, to a role of another name on existing tables too; revoke what was reported."""
        privileges.grant_access(
            admin_target(_news), _access(_news), _access(_olds), revoke_others=bool(_olds.get("drift"))
        )
        return UpdateResult({**_news, "drift": []})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return as `drift` each grantee's privileges that are not as granted; without the database it is gone."""
        drift = privileges.access_drift(admin_target(props), _access(props))
        return ReadResult("", {}) if drift is None else ReadResult(id_, {**props, "drift": drift})


def _access(props: Properties) -> privileges.Access:
    return privileges.Access(*(props[role] for role in _ROLES))


class DatabaseAccess(DynamicResource, module="postgres", name="DatabaseAccess"):
    """The privileges of PUBLIC and the roles of a database; `target` is the administrator's."""

    def __init__(
        self,
        name: str,
        *,
        target: Properties,
        owner: str,
        app: str,
        readonly: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {**target, "owner": owner, "app": app, "readonly": readonly}
        super().__init__(DatabaseAccessProvider, name, props, opts)

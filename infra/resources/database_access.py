"""Who may connect to a database and use its schema public: what pulumi_postgresql cannot express, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.resources.base import DynamicResource, LazyModule, Properties, Provider, admin_target, changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres import privileges
else:
    privileges = LazyModule("infra.postgres.privileges")

_COMPARED = ("host", "port", "options", "user", "password", "owner", "readers")


class DatabaseAccessProvider(Provider):
    """Revokes everything from PUBLIC, grants schema public to the owner and its use to the readers."""

    def create(self, props: Properties) -> CreateResult:
        """Set the privileges; setting them twice is harmless."""
        _restrict(props)
        return CreateResult(props["database"], {**props, "open": ""})

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the inputs differ, or when a refresh found privileges of PUBLIC."""
        return DiffResult(changes=bool(changed(_olds, _news, *_COMPARED)) or bool(_olds.get("open")))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Set the privileges again."""
        _restrict(_news)
        return UpdateResult({**_news, "open": ""})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return in `open` what PUBLIC may do and should not; without the database the resource is gone."""
        found = privileges.public_privileges(admin_target(props))
        return ReadResult("", {}) if found is None else ReadResult(id_, {**props, "open": found})


def _restrict(props: Properties) -> None:
    privileges.restrict(admin_target(props), owner=props["owner"], readers=props["readers"])


class DatabaseAccess(DynamicResource, module="postgres", name="DatabaseAccess"):
    """The privileges of PUBLIC, the owner and the readers on a database and its schema public."""

    def __init__(
        self,
        name: str,
        *,
        target: Properties,
        owner: pulumi.Input[str],
        readers: Sequence[pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {**target, "owner": owner, "readers": list(readers)}
        super().__init__(DatabaseAccessProvider, name, props, opts)

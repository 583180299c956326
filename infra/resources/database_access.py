"""Who may enter a database and its schema public: what pulumi_postgresql cannot say everywhere, said in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.resources.base import DynamicResource, Properties, Provider, changed, readable_errors, target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.target import Target

_COMPARED = ("host", "port", "options", "user", "password", "owner", "readers")


class DatabaseAccessProvider(Provider):
    """Takes everything from PUBLIC, gives schema public to the owner and its use to the readers."""

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Set the privileges; doing it twice is harmless."""
        _restrict(props)
        return CreateResult(props["database"], {**props, "open": ""})

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when the inputs do, or when a refresh found privileges that somebody opened again."""
        return DiffResult(changes=bool(changed(_olds, _news, *_COMPARED)) or bool(_olds.get("open")))

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Set the privileges again."""
        _restrict(_news)
        return UpdateResult({**_news, "open": ""})

    @readable_errors
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Say in `open` what PUBLIC may do that it should not."""
        from infra.postgres import privileges  # noqa: PLC0415 (imported only where a server is asked)

        found = privileges.open_to_public(_target(props))
        return ReadResult("", {}) if found is None else ReadResult(id_, {**props, "open": found})


def _target(props: Properties) -> Target:
    return target_of(props, props["user"], props["password"])


def _restrict(props: Properties) -> None:
    from infra.postgres import privileges  # noqa: PLC0415 (imported only where a server is asked)

    privileges.restrict(_target(props), owner=props["owner"], readers=props["readers"])


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

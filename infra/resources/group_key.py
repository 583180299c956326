"""The key from which the passwords of a group's roles are derived, generated once and kept in the state."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.postgres.groups.passwords import derived_password
from infra.resources.base import DynamicResource, Properties, Provider, changed

if TYPE_CHECKING:
    from collections.abc import Iterable

BYTES = 32


class GroupKeyProvider(Provider):
    """Generates the key; a new rotation number replaces it, and so every password."""

    def create(self, props: Properties) -> CreateResult:
        """Generate the key."""
        return CreateResult("key", {**props, "key": secrets.token_urlsafe(BYTES)})

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare the rotation number."""
        return DiffResult(changes=bool(changed(_olds, _news, "rotation")))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Generate another key."""
        return UpdateResult({**_news, "key": secrets.token_urlsafe(BYTES)})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return what the state has: the key exists nowhere else."""
        return ReadResult(id_, props)


class GroupKey(DynamicResource, module="postgres", name="GroupKey"):
    """The key of a group's passwords, secret."""

    key: pulumi.Output[str]

    def __init__(self, name: str, *, rotation: int, opts: pulumi.ResourceOptions | None = None) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["key"])
        props: Properties = {"rotation": rotation, "key": None}
        super().__init__(GroupKeyProvider, name, props, pulumi.ResourceOptions.merge(opts, secret))

    def passwords(self, roles: Iterable[str]) -> pulumi.Output[dict[str, str]]:
        """Return the passwords of roles, by their names."""
        names = list(roles)
        return self.key.apply(lambda key: {name: derived_password(key, name) for name in names})

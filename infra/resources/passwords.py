"""Passwords of login roles, generated once and kept in the state, each with the verifier that the server gets."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.postgres.connection import scram
else:
    scram = LazyModule("infra.postgres.connection.scram")

ALPHABET = string.ascii_letters + string.digits
LENGTH = 32  # 190 bits


def _generate(roles: Sequence[str], kept: Mapping[str, str]) -> Properties:
    """Return `passwords` and `verifiers` by role; a kept password stays."""
    passwords = {role: kept.get(role) or "".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for role in roles}
    return {"passwords": passwords, "verifiers": {role: scram.verifier(passwords[role]) for role in roles}}


class PasswordsProvider(Provider):
    """Generates passwords; a new rotation number replaces all of them, a new role adds its own."""

    def create(self, props: Properties) -> CreateResult:
        """Generate a password for every role."""
        return CreateResult("passwords", {**props, **_generate(props["roles"], {})})

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare the roles and the rotation number."""
        return DiffResult(changes=any(_olds.get(name) != _news.get(name) for name in ("roles", "rotation")))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Generate what is new; the rest stays, verifiers included, so that what depends on them does not change."""
        rotated = _olds["rotation"] != _news["rotation"]
        kept: dict[str, str] = {} if rotated else _olds["passwords"]
        generated = _generate(_news["roles"], kept)
        verifiers = generated["verifiers"] | {
            role: verifier for role, verifier in _olds["verifiers"].items() if kept.get(role)
        }
        generated["verifiers"] = {role: verifiers[role] for role in _news["roles"]}
        return UpdateResult({**_news, **generated})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return what the state has: passwords exist nowhere else."""
        return ReadResult(id_, props)


class Passwords(DynamicResource, module="postgres", name="Passwords"):
    """The passwords of some roles: `passwords` and `verifiers` map role to text, both secret."""

    passwords: pulumi.Output[dict[str, str]]
    verifiers: pulumi.Output[dict[str, str]]

    def __init__(
        self, name: str, *, roles: Sequence[str], rotation: int, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["passwords", "verifiers"])
        super().__init__(
            PasswordsProvider,
            name,
            {"roles": list(roles), "rotation": rotation, "passwords": None, "verifiers": None},
            pulumi.ResourceOptions.merge(opts, secret),
        )

    def password(self, role: str) -> pulumi.Output[str]:
        """Return one role's password."""
        return self.passwords.apply(lambda passwords: passwords[role])

    def verifier(self, role: str) -> pulumi.Output[str]:
        """Return the SCRAM verifier of one role's password, which is what the server is given."""
        return self.verifiers.apply(lambda verifiers: verifiers[role])

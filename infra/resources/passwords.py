"""Passwords of login roles, made once and kept in the stack's state, each with the verifier that the server gets."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.resources.base import DynamicResource, Properties, Provider, readable_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALPHABET = string.ascii_letters + string.digits
LENGTH = 32  # 190 bits


def _made(roles: Sequence[str], kept: Mapping[str, str]) -> Properties:
    from infra.postgres.connection.scram import verifier  # noqa: PLC0415 (needed only when a password is made)

    passwords = {role: kept.get(role) or "".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for role in roles}
    return {"passwords": passwords, "verifiers": {role: verifier(passwords[role]) for role in roles}}


class PasswordsProvider(Provider):
    """Makes passwords; a new rotation number makes all of them anew, a new role only its own."""

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Make a password for every role."""
        return CreateResult("passwords", {**props, **_made(props["roles"], {})})

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare the roles and the rotation number."""
        return DiffResult(changes=any(_olds.get(name) != _news.get(name) for name in ("roles", "rotation")))

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Keep what need not change, verifiers included, so that nothing that depends on them changes either."""
        rotated = _olds["rotation"] != _news["rotation"]
        kept: dict[str, str] = {} if rotated else _olds["passwords"]
        made = _made(_news["roles"], kept)
        made["verifiers"] |= {role: text for role, text in _olds["verifiers"].items() if kept.get(role)}
        made["verifiers"] = {role: made["verifiers"][role] for role in _news["roles"]}
        return UpdateResult({**_news, **made})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Passwords live in the state alone."""
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
        """Give one role's password."""
        return self.passwords.apply(lambda passwords: passwords[role])

    def verifier(self, role: str) -> pulumi.Output[str]:
        """Give what the server is told of one role's password."""
        return self.verifiers.apply(lambda verifiers: verifiers[role])

"""What the state of an environment's stack says: its server, as whom it is administered, and what it made there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from infra.errors import ServerError
from infra.lazy_module import LazyModule
from infra.postgres.connection.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import psycopg

    from infra.postgres.connection import connect as connecting
    from infra.postgres.connection import error_messages, presence, retry
else:
    psycopg = LazyModule("psycopg")
    connecting = LazyModule("infra.postgres.connection.connect")
    error_messages = LazyModule("infra.postgres.connection.error_messages")
    presence = LazyModule("infra.postgres.connection.presence")
    retry = LazyModule("infra.postgres.connection.retry")

_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 (the key by which Pulumi's state marks a secret, not one)
_STACK = "pulumi:pulumi:Stack"
_DATABASES = "postgresql:index/database:Database"
_ROLES = "postgresql:index/role:Role"
_DYNAMIC = "pulumi-python:dynamic/postgres:"
_MARK = f"{_DYNAMIC}EnvironmentMark"
_OWN_SERVERS = (f"{_DYNAMIC}EmbeddedServer", f"{_DYNAMIC}DockerServer")
_ADMINISTRATOR = ("host", "port", "database", "user", "password")


@dataclass(frozen=True)
class StackState:
    """What a stack has on its server; `target` is its administrator's, None where no server was reached yet.

    `is_own` is whether the server is the stack's, and goes with it.
    """

    target: Target | None
    is_own: bool
    databases: frozenset[str]
    roles: frozenset[str]


def state_of(deployment: Mapping[str, Any]) -> StackState:
    """Return what a stack's state says, as `pulumi stack export --show-secrets` writes it."""
    resources = cast("list[dict[str, Any]]", deployment.get("resources") or [])
    outputs = [(str(resource["type"]), _clear(resource.get("outputs") or {})) for resource in resources]
    marks = [values for kind, values in outputs if kind == _MARK]
    targets = [values for kind, values in outputs if kind.startswith(_DYNAMIC) and set(_ADMINISTRATOR) <= set(values)]
    return StackState(
        target=_target(targets[0]) if targets else None,
        is_own=any(kind in _OWN_SERVERS for kind, _ in outputs),
        databases=_names(outputs, _DATABASES).union(*(mark["databases"] for mark in marks)),
        roles=_names(outputs, _ROLES).union(*(mark["roles"] for mark in marks)),
    )


class GoneServerError(ServerError):
    """A server that is not the stack's: nobody listens there any more, or nobody knows its name."""


def missing_databases(stack: str, state: StackState, *, wait: float, tell: Callable[[str], None]) -> frozenset[str]:
    """Return the databases that a server which is not the stack's no longer has.

    It is tried for `wait` seconds. Raises GoneServerError, and InfraError for a server that cannot be asked.
    """
    if state.is_own or not state.target or not state.databases:
        return frozenset()
    target = state.target

    def names() -> frozenset[str]:
        with connecting.connect(target) as connection:
            return frozenset(name for (name,) in connection.execute("SELECT datname::text FROM pg_database"))

    try:
        return state.databases - retry.retry(names, seconds=wait, tell=tell)
    except psycopg.Error as error:
        if presence.nobody_listens(target):
            raise GoneServerError(
                "is gone: nobody listens there, or nobody knows its name",
                place=address_of(target),
                remedy=f"`make env-down NAME={stack}` removes the stack alone, and proves nothing",
            ) from None
        translated = error_messages.translate_error(error, address_of(target))
        translated.remedy += f", or, where it is gone for good: `make env-down NAME={stack} ARGS=--forget`"
        raise translated from None


def address_of(target: Target) -> str:
    """Return a server as messages name it: `server host:port`."""
    return f"server {target.options.get('host', target.host)}:{target.options.get('port', target.port)}"


def outputs_of(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a stack, secrets in clear."""
    resources = cast("list[dict[str, Any]]", deployment.get("resources") or [])
    found = [_clear(resource.get("outputs") or {}) for resource in resources if resource["type"] == _STACK]
    return found[0] if found else {}


def salt_of(deployment: Mapping[str, Any]) -> str:
    """Return the salt with which a passphrase decrypts the secrets of a stack, '' for another way to encrypt them."""
    provider = cast("dict[str, Any]", deployment.get("secrets_providers") or {})
    state = cast("dict[str, Any]", provider.get("state") or {})
    return str(state.get("salt") or "")


def _names(outputs: list[tuple[str, dict[str, Any]]], kind: str) -> frozenset[str]:
    return frozenset(str(values["name"]) for each, values in outputs if each == kind and "name" in values)


def _target(values: Mapping[str, Any]) -> Target:
    options = cast("dict[str, str]", values.get("options") or {})
    return Target(
        str(values["host"]),
        int(values["port"]),
        str(values["database"]),
        str(values["user"]),
        str(values["password"]),
        options,
    )


def _clear(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """Return a value of the state with its secrets as they are."""
    if isinstance(value, list):
        return [_clear(part) for part in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    parts = cast("dict[str, Any]", value)
    if _SECRET in parts:
        return _clear(json.loads(parts["plaintext"])) if "plaintext" in parts else None
    return {name: _clear(part) for name, part in parts.items()}

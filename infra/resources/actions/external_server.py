"""What ExternalServer's verbs read of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.server import external

if TYPE_CHECKING:
    from collections.abc import Collection

    from infra.resources.base import Properties
    from infra.server.external import ReachedServer


def reach(props: Properties, *, known: str) -> tuple[Properties, Collection[str]]:
    """Return the resource's outputs and the extensions that the server offers.

    Raises RefusedError where the server is not the `known` one (a system identifier), ServerError where none answers.
    """
    reached = external.reach_server(props["dsn"], props.get("password") or "")
    external.refuse_another(reached, known, props.get("accept") or "")
    return _outputs(reached), reached.extensions


def _outputs(reached: ReachedServer) -> Properties:
    """Return what the rest of the stack needs.

    With several hosts `options` has libpq's lists of them, and the first stands for them elsewhere: it stays the same
    when another one becomes the primary.
    """
    options = dict(reached.options)
    several = "," in reached.hosts
    if several:
        options |= {"host": reached.hosts, "port": reached.ports}
        options.setdefault("target_session_attrs", "read-write")
    return {
        "host": reached.host,
        "port": reached.port,
        "first_host": reached.hosts.partition(",")[0] if several else reached.host,
        "first_port": int(reached.ports.partition(",")[0]) if several else reached.port,
        "password": reached.password,  # the engine keeps an output secret whose name is a secret input's
        "user": reached.user,
        "role": reached.role,
        "database": reached.database,
        "version": reached.version,
        "system_identifier": reached.system_identifier,
        "superuser": reached.superuser,
        "sslmode": _strict_mode(options) or ("require" if reached.encrypted else "disable"),
        "options": options,
    }


def _strict_mode(options: dict[str, Any]) -> str:
    """Return the sslmode asked for if the postgresql plugin's driver has it too: it has no `prefer`."""
    mode = options.get("sslmode", "")
    return mode if mode in {"disable", "require", "verify-ca", "verify-full"} else ""

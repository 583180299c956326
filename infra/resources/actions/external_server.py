"""What ExternalServer's verbs read of the server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from infra.postgres.connection.failure import ConnectionFailure
from infra.resources.console import logger
from infra.server import external
from infra.server.dsn import parse_keywords

if TYPE_CHECKING:
    from infra.resources.base import Properties
    from infra.server.external import ReachedServer

_SECONDS_WITHOUT_PRIMARY = 60
_PAUSE_SECONDS = 0.5


def reach(props: Properties, *, known: str) -> tuple[Properties, ReachedServer]:
    """Return the resource's outputs, and the server as it was found.

    Raises RefusedError where the server is not the `known` one (a system identifier), ServerError where none answers.
    """
    reached = _reach_primary(props)
    external.refuse_another(reached, known, props.get("accept") or "")
    return _outputs(reached), reached


def _reach_primary(props: Properties) -> ReachedServer:
    """Return the server, of several hosts the primary, for which it waits while a failover lasts.

    The postgresql plugin, which comes after this, would fail at once.
    """
    has_several = "," in parse_keywords(props["dsn"]).get("host", "")
    deadline = time.monotonic() + (_SECONDS_WITHOUT_PRIMARY if has_several else 0)
    is_told = False
    while True:
        try:
            return external.reach_server(props["dsn"], props.get("password") or "")
        except external.UnreachableServerError as error:
            if error.failure is not ConnectionFailure.NO_PRIMARY or time.monotonic() >= deadline:
                raise
        if not is_told:
            tell = logger(props, "ExternalServer", "server")
            tell(f"no host accepts writes: waiting for a primary, for at most {_SECONDS_WITHOUT_PRIMARY} s")
        is_told = True
        time.sleep(_PAUSE_SECONDS)


def show_untrusted(news: Properties, reached: ReachedServer) -> None:
    """Show which extensions the administrator may not create: `up` would find out when the database is there."""
    untrusted = [] if reached.superuser else [name for name in news["extensions"] if name in reached.untrusted]
    for name in untrusted:
        logger(news, "ExternalServer", "server")(
            f"extension {name}: only a superuser may create it, and {reached.role} is none; where the service does not "
            f'permit it all the same, have a superuser run CREATE EXTENSION "{name}" in each database'
        )


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

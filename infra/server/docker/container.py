"""A PostgreSQL server in a container: the checks before it is created, and the wait until it accepts connections."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from infra.errors import RefusedError, ServerError
from infra.server import external, ports
from infra.server.dsn import format_dsn

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from infra.server.docker.engine import Engine, Json
    from infra.server.external import ReachedServer

OWNER = "platform-postgres.stack"
"""The label of volumes and networks with the name of the stack that created them."""
DATA = "/var/lib/postgresql/data"
"""The data directory in the container, the same for every image (docs/decisions.md)."""
INITDB = "--data-checksums --auth-host=scram-sha-256 --auth-local=peer"
READY_SECONDS = 120
_PAUSE_SECONDS = 0.2
_IN_USE = frozenset({"running", "paused", "restarting"})
_SETTINGS_REMEDY = "correct server.settings"
_MAINTENANCE_DATABASE = "postgres"
_ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 (only compared with)

# Peer authentication accepts the container's own system user without a password. The statement is passed on standard
# input with logging turned off, so that it appears in no log and in no list of processes.
_SET_PASSWORD = r"""
printf "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_duration_sample = -1;
SET log_transaction_sample_rate = 0; SET log_min_error_statement = 'panic'; SET pg_stat_statements.track_utility = off;
ALTER ROLE %s PASSWORD '%s';\n" "$ADMIN" "$VERIFIER" | psql -X -q -v ON_ERROR_STOP=1 -U "$ADMIN" -d postgres
"""  # noqa: S105 (a script)


def is_ours(description: Json | None, stack: str) -> bool:
    """Return whether a volume or network, as the engine describes it, was created by a stack of this name."""
    labels: Json = (description or {}).get("Labels") or {}
    return labels.get(OWNER) == stack


def refuse_names(engine: Engine, *, container: str, volume: str, adopt: bool) -> None:
    """Raise RefusedError if the container exists before the stack does, or the volume without `adopt`."""
    existing = engine.container(container)
    if existing is not None:
        image = existing["Config"]["Image"]
        raise RefusedError(
            f"exists already, created from {image}",
            place=f"container {container}",
            remedy=f"set another name in server.container, or remove it with `docker rm -f {container}` (its volume "
            "stays)",
        )
    if engine.volume(volume) is not None and not adopt:
        raise RefusedError(
            "exists already, perhaps with the data of another stack",
            place=f"volume {volume}",
            remedy=f"set server.adopt to true to take over its data, set another name in server.volume, or delete it "
            f"and its data with `docker volume rm {volume}`",
        )


def refuse_other_users(engine: Engine, volume: str, *, own: Collection[str], stopped: bool) -> None:
    """Raise RefusedError if a container that is not our own uses a volume: two servers on the same data destroy them.

    The file with which a server keeps others from its data names a process, which in every container is number 1. With
    `stopped` containers that do not run count too.
    """
    for name, state in sorted(engine.users_of(volume).items()):
        if name not in own and (stopped or state in _IN_USE):
            raise RefusedError(
                f"is used by container {name}, which is {state}; two servers on the same data destroy them",
                place=f"volume {volume}",
                remedy=f"remove that container with `docker rm -f {name}` (the volume stays), or set another name in "
                "server.volume",
            )


def port_for(engine: Engine, name: str, *, wanted: int, known: int) -> int:
    """Return the port to publish: `wanted`, else `known`, the one published until now, else a free one (0 for none).

    Raises ServerError when another program listens on the wanted port.
    """
    if known and wanted in {0, known}:
        return known
    if not wanted:
        return ports.choose(name)
    if engine.is_local and not ports.is_free(wanted):
        raise ports.port_taken_error(wanted)
    return wanted


def reachable_at(engine: Engine, address: str) -> str:
    """Return the host at which this machine reaches a port that the engine publishes on `address`.

    For tcp:// and ssh:// engines that is the engine's host if the port is published on all addresses. Raises
    ServerError if it is published only on the loopback address of another machine.
    """
    if engine.is_local:
        return "127.0.0.1" if address == _ALL_ADDRESSES else address
    if address.startswith("127."):
        raise ServerError(
            "runs on another machine, whose address 127.0.0.1 cannot be reached from this one",
            place=f"Docker at {engine.host}",
            remedy="set server.address to an address of that machine",
        )
    return engine.hostname if address == _ALL_ADDRESSES else address


def refuse_missing(engine: Engine, name: str) -> None:
    """Raise ServerError if the engine does not have an image and cannot pull it."""
    reason = engine.pull_refusal(name) if engine.image(name) is None else ""
    if reason:
        raise ServerError(
            f"is not on the engine, and cannot be pulled: {reason}",
            place=f"image {name}",
            remedy="correct server.image, or provide the image with `docker pull` or `docker load`",
        )


def make_ready(engine: Engine, container: str, options: Mapping[str, str], password: str) -> ReachedServer:
    """Start the container if it is stopped, wait until the server answers, and set the administrator's password.

    `options` are libpq's keywords host, port, user, sslmode and sslrootcert: whoever else listens is told nothing. The
    password is set only when the server refuses it. Raises ServerError with the end of the container's log when the
    server does not answer within READY_SECONDS, and at once when it answers but cannot be used.
    """
    dsn = format_dsn({**options, "dbname": _MAINTENANCE_DATABASE})
    deadline = time.monotonic() + READY_SECONDS
    engine.start(container)
    was_set = False
    while True:
        try:
            return external.reach_server(dsn, password)
        except ServerError as error:
            if _is_final(error):
                raise ServerError(error.what, place=f"container {container}", remedy=_SETTINGS_REMEDY) from None
            if not was_set and _is_wrong_password(error):
                set_admin_password(engine, container, options["user"], password)
                was_set = True
                continue
            description = engine.container(container)
            is_running = description is not None and description["State"]["Running"]
            if not is_running or was_set or time.monotonic() > deadline:
                log = engine.log_tail(container)
                ending = f"; the end of the container's log: {log}" if log else ""
                raise ServerError(f"{error.what}{ending}", place=f"container {container}") from None
        time.sleep(_PAUSE_SECONDS)


def set_admin_password(engine: Engine, container: str, user: str, password: str) -> None:
    """Set the administrator's password from inside the container, where its system user needs none."""
    from infra.postgres.connection.scram import verifier  # noqa: PLC0415 (needed only when a password is set)

    status, output = engine.execute(
        container, _SET_PASSWORD, user=user, variables={"ADMIN": user, "VERIFIER": verifier(password)}
    )
    if status:
        raise ServerError(
            f"does not let its own system user {user} set the administrator's password: {' '.join(output.split())}",
            place=f"container {container}",
            remedy="add the line `local all postgres peer` to pg_hba.conf",
        )


def refuse_other_data(reached: ReachedServer, identifier: str, volume: str) -> None:
    """Raise RefusedError if the volume's system identifier is not the stack's, '' for a new stack."""
    if identifier and reached.system_identifier != identifier:
        raise RefusedError(
            "holds other data than this stack's: its system identifier is "
            f"{reached.system_identifier}, was {identifier}",
            place=f"volume {volume}",
            remedy="restore the stack's volume, or run `make destroy` and start with empty data",
        )


def _is_final(error: ServerError) -> bool:
    """Return whether waiting cannot help: the server was reached and cannot be used, or its certificate is wrong."""
    from infra.postgres.connection.failure import ConnectionFailure  # noqa: PLC0415 (needed only after an error)

    return not isinstance(error, external.UnreachableServerError) or error.failure is ConnectionFailure.TLS_FAILED


def _is_wrong_password(error: ServerError) -> bool:
    from infra.postgres.connection.failure import INVALID_PASSWORD  # noqa: PLC0415 (needed only after an error)

    return isinstance(error, external.UnreachableServerError) and error.sqlstate == INVALID_PASSWORD

"""A PostgreSQL server in a container: what stands in its way before it is made, and how it is got ready afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from infra.errors import RefusedError, ServerError
from infra.server import external, ports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.server.docker.engine import Engine, Json
    from infra.server.external import Reached

OWNER = "platform-postgres.stack"
"""The label that says which stack made a volume or network."""
DATA = "/var/lib/postgresql/data"
"""Where the data are in the container, with every image (docs/decisions.md)."""
INITDB = "--data-checksums --auth-host=scram-sha-256 --auth-local=peer"
READY_SECONDS = 120
_PAUSE_SECONDS = 0.2
UNFIT = "correct server.settings"
DATABASE = "postgres"
EVERYWHERE = "0.0.0.0"  # noqa: S104 (compared with, never listened on)

# Peer authentication lets the container's own system user in; the statement is in no log and no list of processes.
SET_PASSWORD = r"""
printf "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';
ALTER ROLE %s PASSWORD '%s';\n" "$ADMIN" "$VERIFIER" | psql -X -q -v ON_ERROR_STOP=1 -U "$ADMIN" -d postgres
"""  # noqa: S105 (a script)


def is_ours(there: Json | None, stack: str) -> bool:
    """Say whether a volume or network was made by a stack of this name."""
    labels: Json = (there or {}).get("Labels") or {}
    return labels.get(OWNER) == stack


def refuse_names(engine: Engine, *, container: str, volume: str, adopt: bool) -> None:
    """Raise RefusedError when a new stack would take what is somebody else's."""
    there = engine.container(container)
    if there is not None:
        image = there["Config"]["Image"]
        raise RefusedError(
            f"is there already, made from {image}",
            place=f"container {container}",
            remedy=f"name another in server.container, or remove it: `docker rm -f {container}` (its volume stays)",
        )
    if engine.volume(volume) is not None and not adopt:
        raise RefusedError(
            "is there already, perhaps with data of another stack",
            place=f"volume {volume}",
            remedy=f"set server.adopt to true to take its data over, name another in server.volume, "
            f"or remove it for good: `docker volume rm {volume}`",
        )


def port_for(engine: Engine, name: str, *, wanted: int, known: int) -> int:
    """Give the published port: the wanted one, the one that the server has, or a free one; raises when it is taken."""
    if known and wanted in {0, known}:
        return known
    if not wanted:
        return ports.choose(name)
    if engine.is_local and not ports.is_free(wanted):
        raise ports.taken(wanted)
    return wanted


def reachable_at(engine: Engine, address: str) -> str:
    """Give the host under which a port that is published on `address` is reached from here."""
    if engine.is_local:
        return "127.0.0.1" if address == EVERYWHERE else address
    if address.startswith("127."):
        raise ServerError(
            "is on another machine, whose 127.0.0.1 cannot be reached from here",
            place=f"Docker at {engine.host}",
            remedy="set server.address to an address of that machine",
        )
    return engine.host.partition("://")[2].rpartition(":")[0] if address == EVERYWHERE else address


def refuse_missing(engine: Engine, name: str) -> None:
    """Raise ServerError when an image is neither here nor to be had."""
    reason = engine.registry_refuses(name) if engine.image(name) is None else ""
    if reason:
        raise ServerError(
            f"is not there, and cannot be pulled: {reason}",
            place=f"image {name}",
            remedy="correct server.image, or load the image: `docker load`, `docker pull`",
        )


def make_ready(engine: Engine, container: str, way: Mapping[str, str], password: str) -> Reached:
    """Start the container if it stands still, wait until the server answers, and see that the password is this one.

    `way` has host, port, user and, with TLS, sslmode and sslrootcert. Raises ServerError with the server's last words
    when it does not answer in time.
    """
    dsn = external.format_dsn({"sslmode": "prefer", **way, "dbname": DATABASE})
    deadline = time.monotonic() + READY_SECONDS
    engine.start(container)
    was_set = False
    while True:
        try:
            return external.reach(dsn, password)
        except ServerError as error:
            lasting = not error.what.startswith(external.UNREACHED) or "certificate" in error.what
            if lasting:  # it answers, and waiting would not help
                raise ServerError(error.what, place=f"container {container}", remedy=UNFIT) from None
            if "authentication failed" in error.what and not was_set:
                set_admin_password(engine, container, way["user"], password)
                was_set = True
                continue
            there = engine.container(container)
            running = there is not None and there["State"]["Running"]
            if not running or was_set or time.monotonic() > deadline:
                words = f"; the container's last words: {engine.last_lines(container)}" if there else ""
                raise ServerError(f"{error.what}{words}", place=f"container {container}") from None
        time.sleep(_PAUSE_SECONDS)


def set_admin_password(engine: Engine, container: str, user: str, password: str) -> None:
    """Set the administrator's password from inside the container, where its system user needs none."""
    from infra.postgres.connection.scram import verifier  # noqa: PLC0415 (needed only when a password is set)

    status, said = engine.execute(
        container, SET_PASSWORD, user=user, variables={"ADMIN": user, "VERIFIER": verifier(password)}
    )
    if status:
        raise ServerError(
            f"does not let its own system user {user} set the administrator's password: {' '.join(said.split())}",
            place=f"container {container}",
            remedy="let pg_hba.conf have a line `local all postgres peer`",
        )


def refuse_other_data(reached: Reached, known: str, volume: str) -> None:
    """Raise RefusedError when the volume holds other data than the stack's."""
    if known and reached.system_identifier != known:
        raise RefusedError(
            f"holds other data than this stack's: its system identifier is {reached.system_identifier}, was {known}",
            place=f"volume {volume}",
            remedy="bring the stack's volume back, or `make destroy` and begin anew",
        )

"""Takes a container's data to a newer major version: dumped, restored into a new volume, compared; the old one stays.

The container is stopped meanwhile, so that nobody writes what would be lost. Two containers without network do the
work, on the old volume and on the new. Whatever fails, they and the new volume go, and the container runs again.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.errors import InfraError, RefusedError, ServerError
from infra.server.docker.container import DATA, INITDB, OWNER, READY_SECONDS
from infra.server.docker.contents import NEW, OLD, SHARED_VOLUME, ServerContents

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.server.docker.engine import Engine, Json
    from infra.server.docker.image import Image

MOVED_FROM = "platform-postgres.moved-from"
"""The label of volumes that an upgrade made: the name of the stack's first volume."""
_PAUSE_SECONDS = 0.2
SECONDS_TO_STOP = 60
UNKEPT = ("archive_mode=off", "log_statement=none", "log_min_duration_statement=-1", "log_min_error_statement=panic")
"""Settings of the two containers: nothing is archived twice, and no verifier is logged."""

PREPARE = f"""
cd {SHARED_VOLUME} && umask 077 && rm -rf dump && install -d -m 0777 old new && chmod 0755 . &&
install -d -m 0700 -o "$ADMIN" dump && head -c 24 /dev/urandom | base64 >initial-password &&
echo 'local all all trust' >hba.conf && chmod 0644 hba.conf && echo prepared
"""
_CLEAN = f"cd {SHARED_VOLUME} && rm -rf old new hba.conf initial-password && echo cleaned"
# While the data are made, a server runs for a moment that is not the container's first process.
IS_UP = '[ "$(head -n 1 "$PGDATA/postmaster.pid")" = 1 ] && pg_isready -q -h "$HERE"'


@dataclass(frozen=True)
class Move:
    """What shall be moved: from the volume `volume` of `container` to PostgreSQL of the image `image`."""

    engine: Engine
    container: str
    first_volume: str  # as in the settings: what the others are named after
    volume: str
    image: str
    majors: tuple[int, int]
    stack: str
    user: str
    initdb_args: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def to(self) -> str:
        return moved_volume(self.first_volume, self.majors[1])

    @property
    def dumps(self) -> str:
        """The volume that keeps the dump."""
        return f"{self.first_volume}-dump-{self.majors[0]}"

    @property
    def labels(self) -> dict[str, str]:
        return {OWNER: self.stack, MOVED_FROM: self.first_volume}


def moved_volume(first_volume: str, major: int) -> str:
    """Name the volume with the data of a major version that the stack did not begin with."""
    return f"{first_volume}-{major}"


def volume_after(image: Image, name: str, *, first_volume: str, now: tuple[str, int], how: str) -> str:
    """Give the volume that the data will be in: another one for a newer major version, where `how` allows that.

    `now` is the volume and its major version (0: no data yet). Raises RefusedError for another major version that
    nobody has allowed, and for an older one.
    """
    volume, known = now
    if known in {0, image.major}:
        return volume
    what = f"holds PostgreSQL {image.version}, and the data in volume {volume} are PostgreSQL {known}'s"
    if image.major < known:
        raise RefusedError(
            f"{what}, which an older one cannot read",
            place=f"image {name}",
            remedy=f"set server.image back to {known}; for the data of before an upgrade, see docs/docker.md",
        )
    if how != "dump-restore":
        raise RefusedError(
            f"{what}, which another major version cannot read",
            place=f"image {name}",
            remedy=f"set server.image back to {known}; or set server.upgrade to dump-restore, and they are moved to a "
            "new volume (docs/docker.md)",
        )
    return moved_volume(first_volume, image.major)


def refuse_taken(engine: Engine, container: str, first_volume: str, *volumes: str) -> None:
    """Raise RefusedError when a move would take a name that is in use; what a killed one has left is not.

    That one has left its containers too. Volumes without them are a stranger's, or of a move that came to its end.
    """
    beside = {name: engine.container(name) for name in containers_of(container)}
    strangers = [name for name, there in beside.items() if there and MOVED_FROM not in there["Config"]["Labels"]]
    ours = engine.volumes_with(MOVED_FROM, first_volume) if any(beside.values()) else []
    taken = [f"container {name}" for name in strangers]
    taken += [f"volume {name}" for name in volumes if engine.volume(name) is not None and name not in ours]
    if taken:
        raise RefusedError(
            "is there already, and the data shall be moved to where it is",
            place=taken[0],
            remedy="look whose it is, and remove it if nobody needs it",
        )


def containers_of(container: str) -> tuple[str, str]:
    """Name the two containers of a move."""
    return f"{container}.{OLD}", f"{container}.{NEW}"


def upgrade(move: Move, tell: Callable[[str], None]) -> None:
    """Move the data; raises an InfraError that says what failed, when everything is as it was."""
    old, new = containers_of(move.container)
    refuse_taken(move.engine, move.container, move.first_volume, move.to, move.dumps)
    there = move.engine.container(move.container)
    if there is None:
        raise RefusedError(
            "is gone", place=f"container {move.container}", remedy="set server.image back, and `make up`"
        )
    _remove(move, old, new)
    move.engine.stop(move.container)
    try:
        for volume in (move.to, move.dumps):
            move.engine.make_volume(volume, move.labels)
        _script(move, PREPARE)
        _start(move, old, there, image=str(there["Image"]), volume=move.volume, side=OLD)
        _start(move, new, there, image=move.image, volume=move.to, side=NEW)
        _moved(ServerContents(move.engine, new, move.user), move, tell)
        for name in (old, new):
            move.engine.stop(name)
            move.engine.remove(name)
        _script(move, _CLEAN)
    except BaseException as error:
        with suppress(InfraError):  # the first error is the one to tell
            _remove(move, old, new)
        move.engine.start(move.container)
        if not isinstance(error, InfraError):
            raise
        raise ServerError(
            f"was not moved to PostgreSQL {move.majors[1]}: {error}",
            place=f"volume {move.volume}",
            remedy="nothing was changed, and the server runs again as it was",
        ) from None


def remove_moved(engine: Engine, first_volume: str) -> None:
    """Remove every volume that upgrades made, dumps included."""
    for name in engine.volumes_with(MOVED_FROM, first_volume):
        engine.remove_volume(name)


def _moved(contents: ServerContents, move: Move, tell: Callable[[str], None]) -> None:
    databases = contents.databases()
    tell(f"dumping {len(databases)} databases of PostgreSQL {move.majors[0]} into volume {move.dumps}")
    contents.dump(databases)
    tell(f"restoring them in PostgreSQL {move.majors[1]}, in volume {move.to}")
    contents.restore(databases)
    proof = contents.prove_equal(databases)
    contents.hand_over(databases, proof)
    tell(f"moved: roles, catalogs and {proof.rows} rows are equal; the data of before stay in volume {move.volume}")


def _remove(move: Move, *containers: str) -> None:
    """Remove what a move makes, and what one that was killed has left."""
    for name in containers:
        move.engine.remove(name)
    for volume in (move.to, move.dumps):
        move.engine.remove_volume(volume)


def _script(move: Move, script: str) -> None:
    said = move.engine.run(move.image, script, variables={"ADMIN": move.user}, binds=[f"{move.dumps}:{SHARED_VOLUME}"])
    if said.split()[-1:] not in (["prepared"], ["cleaned"]):
        raise ServerError(f"cannot be prepared: {' '.join(said.split())}", place=f"volume {move.dumps}")


def _start(move: Move, name: str, like: Json, *, image: str, volume: str, side: str) -> None:
    """Run a server on a volume, reachable by its socket in the shared volume alone, and wait until it answers."""
    here = f"{SHARED_VOLUME}/{side}"
    given = [*(f"{one}={value}" for one, value in sorted(move.settings.items())), *UNKEPT, "listen_addresses="]
    given += [f"unix_socket_directories=/var/run/postgresql,{here}", f"hba_file={SHARED_VOLUME}/hba.conf"]
    limits = {limit: like["HostConfig"][limit] for limit in ("Memory", "MemorySwap", "ShmSize")}
    move.engine.create(
        name,
        {
            "Image": image,
            "Cmd": ["postgres", *(word for one in given for word in ("-c", one))],
            "Env": [
                f"PGDATA={DATA}",
                f"POSTGRES_PASSWORD_FILE={SHARED_VOLUME}/initial-password",
                f"POSTGRES_INITDB_ARGS={move.initdb_args} {INITDB}",
            ],
            "Labels": move.labels,
            "StopSignal": "SIGINT",
            "StopTimeout": SECONDS_TO_STOP,
            "HostConfig": {
                "NetworkMode": "none",
                "Binds": [f"{volume}:{DATA}", f"{move.dumps}:{SHARED_VOLUME}"],
                **limits,
            },
        },
    )
    move.engine.start(name)
    deadline = time.monotonic() + READY_SECONDS
    while True:
        there = move.engine.container(name)
        if there is None or not there["State"]["Running"] or time.monotonic() > deadline:
            raise ServerError(f"does not start: {move.engine.last_lines(name)}", place=f"container {name}")
        status, _ = move.engine.execute(name, IS_UP, user=move.user, variables={"HERE": here})
        if not status:
            return
        time.sleep(_PAUSE_SECONDS)

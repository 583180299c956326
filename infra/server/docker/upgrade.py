"""The upgrade of a container's data to a newer major version: dump, restore into a new volume, comparison.

The container is stopped meanwhile, so that no client writes data that would be lost. Two containers without network do
the work, on the old volume and on the new one. After a failure they and the new volume are removed, and the container
is started again; the old volume is kept in any case.
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
"""The label of volumes and containers that an upgrade created: the name of the stack's first volume."""
_PAUSE_SECONDS = 0.2
_STOP_SECONDS = 60
_PRIVATE_SETTINGS = (
    "archive_mode=off",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "log_min_error_statement=panic",
)
"""Settings of the two containers: no WAL is archived a second time, and no password verifier is logged."""

_PREPARE = f"""
cd {SHARED_VOLUME} && umask 077 && rm -rf dump && install -d -m 0777 old new && chmod 0755 . &&
install -d -m 0700 -o "$ADMIN" dump && head -c 24 /dev/urandom | base64 >initial-password &&
echo 'local all all trust' >hba.conf && chmod 0644 hba.conf && echo prepared
"""
_CLEAN = f"cd {SHARED_VOLUME} && rm -rf old new hba.conf initial-password && echo cleaned"
# While it creates the data, the image's entrypoint runs a server of its own, which is not the container's process 1.
_IS_READY = '[ "$(head -n 1 "$PGDATA/postmaster.pid")" = 1 ] && pg_isready -q -h "$SOCKETS"'


@dataclass(frozen=True)
class Move:
    """An upgrade of the data in the volume `volume` of `container` to the PostgreSQL in the image `image`.

    `first_volume` is the volume in the settings, after which the others are named; `majors` are the major versions
    before and after.
    """

    engine: Engine
    container: str
    first_volume: str
    volume: str
    image: str
    majors: tuple[int, int]
    stack: str
    user: str
    initdb_args: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def new_volume(self) -> str:
        """The volume for the restored data."""
        return moved_volume(self.first_volume, self.majors[1])

    @property
    def dump_volume(self) -> str:
        """The volume that keeps the dump."""
        return f"{self.first_volume}-dump-{self.majors[0]}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of what the upgrade creates."""
        return {OWNER: self.stack, MOVED_FROM: self.first_volume}


def moved_volume(first_volume: str, major: int) -> str:
    """Return the name of the volume for the data of a major version to which the stack was upgraded."""
    return f"{first_volume}-{major}"


def volume_after(image: Image, name: str, *, first_volume: str, now: tuple[str, int], how: str) -> str:
    """Return the volume for the data under an image: the present one, or a new one for a newer major version.

    `now` is the present volume and the major version of its data, 0 for none; `how` is the setting `server.upgrade`.
    Raises RefusedError for an older major version, and for a newer one unless `how` is dump-restore.
    """
    volume, major = now
    if major in {0, image.major}:
        return volume
    mismatch = f"holds PostgreSQL {image.version}, and the data in volume {volume} are PostgreSQL {major}'s"
    if image.major < major:
        raise RefusedError(
            f"{mismatch}, which an older one cannot read",
            place=f"image {name}",
            remedy=f"set server.image back to {major}; for the data from before an upgrade, see docs/docker.md",
        )
    if how != "dump-restore":
        raise RefusedError(
            f"{mismatch}, which another major version cannot read",
            place=f"image {name}",
            remedy=f"set server.image back to {major}; or set server.upgrade to dump-restore, and they are moved to a "
            "new volume (docs/docker.md)",
        )
    return moved_volume(first_volume, image.major)


def refuse_taken(engine: Engine, container: str, first_volume: str, *volumes: str) -> None:
    """Raise RefusedError if an upgrade would use a name that is in use, except for the remains of a killed upgrade.

    A killed upgrade also leaves its containers. Labelled volumes without them belong to an upgrade that was completed.
    """
    existing = {name: engine.container(name) for name in containers_of(container)}
    foreign = [name for name, found in existing.items() if found and MOVED_FROM not in found["Config"]["Labels"]]
    remains = engine.volumes_labelled(MOVED_FROM, first_volume) if any(existing.values()) else []
    taken = [f"container {name}" for name in foreign]
    taken += [f"volume {name}" for name in volumes if engine.volume(name) is not None and name not in remains]
    if taken:
        raise RefusedError(
            "exists already, and the upgrade needs this name",
            place=taken[0],
            remedy="find out what it belongs to, and remove it if it is not needed",
        )


def containers_of(container: str) -> tuple[str, str]:
    """Return the names of the two containers of an upgrade: the older server's and the newer one's."""
    return f"{container}.{OLD}", f"{container}.{NEW}"


def upgrade(move: Move, log: Callable[[str], None]) -> None:
    """Upgrade the data, and report each step to `log`; the container stays stopped.

    Raises InfraError with the reason after a failure, when the container runs again on its volume, which is unchanged.
    """
    old, new = containers_of(move.container)
    refuse_taken(move.engine, move.container, move.first_volume, move.new_volume, move.dump_volume)
    description = move.engine.container(move.container)
    if description is None:
        raise RefusedError(
            "does not exist any more",
            place=f"container {move.container}",
            remedy="set server.image back, and run `make up`",
        )
    _remove(move, old, new)
    move.engine.stop(move.container)
    try:
        for volume in (move.new_volume, move.dump_volume):
            move.engine.create_volume(volume, move.labels)
        _run_script(move, _PREPARE)
        _start_server(move, old, description, image=str(description["Image"]), volume=move.volume, side=OLD)
        _start_server(move, new, description, image=move.image, volume=move.new_volume, side=NEW)
        _copy_contents(ServerContents(move.engine, new, move.user), move, log)
        for name in (old, new):
            move.engine.stop(name)
            move.engine.remove(name)
        _run_script(move, _CLEAN)
    except BaseException as error:
        with suppress(InfraError):  # the first error is the one to report
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
    """Remove all volumes that upgrades created, with data and with dumps."""
    for name in engine.volumes_labelled(MOVED_FROM, first_volume):
        engine.remove_volume(name)


def _copy_contents(contents: ServerContents, move: Move, log: Callable[[str], None]) -> None:
    databases = contents.databases()
    log(f"dumping {len(databases)} databases of PostgreSQL {move.majors[0]} into volume {move.dump_volume}")
    contents.dump(databases)
    log(f"restoring them in PostgreSQL {move.majors[1]}, in volume {move.new_volume}")
    contents.restore(databases)
    comparison = contents.compare(databases)
    contents.relocate_ledgers(databases, comparison)
    log(
        f"moved: roles, catalogs and {comparison.rows} rows are equal; the data from before stay in volume "
        f"{move.volume}"
    )


def _remove(move: Move, *containers: str) -> None:
    """Remove what this upgrade creates, and what a killed one created."""
    for name in containers:
        move.engine.remove(name)
    for volume in (move.new_volume, move.dump_volume):
        move.engine.remove_volume(volume)


def _run_script(move: Move, script: str) -> None:
    """Run a script on the dump's volume; its last word shows that it succeeded."""
    binds = [f"{move.dump_volume}:{SHARED_VOLUME}"]
    output = move.engine.run(move.image, script, variables={"ADMIN": move.user}, binds=binds)
    if output.split()[-1:] not in (["prepared"], ["cleaned"]):
        raise ServerError(f"cannot be prepared: {' '.join(output.split())}", place=f"volume {move.dump_volume}")


def _start_server(move: Move, name: str, original: Json, *, image: str, volume: str, side: str) -> None:
    """Start a server on a volume and wait until it answers; only its socket in the shared volume accepts connections.

    It has the limits of the original container, as the engine describes that.
    """
    sockets = f"{SHARED_VOLUME}/{side}"
    settings = [f"{setting}={value}" for setting, value in sorted(move.settings.items())]
    settings += [*_PRIVATE_SETTINGS, "listen_addresses=", f"hba_file={SHARED_VOLUME}/hba.conf"]
    settings += [f"unix_socket_directories=/var/run/postgresql,{sockets}"]
    limits: Json = original["HostConfig"]
    move.engine.create(
        image,
        name=name,
        command=["postgres", *(word for setting in settings for word in ("-c", setting))],
        variables={
            "PGDATA": DATA,
            "POSTGRES_PASSWORD_FILE": f"{SHARED_VOLUME}/initial-password",
            "POSTGRES_INITDB_ARGS": f"{move.initdb_args} {INITDB}",
        },
        binds=[f"{volume}:{DATA}", f"{move.dump_volume}:{SHARED_VOLUME}"],
        labels=move.labels,
        limits={
            "mem_limit": limits["Memory"],
            "memswap_limit": limits["MemorySwap"],
            "shm_size": limits["ShmSize"],
        },
        stop_signal="SIGINT",  # a fast shutdown (PostgreSQL manual, 18.5)
        stop_timeout=_STOP_SECONDS,
    )
    move.engine.start(name)
    deadline = time.monotonic() + READY_SECONDS
    while True:
        description = move.engine.container(name)
        if description is None or not description["State"]["Running"] or time.monotonic() > deadline:
            raise ServerError(f"does not start: {move.engine.log_tail(name)}", place=f"container {name}")
        status, _ = move.engine.execute(name, _IS_READY, user=move.user, variables={"SOCKETS": sockets})
        if not status:
            return
        time.sleep(_PAUSE_SECONDS)

"""An embedded server's life: plan, create, ensure, state, set_password, stop, destroy. Every call stands alone.

Calls may come from any thread or process: each takes the server's lock (flock), nothing is remembered in between,
nothing is printed, and no call forks. They raise InfraErrors (ServerError, RefusedError, SettingsError, BusyError),
whose sentences hold no secret.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from infra.errors import RefusedError
from infra.server.embedded import administration, binaries, daemon, directory, lifecycle, processes
from infra.server.embedded.account import Account, account, refuse_unreachable
from infra.server.embedded.directory import Layout, Marker, read_marker, refuse_foreign, write_marker
from infra.server.embedded.distribution import locate, refuse_platform
from infra.server.embedded.file_lock import file_locked
from infra.server.embedded.lifecycle import Installation
from infra.server.embedded.specification import ClusterSpec, Running, default_root, refuse_impossible
from infra.server.embedded.validation import refuse_wrong
from infra.server.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from infra.server.embedded.file_lock import Lock
    from infra.server.embedded.server_step import ServerStep

__all__ = [
    "ClusterSpec",
    "Running",
    "ServerState",
    "create",
    "default_root",
    "destroy",
    "ensure",
    "listens_at",
    "plan",
    "set_password",
    "state",
    "stop",
]

ServerState = Literal["running", "stopped", "absent"]


def plan(spec: ClusterSpec) -> ServerStep:
    """Give what create() or ensure() would do, after all refusals that need no password; changes nothing.

    Costs 0.001 s when nothing differs, 0.03 s with new settings, which PostgreSQL itself is asked about.
    """
    site, marker = _looked_at(spec, make_account=False)
    if not site.layout.data.is_dir():
        marker = None
    alive = marker is not None and processes.postmaster(site.layout.data, site.who) is not None
    if marker and marker.phase in {"live", "retained"}:
        lifecycle.refuse_unfit(site, marker)
    return lifecycle.planned(site, marker, alive=alive)


def create(spec: ClusterSpec, *, adopt: bool = False) -> Running:
    """Make a server, or take up a retained one; a live one of the same owner only when `adopt` is set.

    That one was made by a run whose state has been lost. When it runs and takes this very password it is this stack's
    own, whose creation was cut short, and is taken up without being asked.
    """
    site, _ = _looked_at(spec)
    with _held(site.layout):
        marker = refuse_foreign(site.layout.base, spec.owner)
        if marker is None or not site.layout.data.is_dir():
            return lifecycle.make(site)
        if marker.phase != "live":
            return _brought_up(site, marker)
        if adopt:
            try:
                return lifecycle.keep(site, marker)
            except administration.WrongPasswordError:
                return lifecycle.adopt(site, marker)
        if _takes_password(site):
            return lifecycle.keep(site, marker)
        raise RefusedError(
            f"holds a server of {marker.owner} already, which this run does not know",
            place=str(site.layout.base),
            remedy="set adopt to take it over with its data and reset its admin password, or remove the directory",
        )


def ensure(spec: ClusterSpec) -> Running:
    """Bring the server to what `spec` says and give it: made when absent, adopted when retained, started when it died.

    Costs 0.01 s when there is nothing to do. WrongPasswordError when the server runs with another admin password.
    """
    site, _ = _looked_at(spec)
    with _held(site.layout):
        return _brought_up(site, refuse_foreign(site.layout.base, spec.owner))


def listens_at(base: Path) -> tuple[str, int] | None:
    """Give the host and port that the server in `base` was last started with; None where it never was."""
    marker = read_marker(_layout(base).base)
    return (HOST, marker.port) if marker and marker.port and marker.phase == "live" else None


def state(base: Path) -> ServerState:
    """Say whether the server in `base` runs, without side effects and without its password (0.001 s)."""
    layout = _layout(base)
    marker = read_marker(layout.base)
    if marker is None or marker.phase in {"creating", "removing"} or not layout.data.is_dir():
        return "absent"
    who = account(marker.run_as, make=False)
    return "running" if processes.postmaster(layout.data, who) else "stopped"


def set_password(spec: ClusterSpec, old: str) -> Running:
    """Change the admin's password from `old` to the one in `spec`, and all else as ensure() does.

    A stopped server is started; repeating it is harmless.
    """
    if old == spec.admin_password:
        return ensure(spec)
    known = replace(spec, admin_password=old)
    try:
        running = ensure(known)
    except administration.WrongPasswordError:
        return ensure(spec)  # it has been changed already
    administration.set_role_password(known.target(running.port), spec.admin_user, spec.admin_password)
    return running


def stop(base: Path, *, owner: str) -> None:
    """Stop the server, needing none of its binaries; nothing happens when there is none."""
    layout = _layout(base)
    if refuse_foreign(layout.base, owner) is None:
        return
    with _held(layout):
        marker = refuse_foreign(layout.base, owner)
        if marker:
            _down(layout, marker)


def destroy(base: Path, *, owner: str, retain: bool = False) -> None:
    """Stop the server and remove it, with its port, lock and unshared binaries; `retain` keeps the data to be adopted.

    Repeating it is harmless. RefusedError when the directory is not `owner`'s, or holds files that this program did not
    make. The system user stays: other servers, and files elsewhere, may be its own.
    """
    layout = _layout(base)
    marker = refuse_foreign(layout.base, owner)
    if marker is None and not layout.lock.exists():
        return
    with _held(layout) as lock:
        marker = refuse_foreign(layout.base, owner)
        if marker is None:  # removed by hand, and perhaps while the server ran
            processes.end_orphan_processes([layout.data], Account("", -1, -1, switch=False))
        elif retain and marker.phase in {"live", "retained"}:
            _down(layout, marker)
            write_marker(layout.base, replace(marker, phase="retained"))
            lock.remove()
        else:
            _remove(layout, marker)
        binaries.prune(layout.root)


@contextmanager
def _held(layout: Layout) -> Generator[Lock]:
    """Hold the server's lock; where no base is left (or came to be), the lock and an empty root go too."""
    try:
        with file_locked(layout.lock) as lock:
            try:
                yield lock
            finally:
                if not layout.base.exists():
                    lock.remove()
    finally:
        directory.remove_root(layout.root)


def _remove(layout: Layout, marker: Marker) -> None:
    directory.refuse_strangers(layout)
    write_marker(layout.base, replace(marker, phase="removing"))
    _down(layout, marker, at_once=True)
    processes.end_orphan_processes([layout.unfinished], account(marker.run_as))
    directory.remove_base(layout)


def _down(layout: Layout, marker: Marker, *, at_once: bool = False) -> None:
    who = account(marker.run_as)
    crashed = processes.stop_postmaster(layout.data, who, at_once=at_once)
    if crashed and marker.distribution:
        daemon.release_memory(layout, marker.distribution, who)


def _brought_up(site: Installation, marker: Marker | None) -> Running:
    if marker is None or marker.phase in {"creating", "removing"}:
        return lifecycle.make(site)
    return lifecycle.adopt(site, marker) if marker.phase == "retained" else lifecycle.keep(site, marker)


def _takes_password(site: Installation) -> bool:
    found = processes.postmaster(site.layout.data, site.who)
    if found is None:
        return False
    try:
        administration.identify(site.spec.target(found.port), site.layout.data)
    except administration.WrongPasswordError:
        return False
    return True


def _looked_at(spec: ClusterSpec, *, make_account: bool = True) -> tuple[Installation, Marker | None]:
    """Refuse what cannot be, before a lock or a directory is made; settings are tried when they are not in use yet."""
    refuse_platform()
    refuse_impossible(spec)
    layout = spec.layout
    marker = refuse_foreign(layout.base, spec.owner)
    found = locate(spec.bin_dir, remembered=marker.distribution if marker else None)
    used = binaries.copied(found, layout.root)
    if marker is None or marker.phase != "live" or (marker.settings, marker.distribution) != (spec.settings, used):
        refuse_wrong(found, spec.settings, place=f"server {spec.name}")
    who = account(spec.run_as, make=make_account)
    refuse_unreachable(layout.base, who, setting="data root")
    if spec.bin_dir:
        refuse_unreachable(spec.bin_dir / "postgres", who, setting="bin_dir")
    return Installation(spec, layout, who, found, used), marker


def _layout(base: Path) -> Layout:
    return Layout(base.parent.resolve() / base.name)

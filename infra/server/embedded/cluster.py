"""The operations on an embedded server: plan, create, ensure, state, set_password, stop, destroy.

Each call is independent and may come from any thread or process: it takes the server's lock (flock(2)), keeps nothing
in memory, prints nothing and does not fork. All raise InfraErrors (ServerError, RefusedError, SettingsError,
BusyError), whose messages contain no secret.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from infra.errors import RefusedError
from infra.server.embedded import administration, binaries, daemon, directory, lifecycle, processes
from infra.server.embedded.account import Account
from infra.server.embedded.directory import Layout, Marker, read_marker, refuse_foreign, write_marker
from infra.server.embedded.distribution import locate, refuse_platform
from infra.server.embedded.file_lock import file_locked
from infra.server.embedded.lifecycle import Installation
from infra.server.embedded.service_account import refuse_unreachable, service_account
from infra.server.embedded.specification import ClusterSpec, Running, default_root, refuse_invalid
from infra.server.embedded.validation import refuse_without_tls, refuse_wrong_settings
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
    "certificate_of",
    "create",
    "default_root",
    "destroy",
    "ensure",
    "listens_at",
    "plan",
    "remove_unrecorded",
    "set_password",
    "state",
    "stop",
]

ServerState = Literal["running", "stopped", "absent"]


def plan(spec: ClusterSpec) -> ServerStep:
    """Return the step that create() or ensure() would carry out; raise every refusal that needs no password.

    Changes nothing. Costs 0.001 s when nothing differs, 0.03 s with new settings, which PostgreSQL itself validates.
    """
    installation, marker = _inspect(spec, create_account=False)
    data = installation.layout.data
    if not data.is_dir():
        marker = None
    alive = marker is not None and processes.find_postmaster(data, installation.account) is not None
    if marker and marker.phase in {"live", "retained"}:
        lifecycle.refuse_incompatible(installation, marker)
    return lifecycle.plan_step(installation, marker, alive=alive)


def create(spec: ClusterSpec, *, adopt: bool = False) -> Running:
    """Create a server, or adopt a retained one; adopt a live one of the same owner only when `adopt` is set.

    A live one was created by a run whose state has been lost. When it runs and accepts the password in `spec`, it is
    this stack's own server, whose creation was interrupted, and needs no `adopt`.
    """
    installation, _ = _inspect(spec)
    with _locked(installation.layout):
        marker = refuse_foreign(installation.layout.base, spec.owner)
        if marker is None or not installation.layout.data.is_dir():
            return lifecycle.create_server(installation)
        if marker.phase != "live":
            return _bring_up(installation, marker)
        if adopt:
            try:
                return lifecycle.update_server(installation, marker)
            except administration.WrongPasswordError:
                return lifecycle.adopt_server(installation, marker)
        if _accepts_password(installation):
            return lifecycle.update_server(installation, marker)
        raise RefusedError(
            f"already has a server of {marker.owner} that is not in this stack's state",
            place=str(installation.layout.base),
            remedy="set adopt to take it over with its data and reset its admin password, or remove the directory",
        )


def ensure(spec: ClusterSpec) -> Running:
    """Make the server as specified: create, adopt, start, restart or reload it, whatever is needed.

    Costs 0.01 s when nothing is. Raises WrongPasswordError when the server runs with another admin password.
    """
    installation, _ = _inspect(spec)
    with _locked(installation.layout):
        return _bring_up(installation, refuse_foreign(installation.layout.base, spec.owner))


def listens_at(base: Path) -> tuple[str, int] | None:
    """Return the host and port with which the server in `base` was last started; None when it never was."""
    marker = read_marker(_layout(base).base)
    return (HOST, marker.port) if marker and marker.port and marker.phase == "live" else None


def certificate_of(base: Path) -> str:
    """Return the path of the certificate of the server in `base`."""
    return str(_layout(base).certificate)


def state(base: Path) -> ServerState:
    """Return whether the server in `base` runs, without side effects and without its password (0.001 s)."""
    layout = _layout(base)
    marker = read_marker(layout.base)
    if marker is None or marker.phase in {"creating", "removing"} or not layout.data.is_dir():
        return "absent"
    account = service_account(marker.run_as, create=False)
    return "running" if processes.find_postmaster(layout.data, account) else "stopped"


def set_password(spec: ClusterSpec, old: str) -> Running:
    """Change the admin's password from `old` to the one in `spec`, and everything else as ensure() does.

    A stopped server is started. A repeated call changes nothing.
    """
    if old == spec.admin_password:
        return ensure(spec)
    previous = replace(spec, admin_password=old)
    try:
        running = ensure(previous)
    except administration.WrongPasswordError:
        return ensure(spec)  # an earlier call has changed it
    administration.set_role_password(previous.target(running.port), spec.admin_user, spec.admin_password)
    return running


def stop(base: Path, *, owner: str) -> None:
    """Stop the server; needs none of its binaries, and does nothing when there is no server."""
    layout = _layout(base)
    if refuse_foreign(layout.base, owner) is None:
        return
    with _locked(layout):
        marker = refuse_foreign(layout.base, owner)
        if marker:
            _stop(layout, marker)


def destroy(base: Path, *, owner: str, retain: bool = False) -> None:
    """Stop the server and remove it with its lock and unshared binaries; `retain` keeps the data for an adoption.

    A repeated call does nothing. Raises RefusedError when the directory is not `owner`'s, or holds files that this
    program did not create. The system user stays: it may own other servers, and files elsewhere.
    """
    layout = _layout(base)
    marker = refuse_foreign(layout.base, owner)
    if marker is None and not layout.lock.exists():
        return
    with _locked(layout) as lock:
        marker = refuse_foreign(layout.base, owner)
        if marker is None:  # the directory was removed by hand, perhaps while the server ran, or has just been created
            processes.end_orphan_processes([layout.data], Account("", -1, -1, switch=False))
            directory.remove_begun(layout)
        elif retain and marker.phase in {"live", "retained"}:
            _stop(layout, marker)
            write_marker(layout.base, replace(marker, phase="retained"))
            lock.remove()
        else:
            _remove(layout, marker)
        binaries.prune(layout.root)


def remove_unrecorded(base: Path, *, owner: str) -> None:
    """Remove a server whose creation was killed, so that no state has it; whatever else is there stays.

    That is one that is not complete, and a complete one that has no database yet.
    """
    layout = _layout(base)
    marker = read_marker(layout.base)
    if marker is None:
        is_unrecorded = directory.is_begun(layout.base)
    elif marker.phase == "live":
        is_unrecorded = not directory.has_databases(layout)
    else:
        is_unrecorded = marker.phase in {"creating", "removing"}
    if is_unrecorded and (marker is None or marker.owner == owner):
        destroy(base, owner=owner)


@contextmanager
def _locked(layout: Layout) -> Generator[Lock]:
    """Hold the server's lock; remove the lock file where no base exists at the end, and the root when it is empty."""
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
    directory.refuse_unknown_files(layout)
    try:
        write_marker(layout.base, replace(marker, phase="removing"))
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise  # on a full disk the removal is what frees space
    _stop(layout, marker, immediate=True)
    processes.end_orphan_processes([layout.unfinished], service_account(marker.run_as))
    directory.remove_base(layout)


def _stop(layout: Layout, marker: Marker, *, immediate: bool = False) -> None:
    account = service_account(marker.run_as)
    crashed = processes.stop_postmaster(layout.data, account, immediate=immediate)
    if crashed and marker.distribution:
        daemon.release_shared_memory(layout, marker.distribution, account)


def _bring_up(installation: Installation, marker: Marker | None) -> Running:
    if marker is None or marker.phase in {"creating", "removing"}:
        return lifecycle.create_server(installation)
    if marker.phase == "retained":
        return lifecycle.adopt_server(installation, marker)
    return lifecycle.update_server(installation, marker)


def _accepts_password(installation: Installation) -> bool:
    """Return whether the server runs and accepts the password of the specification."""
    postmaster = processes.find_postmaster(installation.layout.data, installation.account)
    if postmaster is None:
        return False
    try:
        administration.identify(installation.spec.target(postmaster.port), installation.layout.data)
    except administration.WrongPasswordError:
        return False
    return True


def _inspect(spec: ClusterSpec, *, create_account: bool = True) -> tuple[Installation, Marker | None]:
    """Return the installation and its marker; raise every refusal before a lock or a directory is created.

    Settings are validated only when the server does not run with them already.
    """
    refuse_platform()
    refuse_invalid(spec)
    layout = spec.layout
    marker = refuse_foreign(layout.base, spec.owner)
    source = locate(spec.bin_dir, remembered=marker.distribution if marker else None)
    private = binaries.private_copy(source, layout.root)
    if marker is None or marker.phase != "live" or (marker.settings, marker.distribution) != (spec.settings, private):
        refuse_wrong_settings(source, spec.settings, place=f"server {spec.name}")
    if marker is None or not marker.tls or marker.distribution != private:
        refuse_without_tls(source)
    account = service_account(spec.run_as, create=create_account)
    refuse_unreachable(layout.base, account, setting="data root")
    if spec.bin_dir:
        refuse_unreachable(spec.bin_dir / "postgres", account, setting="bin_dir")
    return Installation(spec, layout, account, source, private), marker


def _layout(base: Path) -> Layout:
    return Layout(base.parent.resolve() / base.name)

"""The acts that bring a server up: make it, adopt it, keep it as its specification says; called under its lock."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infra.errors import InfraError, RefusedError, ServerError
from infra.server import ports
from infra.server.embedded import administration, binaries, configuration, daemon, directory, processes
from infra.server.embedded.directory import Marker, write_marker
from infra.server.embedded.server_step import Wanted, decide_server_step
from infra.server.embedded.specification import Action, ClusterSpec, Running
from infra.server.embedded.validation import contexts
from infra.server.file_io import read_untrusted

if TYPE_CHECKING:
    from infra.server.embedded.account import Account
    from infra.server.embedded.directory import Layout
    from infra.server.embedded.distribution import Distribution
    from infra.server.embedded.server_step import ServerStep

PORT_TRIES = 5
DYING_SECONDS = 0.5  # a process that was killed still has its directory for a moment
FIXED = ("run_as", "admin_user", "encoding", "locale", "ctype")


@dataclass(frozen=True)
class Installation:
    """A specification, and what it means on this machine."""

    spec: ClusterSpec
    layout: Layout
    who: Account
    found: Distribution  # where the binaries come from
    used: Distribution  # where they are run from

    def marker(self) -> Marker:
        """Give the marker of a server that is just beginning."""
        spec = self.spec
        return Marker(
            name=spec.name,
            owner=spec.owner,
            phase="creating",
            run_as=self.who.name,
            admin_user=spec.admin_user,
            encoding=spec.encoding,
            locale=spec.locale,
            ctype=spec.ctype,
            settings=dict(spec.settings),
            distribution=self.used,
        )


def make(site: Installation) -> Running:
    """Make the server from nothing (1 s); when that fails, nothing of it stays behind."""
    layout, who = site.layout, site.who
    if processes.stop_postmaster(layout.data, who, at_once=True):
        daemon.release_memory(layout, site.used, who)
    processes.end_orphan_processes([layout.unfinished], who)
    directory.make_base(layout, who)
    directory.refuse_strangers(layout)
    marker = site.marker()
    write_marker(layout.base, marker)  # before the copy, which it keeps from being pruned
    try:
        directory.remove_tree(layout.data)
        binaries.install(site.found, layout.root)
        daemon.initialise(site.spec, layout, site.used, who)
        return _started(site, marker, action="created")
    except BaseException:
        with suppress(InfraError, OSError):
            processes.stop_postmaster(layout.data, who, at_once=True)
            directory.remove_base(layout)
            binaries.prune(layout.root)
        raise


def adopt(site: Installation, marker: Marker) -> Running:
    """Take up a server whose password is not known: set it while nobody can connect, and start."""
    refuse_unfit(site, marker)
    _install(site, marker)
    processes.stop_postmaster(site.layout.data, site.who)
    directory.make_base(site.layout, site.who)
    configuration.write_configuration(site.layout, site.spec.settings, site.who)
    daemon.reset_password(site.spec, site.layout, site.used, site.who)
    return _started(site, marker, action="adopted")


def keep(site: Installation, marker: Marker) -> Running:
    """Bring a server to what its specification says, with the least that this takes."""
    refuse_unfit(site, marker)
    _install(site, marker)
    found, identity = _answering(site)
    step = planned(site, marker, alive=found is not None)
    if step.verb == "keep" and found and identity:
        daemon.trim_log(site.layout.log)
        return _running(site, identity, found, action="unchanged")
    if step.verb == "reload" and found:
        return _reloaded(site, marker, step, found)
    return _restarted(site, marker, step)


def _install(site: Installation, marker: Marker) -> None:
    """Copy the binaries unless they are there; another server's end must not prune them before they are in use."""
    used = marker.distribution if marker.phase == "live" else None
    if used is None or used.source != site.used.source:
        write_marker(site.layout.base, replace(marker, coming=site.used.source))
    binaries.install(site.found, site.layout.root)


def _answering(site: Installation) -> tuple[processes.Postmaster | None, administration.ServerIdentity | None]:
    """Give the live postmaster and what its server says of itself; (None, None) when it is down, or just went down."""
    data = site.layout.data
    found = processes.wait_settled(data, site.who, daemon.START_SECONDS)
    if found is None:
        return None, None
    try:
        return found, administration.identify(site.spec.target(found.port), data)
    except administration.WrongPasswordError:
        raise
    except ServerError:
        processes.wait_gone(found.pid, data, site.who, DYING_SECONDS)
        if processes.postmaster(data, site.who):
            raise
        return None, None


def planned(site: Installation, marker: Marker | None, *, alive: bool) -> ServerStep:
    """Give the step that the server's state and its specification ask for."""
    written = marker is not None and configuration.is_written(site.layout, site.spec.settings, site.who)
    wanted = Wanted(site.spec.port, site.spec.settings, site.used, written=written)
    return decide_server_step(marker, wanted, alive=alive, contexts=lambda: contexts(site.found))


def refuse_unfit(site: Installation, marker: Marker) -> None:
    """Raise RefusedError when what exists cannot become what is wanted; nothing is touched then."""
    wanted = site.marker()
    for name in FIXED:
        if getattr(marker, name) != getattr(wanted, name):
            raise RefusedError(
                f"{name} was {getattr(marker, name) or 'left out'} when this server was made, and cannot become "
                f"{getattr(wanted, name) or 'left out'}",
                place=str(site.layout.base),
                remedy="set it back, or replace the server",
            )
    made_by = (read_untrusted(site.layout.data / "PG_VERSION") or "").strip()
    if not made_by:
        raise ServerError(
            "the data directory is missing or damaged, and nothing was touched",
            place=str(site.layout.data),
            remedy="restore it, or let `pulumi refresh` notice that it is gone",
        )
    if made_by != str(site.used.major):
        raise RefusedError(
            f"was made by PostgreSQL {made_by} and cannot be run by {site.used.version}; nothing was touched",
            place=str(site.layout.data),
            remedy=f"set bin_dir to a PostgreSQL {made_by}, or dump it with that and restore it into a new server",
        )


def _reloaded(site: Installation, marker: Marker, step: ServerStep, found: processes.Postmaster) -> Running:
    configuration.write_configuration(site.layout, site.spec.settings, site.who)
    waiting = administration.reload(site.spec.target(found.port))
    if waiting:  # extensions' parameters, which only the server itself knows
        reasons = tuple(f"changed setting: {name} needs restart" for name in waiting)
        return _restarted(site, marker, replace(step, verb="restart", reasons=reasons))
    identity = administration.identify(site.spec.target(found.port), site.layout.data)
    write_marker(site.layout.base, replace(marker, settings=dict(site.spec.settings)))
    return _running(site, identity, found, action="reloaded", changed=step.reasons)


def _restarted(site: Installation, marker: Marker, step: ServerStep) -> Running:
    """Stop what runs, or is left, and start it anew; if it does not start, what ran before is brought back."""
    spec, layout = site.spec, site.layout
    if spec.port and spec.port != marker.port and not ports.is_free(spec.port):
        raise ports.taken(spec.port)
    processes.stop_postmaster(layout.data, site.who)
    action: Action = "restarted" if step.verb == "restart" else "started"
    try:
        return _started(site, marker, action=action, changed=step.reasons)
    except ServerError as error:
        if step.verb != "restart" or not _brought_back(site, marker):
            raise
        raise ServerError(error.what, place=error.place, remedy="it runs as before; correct the settings") from None


def _brought_back(site: Installation, marker: Marker) -> bool:
    """Start the server as its marker says it ran last; say whether that worked."""
    used = marker.distribution or site.used
    with suppress(InfraError, OSError):
        processes.stop_postmaster(site.layout.data, site.who)
        configuration.write_configuration(site.layout, marker.settings, site.who)
        daemon.start(site.layout, used, site.who, marker.port)
        return True
    return False


def _started(site: Installation, marker: Marker, *, action: Action, changed: tuple[str, ...] = ()) -> Running:
    """Write the configuration, start the stopped server, see that it is the right one, and put that down."""
    configuration.write_configuration(site.layout, site.spec.settings, site.who)
    port = _start_on_some_port(site, marker)
    identity = administration.identify(site.spec.target(port), site.layout.data)
    found = processes.postmaster(site.layout.data, site.who)
    if found is None:
        raise ServerError("the server ended as soon as it had started", place=str(site.layout.log))
    settings = dict(site.spec.settings)
    live = replace(marker, phase="live", port=port, settings=settings, distribution=site.used, coming="")
    write_marker(site.layout.base, live)
    binaries.prune(site.layout.root)
    if marker.port and port != marker.port:
        changed = (*changed, f"port {marker.port} becomes {port}")
    return _running(site, identity, found, action=action, changed=tuple(dict.fromkeys(changed)))


def _start_on_some_port(site: Installation, marker: Marker) -> int:
    """Start on the configured port; else on the one it had, or on a free one: somebody may take that meanwhile."""
    spec = site.spec
    port = spec.port or (marker.port if marker.port and ports.is_free(marker.port) else ports.choose(spec.name))
    if not ports.is_free(port):
        raise ports.taken(port)
    for _ in range(PORT_TRIES):
        try:
            daemon.start(site.layout, site.used, site.who, port)
        except daemon.PortTakenError:
            if spec.port:
                raise
            port = ports.choose(spec.name, after=port)
        else:
            return port
    raise ports.taken(port)


def _running(
    site: Installation,
    identity: administration.ServerIdentity,
    found: processes.Postmaster,
    action: Action,
    changed: tuple[str, ...] = (),
) -> Running:
    return Running(
        host=ports.HOST,
        port=found.port,
        pid=found.pid,
        version=identity.version,
        data_directory=site.layout.data,
        log_file=site.layout.log,
        system_identifier=identity.system_identifier,
        distribution=site.used,
        action=action,
        changed=changed,
    )

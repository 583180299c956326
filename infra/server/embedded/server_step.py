"""The decision what has to be done to a server: pure, from values alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.server.embedded.directory import Marker
    from infra.server.embedded.distribution import Distribution

ServerVerb = Literal["create", "adopt", "start", "restart", "reload", "keep"]


@dataclass(frozen=True)
class ServerStep:
    """One planned act; `reasons` has a sentence for each difference that it removes."""

    verb: ServerVerb
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class RequiredServer:
    """What a server has to run with; `port` 0 allows any. `written`: its configuration files already say so."""

    port: int
    settings: Mapping[str, str]
    distribution: Distribution
    written: bool = True


def decide_server_step(
    marker: Marker | None, required: RequiredServer, *, alive: bool, contexts: Callable[[], Mapping[str, str]]
) -> ServerStep:
    """Return the step for a server; `contexts` is called only when settings differ (validation.parameter_contexts)."""
    if marker is None or marker.phase in {"creating", "removing"}:
        return ServerStep("create", ("it does not exist",))
    if marker.phase == "retained":
        return ServerStep("adopt", ("its data was retained",))
    restart = _restart_reasons(marker, required)
    names = changed_settings(marker.settings, required.settings)
    context_of: Mapping[str, str] = contexts() if names else {}
    for name in names:
        if context_of.get(name) == "postmaster":
            restart.append(f"changed setting: {name} needs restart")
    reload = [f"changed setting: {name} needs reload" for name in names if context_of.get(name) != "postmaster"]
    if not alive:
        return ServerStep("start", ("it is not running", *restart, *reload))
    if restart:
        return ServerStep("restart", (*restart, *reload))
    if reload:
        return ServerStep("reload", tuple(reload))
    return (
        ServerStep("keep")
        if required.written
        else ServerStep("reload", ("its configuration files were changed by hand",))
    )


def changed_settings(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return the names, in lower case and sorted, of the parameters that differ: set, unset or with another value."""
    before = {name.lower(): value for name, value in old.items()}
    after = {name.lower(): value for name, value in new.items()}
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _restart_reasons(marker: Marker, required: RequiredServer) -> list[str]:
    reasons: list[str] = []
    if required.port and required.port != marker.port:
        reasons.append(f"port {marker.port} becomes {required.port}")
    old, new = marker.distribution, required.distribution
    if old is None or (old.bin, old.version, old.stamp) != (new.bin, new.version, new.stamp):
        reasons.append(f"binaries: {_description(old)} become {_description(new)}")
    if not marker.tls:
        reasons.append("it has no certificate")
    return reasons


def _description(distribution: Distribution | None) -> str:
    return f"{distribution.version} ({distribution.source})" if distribution else "unknown ones"

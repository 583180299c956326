"""What has to be done to a server, decided from values alone."""

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
    """One planned act and, in words, each difference that it is for."""

    verb: ServerVerb
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What a server shall run with; `port` 0 is any. `written`: its configuration files say so already."""

    port: int
    settings: Mapping[str, str]
    distribution: Distribution
    written: bool = True


def decide_server_step(
    marker: Marker | None, wanted: Wanted, *, alive: bool, contexts: Callable[[], Mapping[str, str]]
) -> ServerStep:
    """Give the next step for a server; `contexts` is asked only when settings differ (see validation.contexts)."""
    if marker is None or marker.phase in {"creating", "removing"}:
        return ServerStep("create", ("there is none",))
    if marker.phase == "retained":
        return ServerStep("adopt", ("its data was retained",))
    restart = _needs_restart(marker, wanted)
    names = changed_settings(marker.settings, wanted.settings)
    known: Mapping[str, str] = contexts() if names else {}
    for name in names:
        if known.get(name) == "postmaster":
            restart.append(f"changed setting: {name} needs restart")
    reload = [f"changed setting: {name} needs reload" for name in names if known.get(name) != "postmaster"]
    if not alive:
        return ServerStep("start", ("it is not running", *restart, *reload))
    if restart:
        return ServerStep("restart", (*restart, *reload))
    if reload:
        return ServerStep("reload", tuple(reload))
    return (
        ServerStep("keep")
        if wanted.written
        else ServerStep("reload", ("its configuration files were changed by hand",))
    )


def changed_settings(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Give the parameters, in small letters and sorted, that are set, unset or set otherwise."""
    before = {name.lower(): value for name, value in old.items()}
    after = {name.lower(): value for name, value in new.items()}
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _needs_restart(marker: Marker, wanted: Wanted) -> list[str]:
    reasons: list[str] = []
    if wanted.port and wanted.port != marker.port:
        reasons.append(f"port {marker.port} becomes {wanted.port}")
    old, new = marker.distribution, wanted.distribution
    if old is None or (old.bin, old.version, old.stamp) != (new.bin, new.version, new.stamp):
        reasons.append(f"binaries: {_named(old)} become {_named(new)}")
    return reasons


def _named(distribution: Distribution | None) -> str:
    return f"{distribution.version} ({distribution.source})" if distribution else "unknown ones"

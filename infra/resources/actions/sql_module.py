"""What a SqlModule's verbs do in its database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import RefusedError
from infra.modules.decision import Lifecycle, Step
from infra.postgres.apply import preview as previews
from infra.postgres.apply import runner
from infra.postgres.connection.session import Session
from infra.resources.base import target_of
from infra.resources.console import logger

if TYPE_CHECKING:
    from infra.modules.decision import Digests
    from infra.modules.module import Module
    from infra.resources.base import Properties


def preview_of(props: Properties, module: Module, digests: Digests) -> tuple[str, str]:
    """Return the step that a run would take and the drift, '' for none; raises RefusedError where it would refuse."""
    found = previews.preview(_session(props), module, digests)
    if found.refused:
        raise RefusedError(found.refused)
    return found.change, found.drift


def show(props: Properties, text: str) -> None:
    """Show a text at the module."""
    _session(props).tell(text)


def apply_module(props: Properties, module: Module, digests: Digests, *, verify: bool) -> str:
    """Apply the module and return the outcome; with `verify` its objects are compared first."""
    applied = runner.apply(_session(props), module, digests, check_drift=verify)
    return (Step.UNCHANGED if applied.step is Step.REFORMATTED else applied.step).value


def read_drift(props: Properties) -> str | None:
    """Return how the module's objects differ from the live catalog, '' for not at all, None where it is not applied."""
    return previews.detect_drift(_session(props), props["module"])


def retire_removed(props: Properties) -> None:
    """Retain or drop what a module without a file made, and report which."""
    session = _session(props)
    session.tell(f"{props['module']} was removed: {runner.retire(session, props['module'])}")


def _session(props: Properties) -> Session:
    shared: Properties = json.loads(props["session"])
    migrator, admin = shared["migrator"], shared["admin"]
    return Session(
        target=target_of(shared, migrator["user"], migrator["password"]),
        admin=target_of(shared, admin["user"], admin["password"]),
        owner=shared["owner"],
        stack=shared["stack"],
        lifecycle=Lifecycle(props["lifecycle"]),
        directory=str(Path(props["path"]).parent),
        allowed=tuple(shared["allowed"]),
        roles=tuple(shared["roles"]),
        extensions=tuple(shared["extensions"]),
        lock_timeout=shared["lock_timeout"],
        statement_timeout=shared["statement_timeout"],
        wait=shared["wait"],
        tell=logger(shared["stack"], "SqlModule", f"{props['database']}-{props['module']}"),
    )

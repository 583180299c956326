"""Finds environments that nobody wants any more, expired or without a stack, and says why it keeps the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import psycopg

from infra.check.stack_files import settings_of_stack
from infra.environments.lifecycle import remove_environment
from infra.environments.lifetime import remaining
from infra.environments.pulumi_stacks import PulumiStacks
from infra.environments.stack_state import GoneServerError, address_of, missing_databases, state_of
from infra.environments.templates import server_of_template
from infra.errors import InfraError
from infra.postgres.connection.connect import connect
from infra.postgres.connection.error_messages import translate_error
from infra.postgres.marks import ChangedMarkError, drop_marked, read_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from infra.environments.pulumi_stacks import EnvironmentStack
    from infra.postgres.connection.target import Target
    from infra.postgres.marks import MarkedObjects


@dataclass(frozen=True)
class Swept:
    """What was found of one environment, whether it goes, and the reason for either."""

    what: str
    removed: bool
    reason: str
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"failed   {self.what}: {self.problem}"
        return f"{'removed' if self.removed else 'kept':8} {self.what}: {self.reason}"


def judge_stack(found: EnvironmentStack, now: datetime, gone: bool) -> Swept:  # noqa: FBT001 (a pure table)
    """Return whether the stack of an environment goes; `gone` is whether its server has none of its databases."""
    what = f"stack {found.stack}"
    if found.expires is None:
        return Swept(what, removed=False, reason="it has no expiry")
    expiry = remaining(found.expires, now)
    if found.expires <= now:
        return Swept(what, removed=True, reason=f"it expired {expiry}")
    if gone:
        return Swept(what, removed=True, reason="its databases are gone")
    return Swept(what, removed=False, reason=f"it expires {expiry}")


def judge_marked(found: MarkedObjects, *, project: str, stacks: Sequence[str], now: datetime) -> Swept:
    """Return whether databases and roles go that carry the mark of an environment.

    Those whose stack exists go with it. A stack that is not in this backend may be in another one, so what has not
    expired stays.
    """
    mark = found.mark
    what = f"{' '.join(('databases', *found.databases)) if found.databases else 'roles ' + ' '.join(found.roles)}"
    if mark.project != project:
        return Swept(what, removed=False, reason=f"it is of another project, {mark.project}")
    if mark.stack in stacks:
        return Swept(what, removed=False, reason=f"it is of the stack {mark.stack}, which exists")
    expiry = remaining(mark.expires, now)
    if mark.expires > now:
        return Swept(what, removed=False, reason=f"there is no stack {mark.stack} here, but it expires {expiry}")
    return Swept(what, removed=True, reason=f"there is no stack {mark.stack}, and it expired {expiry}")


def sweep_environments(
    root: Path, *, template: str, apply: bool, tell: Callable[[str], None], now: datetime | None = None
) -> list[Swept]:
    """Judge all environments of the project and, with `apply`, remove those that go; return what was found.

    Databases without a stack are looked for on the servers of the environments and of the template. What fails is
    reported, and the rest goes on.
    """
    now = now or datetime.now(timezone.utc)
    stacks = PulumiStacks(root)
    names = stacks.names()
    servers: dict[str, Target] = {}
    swept: list[Swept] = []
    try:
        if server := server_of_template(settings_of_stack(root, template)):
            servers[address_of(server)] = server
    except InfraError as error:
        swept.append(Swept(f"template {template}", removed=False, reason="", problem=str(error)))
    for found in stacks.environments():
        judged = judge_stack(found, now, gone=False)
        try:
            state = state_of(stacks.exported(found.stack))
            missing = missing_databases(found.stack, state, wait=0, tell=tell)
            judged = judge_stack(found, now, gone=bool(state.databases) and missing == state.databases)
            if state.target and not state.is_own:
                servers[address_of(state.target)] = state.target
        except InfraError as error:
            if not (judged.removed and isinstance(error, GoneServerError)):  # which `down` waits for, and forgets
                swept.append(replace(judged, removed=False, reason="", problem=str(error)))
                continue
        swept.append(_carried_out(judged, apply, lambda f=found: _remove_unchanged(root, stacks, f, tell)))
    for server in servers.values():
        swept += _sweep_server(server, project=stacks.project, stacks=names, now=now, apply=apply)
    return swept


def _remove_unchanged(root: Path, stacks: PulumiStacks, found: EnvironmentStack, tell: Callable[[str], None]) -> None:
    """Remove the stack of an environment, unless somebody has brought it up since it was judged."""
    current = stacks.find(found.stack)
    if not current or current.expires != found.expires:
        raise ChangedMarkError
    remove_environment(root, stacks, found, tell=tell)


def _sweep_server(server: Target, *, project: str, stacks: Sequence[str], now: datetime, apply: bool) -> list[Swept]:
    try:
        with connect(server, autocommit=True) as connection:
            return [
                _carried_out(
                    judge_marked(found, project=project, stacks=stacks, now=now),
                    apply,
                    lambda f=found: drop_marked(connection, f),
                )
                for found in read_marks(connection)
            ]
    except psycopg.Error as error:
        return [
            Swept(address_of(server), removed=False, reason="", problem=str(translate_error(error, address_of(server))))
        ]


def _carried_out(judged: Swept, apply: bool, act: Callable[[], object]) -> Swept:  # noqa: FBT001
    if not judged.removed or not apply:
        return judged
    try:
        act()
    except ChangedMarkError:
        return Swept(judged.what, removed=False, reason="its mark has just changed")
    except psycopg.Error as error:
        return Swept(judged.what, removed=True, reason="", problem=" ".join(str(error).split()))
    except InfraError as error:
        return Swept(judged.what, removed=True, reason="", problem=str(error))
    return judged

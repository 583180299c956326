"""The session in which modules run, from the text that their resources have of it."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from infra.lazy_module import LazyModule
from infra.modules.decision import Lifecycle
from infra.plan.ledger_rows import stack_name
from infra.postgres.connection.session import LossBackup, Session
from infra.resources.base import target_of
from infra.resources.session_text import SESSION_DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from infra.backup import before_loss
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.resources.base import Properties
    from infra.server.scratch import scratch_provider
else:
    before_loss = LazyModule("infra.backup.before_loss")
    scratch_provider = LazyModule("infra.server.scratch.scratch_provider")

LOSSES = "PLATFORM_POSTGRES_LOSSES"
"""The variable by which `make up` asks before rows are lost: a file in which a run says which those are."""


def session_of_text(
    text: str, lifecycle: str, directory: str, tell: Callable[[str], None], *, formerly: str = ""
) -> Session:
    """Return the session of a database from JSON: address, `admin` and `migrator` with passwords, limits."""
    shared: Properties = {**SESSION_DEFAULTS, **json.loads(text)}
    migrator, admin = shared["migrator"], target_of(shared, shared["admin"]["user"], shared["admin"]["password"])
    return Session(
        target=admin.login(migrator["user"], migrator["password"]),
        admin=admin,
        owner=shared["owner"],
        stack=shared["stack"],
        formerly=formerly,
        beside=shared.get("beside", ""),
        lifecycle=Lifecycle(lifecycle),
        directory=directory,
        migrations=shared.get("migrations", ""),
        allowed=tuple(shared["allowed"]),
        private_schemas=tuple(shared["private_schemas"]),
        roles=tuple(shared["roles"]),
        extensions=tuple(shared["extensions"]),
        lock_timeout=shared["lock_timeout"],
        statement_timeout=shared["statement_timeout"],
        wait=shared["wait"],
        losses="" if shared["allow_loss"] else os.environ.get(LOSSES, ""),
        adopt=bool(shared.get("adopt")),
        seed=shared["seed"],
        tell=tell,
        scratch=partial(_provide_scratch, shared["scratch"]),
        backup=_loss_backup(shared) if "backup" in shared else None,
    )


def _loss_backup(shared: Properties) -> LossBackup:
    folder = Path(shared["backup"]["directory"], stack_name(shared["stack"]))

    def make(session: Session, is_resumed: bool) -> list[str]:  # noqa: FBT001 (as LossBackup declares it)
        keep = 0 if is_resumed else shared["backup"]["keep"]
        return before_loss.back_up_before_loss(session, folder, keep=keep, source=shared.get("scratch", {}))

    return LossBackup(str(folder), make)


def _provide_scratch(source: Mapping[str, str], session: Session) -> AbstractContextManager[ScratchTarget]:
    return scratch_provider.scratch_provider(source)(session)

"""What a Migrations resource does in its database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.lazy_module import LazyModule
from infra.postgres.apply import planning
from infra.postgres.apply.plan_cache import Unreadable
from infra.resources.actions.session import session_of_text
from infra.resources.base import without
from infra.resources.console import Shown, logger

if TYPE_CHECKING:
    from infra.postgres.apply import runner
    from infra.postgres.connection.session import Session
    from infra.resources.base import Properties
else:
    runner = LazyModule("infra.postgres.apply.runner")


def planned(props: Properties) -> Properties:
    """Return the ids of the revisions that the database is due, and the digest of its plan; {} for none."""
    session = _session(props)
    if not planning.has_pending(session):
        return {}
    looked = planning.look(session, recorded=True, explain=True)
    if isinstance(looked, Unreadable):
        return {}
    revisions = [revision.revision for revision in looked.plan.revisions if revision.revision]
    return {"revisions": revisions, "plan": looked.plan.digest}


def migrate(props: Properties) -> Properties:
    """Run the revisions that the database is due, and return what the state keeps."""
    session = _session(props)
    done = runner.migrate(session)
    if done:
        session.tell(f"migrated to {', '.join(done)}")
    return without(props, "revisions", "plan")


def _session(props: Properties) -> Session:
    stack = json.loads(props["session"])["stack"]
    tell = logger({**props, "stack": stack}, "Migrations", f"{props['database']}-migrations", Shown.INFO)
    return session_of_text(props["session"], props["lifecycle"], props["modules"], tell)

"""What a SeedData resource does in its database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.lazy_module import LazyModule
from infra.postgres.apply import planning
from infra.postgres.apply.plan_cache import Unreadable, cache
from infra.resources.actions.session import session_of_text
from infra.resources.console import Shown, logger

if TYPE_CHECKING:
    from infra.postgres.apply import runner
    from infra.postgres.connection.session import Session
    from infra.resources.base import Properties
else:
    runner = LazyModule("infra.postgres.apply.runner")


def planned(props: Properties) -> Properties:
    """Return the digest of the plan that inserts the rows; {} for none."""
    session = _session(props)
    looked = planning.look(session, recorded=True, explain=False)
    if isinstance(looked, Unreadable):
        return {}
    plan = cache.looked(session.key) or looked.plan  # as it was before the modules ran
    return {"plan": plan.digest} if plan.seed else {}


def insert(props: Properties) -> Properties:
    """Insert the rows that the database is due, and return what the state keeps."""
    session = _session(props)
    if runner.insert_seed(session):
        session.tell(f"the rows of {props['path']} are inserted")
    return props


def _session(props: Properties) -> Session:
    stack = json.loads(props["session"])["stack"]
    tell = logger({**props, "stack": stack}, "SeedData", f"{props['database']}-seed", Shown.INFO)
    return session_of_text(props["session"], props["lifecycle"], props["modules"], tell)

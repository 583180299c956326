"""What a SqlModule's verbs do in its database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from infra.lazy_module import LazyModule
from infra.modules.decision import Step
from infra.postgres.apply import planning
from infra.postgres.apply.live_status import detect_drift
from infra.postgres.apply.plan_cache import Unreadable, cache
from infra.postgres.connection.pool import close_all
from infra.resources.actions.session import session_of_text
from infra.resources.console import logger

if TYPE_CHECKING:
    from infra.modules.module import Module
    from infra.plan.plan import Plan
    from infra.postgres.apply import runner
    from infra.postgres.connection.session import Session
    from infra.resources.base import Properties
else:
    runner = LazyModule("infra.postgres.apply.runner")


_unread: set[str] = set()
"""The databases of which this process has said that it could not look at them; a preview has them in its plan."""


def planned(props: Properties, *, recorded: bool, explain: bool) -> Properties:
    """Return what a run would do with a module, with its drift, and the digest of the plan; {} for nothing.

    The digest is left out where no module of the database was applied before: then there is nothing to lose, and a
    preview may know less than the run.
    """
    session = session_of_module(props)
    if not recorded and not cache.has_looked(session.key):
        return {}
    looked = planning.look(session, recorded=True, explain=explain)
    if isinstance(looked, Unreadable):
        if not explain and session.key not in _unread:
            _unread.add(session.key)
            session.tell(
                f"{session.place}: could not be looked at ({looked.reason}), so that nothing in it is compared"
            )
        return {}
    plan = cache.looked(session.key) or looked.plan  # as it was before revisions and modules ran
    change = change_planned(plan, props["module"])
    if not change:
        return {}
    return {"plan": plan.digest, **({"drift": change} if recorded else {})}


def change_planned(plan: Plan, module: str) -> str:
    """Return what a plan does with a module, and its drift; '' where it is to stay as it is."""
    step = plan.step_of(module)
    if step is None or not step.acts:
        return ""
    return "\n".join([f"{step.step.value}: {step.why}", *map(str, step.drift)])


def apply_module(props: Properties, module: Module, *, recorded: bool) -> str:
    """Do with the module what the plan for its database says, and return the outcome."""
    applied = runner.apply(session_of_module(props), module, recorded=recorded)
    return (Step.UNCHANGED if applied.step is Step.REFORMATTED else applied.step).value


def read_drift(props: Properties) -> str | None:
    """Return how the module's objects differ from the live catalog, '' for not at all, None where it is not applied."""
    return detect_drift(session_of_module(props), props["module"])


def retire_removed(props: Properties) -> None:
    """Retain or drop what a module without a file made, and report which.

    Afterwards no connection is kept: the database may be dropped next, by a resource that knows nothing of this one.
    """
    session = session_of_module(props)
    done = runner.retire(session, props["module"])
    if done:
        session.tell(f"{props['module']} was removed: {done}")
    close_all(session.target.database)


def session_of_module(props: Properties) -> Session:
    """Return the session of a module's properties, which shows messages at the module."""
    tell = logger(
        {**props, "stack": json.loads(props["session"])["stack"]}, "SqlModule", f"{props['database']}-{props['module']}"
    )
    return session_of_text(
        props["session"], props["lifecycle"], str(Path(props["path"]).parent), tell, formerly=props.get("formerly", "")
    )

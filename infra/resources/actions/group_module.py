"""What a GroupModule's verbs do in the databases of its group."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from infra.errors import ClosedError, InfraError
from infra.postgres.apply import runner
from infra.postgres.apply.live_status import detect_drift
from infra.postgres.apply.plan_cache import cache
from infra.postgres.groups.modules import module_order, visits
from infra.resources.actions.groups import GroupConsole, by_text, group_of, in_databases, look_at, named
from infra.resources.actions.sql_module import change_planned
from infra.resources.base import Properties, without
from infra.resources.group_state import active, by_database, by_value, map_of, pending, still_there
from infra.resources.module_provider import module_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.plan.plan import Plan
    from infra.postgres.connection.session import Session
    from infra.postgres.groups.group import GroupSpec

_NOT_STORED = ("databases", "drift", "formerly")


def planned(olds: Properties, inputs: Properties, *, explain: bool) -> Properties:
    """Return what a run would do with a module, equal steps once with their databases, and the digest of their plans.

    It is {} for nothing. Each database is looked at once in this process; those that the last run did not have are
    not, since there is nothing to lose in them, and a preview may know less than the run. `olds` are its inputs.
    """
    group, console = _group_and_console(inputs)
    known = [name for name in active(inputs) if name in olds.get("databases", ())]
    look_at(group, known, console, explain=explain)
    plans = _plans(group, inputs)
    if not plans:
        return {}
    changes = {name: change_planned(plan, inputs["module"]) for name, plan in plans.items() if name in known}
    digest = hashlib.sha256("\n".join(f"{name} {plan.digest}" for name, plan in sorted(plans.items())).encode())
    return {"plan": digest.hexdigest(), **({"drift": by_text(changes)} if changes else {})}


def _plans(group: GroupSpec, props: Properties) -> dict[str, Plan]:
    """Return the plans by database, as this process first made them, that do something with the module."""
    plans = {name: cache.looked(str(group.target(name))) for name in active(props)}
    return {name: plan for name, plan in plans.items() if plan and change_planned(plan, props["module"])}


def apply_module(olds: Properties, news: Properties) -> Properties:
    """Apply the module to the databases that have not got it as it is, and return the properties with what is done."""
    group, console = _group_and_console(news)
    module = module_of(news)
    order = module_order(group.template.directory)
    applied = still_there(olds, news, "applied")
    drifted = map_of(olds, "drift")
    plans = _plans(group, news)
    renamed = news.get("formerly", group.template.stack) != group.template.stack  # each ledger gets the new name
    due = {*pending(olds, news, "applied", news["text_digest"]), *plans, *(applied if renamed else ())}
    visited = [name for name in active(news) if name in due]

    def work(name: str) -> str:
        return visits.apply(group.session(name, console.warn), module, order, recorded=name in applied).value

    steps, failed = in_databases(group, visited, work, console, str)
    for line in by_text(failed):
        console.error(line)
    applied |= dict.fromkeys(steps, str(news["text_digest"]))
    return {
        **without(news, *_NOT_STORED),
        "applied": by_value(applied),
        "failed": failed,
        "drift": {name: text for name, text in drifted.items() if name in failed or name in news["paused"]},
        "outcome": _summary(steps, failed, news) if visited or not olds else olds["outcome"],
    }


def read(props: Properties) -> Properties:
    """Return the properties with the drift by database, without the databases that have not got the module."""
    group, console = _group_and_console(props)
    applied = by_database(props["applied"])
    found, failed = in_databases(
        group,
        active(props, applied),
        lambda name: _drift(group.session(name, console.warn), props["module"]),
        console,
        lambda drift: "drifted" if drift else "compared",
    )
    if failed:
        raise InfraError("\n".join(by_text(failed)))
    gone = {name for name, drift in found.items() if drift is None}
    kept = {name: digest for name, digest in applied.items() if name not in gone}
    drift = {name: text for name, text in found.items() if text}
    return {**props, "applied": by_value(kept), "drift": drift}


def _drift(session: Session, module: str) -> str | None:
    """Return what `detect_drift` does, '' for a database that lets nobody in, which the group's own drift says."""
    try:
        return detect_drift(session, module)
    except ClosedError:
        return ""


def retire(props: Properties) -> None:
    """Retain or drop what a module without a file made, and report which; raises InfraError where that failed."""
    group, console = _group_and_console(props)
    done, failed = in_databases(
        group,
        active(props, by_database(props["applied"])),
        lambda name: runner.retire(group.session(name, console.warn), props["module"]).replace(
            f"database {name}", "the database"
        ),
        console,
        lambda _: "retired",
    )
    for line in by_text({name: text for name, text in done.items() if text}):
        console.warn(f"{props['module']} was removed: {line}")
    if failed:
        raise InfraError("\n".join(by_text(failed)))


def _group_and_console(props: Properties) -> tuple[GroupSpec, GroupConsole]:
    group = group_of(props)
    return group, GroupConsole(group, "GroupModule", f"{group.name}-{props['module']}")


def _summary(steps: Mapping[str, str], failed: Mapping[str, str], news: Properties) -> str:
    """Return what was done in one line: `apply: 1, unchanged: 98, failed: 1 (tenants_057)`."""
    counts = Counter(steps.values())
    counts["unchanged"] += len(active(news)) - len(steps) - len(failed)
    parts = [f"{step}: {count}" for step, count in counts.items() if count]
    return ", ".join([*parts, f"failed: {len(failed)} ({named(failed)})"] if failed else parts) or "no database"

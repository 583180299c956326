"""What a GroupMigrations resource does in the databases of its group."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from infra.modules.decision import Lifecycle
from infra.postgres.apply import runner
from infra.postgres.apply.plan_cache import cache
from infra.postgres.groups.modules import visits
from infra.resources.actions.groups import GroupConsole, by_text, group_of, in_databases, look_at, named
from infra.resources.base import Properties, without
from infra.resources.group_state import active, by_value, pending, still_there

if TYPE_CHECKING:
    from infra.plan.plan import Plan
    from infra.postgres.groups.group import GroupSpec

_NOT_STORED = ("databases", "revisions", "plan", "formerly")


def planned(olds: Properties, inputs: Properties, *, explain: bool) -> Properties:
    """Return the revisions that databases are due, equal ones once, and the digest of their plans; {} for none.

    Those that the last run did not have are not looked at: new ones are made by their modules. `olds` are its inputs.
    """
    group, console = _group_and_console(inputs)
    look_at(group, [name for name in active(inputs) if name in olds.get("databases", ())], console, explain=explain)
    plans = _plans(group, inputs)
    if not plans:
        return {}
    due = {name: ", ".join(filter(None, (step.revision for step in plan.revisions))) for name, plan in plans.items()}
    digest = hashlib.sha256("\n".join(f"{name} {plan.digest}" for name, plan in sorted(plans.items())).encode())
    return {"revisions": by_text(due), "plan": digest.hexdigest()}


def migrate(olds: Properties, news: Properties) -> Properties:
    """Run the revisions that databases are due, and return the properties with what is done.

    The modules wait in a database where that failed.
    """
    group, console = _group_and_console(news)
    to_do = {*pending(olds, news, "migrated", news["head"]), *_plans(group, news)}
    names = [name for name in active(news) if name in to_do]

    def work(name: str) -> list[str]:
        return runner.migrate(group.session(name, console.warn))

    visited = [name for name in names if _may_be_due(group, name)]
    done, failed = in_databases(
        group, visited, work, console, lambda revisions: "migrated" if revisions else "at the end"
    )
    for name in failed:
        visits.hold(group.session(name, console.warn), f"waits for the revisions up to {news['head']}")
    for line in by_text(failed):
        console.error(line)
    ran = {name: ", ".join(revisions) for name, revisions in done.items() if revisions}
    for line in by_text({name: f"migrated to {revisions}" for name, revisions in ran.items()}):
        console.info(line)
    migrated = {**still_there(olds, news, "migrated"), **{name: news["head"] for name in names if name not in failed}}
    outcome = [f"migrated: {len(ran)}"] * bool(ran) + [f"failed: {len(failed)} ({named(failed)})"] * bool(failed)
    return {
        **without(news, *_NOT_STORED),
        "migrated": by_value(migrated),
        "failed": failed,
        "outcome": ", ".join(outcome) or "nothing to do",
    }


def _may_be_due(group: GroupSpec, database: str) -> bool:
    """Return whether a database has to be asked; an ephemeral one rebuilds, a clone has what the modules make."""
    is_persistent = group.template.lifecycle is Lifecycle.PERSISTENT
    return is_persistent and not visits.has_all(group.session(database, group.template.tell))


def _plans(group: GroupSpec, props: Properties) -> dict[str, Plan]:
    """Return the plans by database, as this process first made them, that have revisions."""
    plans = {name: cache.looked(str(group.target(name))) for name in active(props)}
    return {name: plan for name, plan in plans.items() if plan and plan.revisions}


def _group_and_console(props: Properties) -> tuple[GroupSpec, GroupConsole]:
    group = group_of(props)
    return group, GroupConsole(group, "GroupMigrations", f"{group.name}-migrations")

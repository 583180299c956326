"""What a GroupSeed resource does in the databases of its group."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from infra.postgres.apply import runner
from infra.postgres.apply.plan_cache import cache
from infra.postgres.groups.templates import drop_templates
from infra.resources.actions.groups import GroupConsole, by_text, group_of, in_databases, look_at, named
from infra.resources.base import Properties, without
from infra.resources.group_state import active, by_value, pending, still_there

if TYPE_CHECKING:
    from infra.plan.plan import Plan
    from infra.postgres.groups.group import GroupSpec


def planned(olds: Properties, inputs: Properties) -> Properties:
    """Return the digest of the plans that insert the rows; {} for none.

    Databases that the last run did not have are not looked at: they get the rows. `olds` are its inputs.
    """
    group, console = _group_and_console(inputs)
    look_at(group, [name for name in active(inputs) if name in olds.get("databases", ())], console, explain=False)
    plans = _plans(group, inputs)
    digest = hashlib.sha256("\n".join(f"{name} {plan.digest}" for name, plan in sorted(plans.items())).encode())
    return {"plan": digest.hexdigest()} if plans else {}


def insert(olds: Properties, news: Properties) -> Properties:
    """Insert the rows where databases are due them, and return the properties with what is done."""
    group, console = _group_and_console(news)
    if olds and olds["digest"] != news["digest"]:
        drop_templates(group)  # they have the rows as they were
    to_do = {*pending(olds, news, "seeded", news["digest"]), *_plans(group, news)}

    def work(name: str) -> bool:
        return runner.insert_seed(group.session(name, console.warn))

    done, failed = in_databases(
        group,
        [name for name in active(news) if name in to_do],
        work,
        console,
        lambda inserted: "inserted" if inserted else "there",
    )
    for line in by_text(failed):
        console.error(line)
    count = sum(done.values())
    outcome = [f"inserted: {count}"] * bool(count) + [f"failed: {len(failed)} ({named(failed)})"] * bool(failed)
    seeded = {name: digest for name, digest in still_there(olds, news, "seeded").items() if name not in failed}
    return {
        **without(news, "databases"),
        "seeded": by_value({**seeded, **dict.fromkeys(done, str(news["digest"]))}),
        "failed": failed,
        "outcome": ", ".join(outcome) or "nothing to do",
    }


def _plans(group: GroupSpec, props: Properties) -> dict[str, Plan]:
    """Return the plans by database, as this process first made them, that insert the rows."""
    plans = {name: cache.looked(str(group.target(name))) for name in active(props)}
    return {name: plan for name, plan in plans.items() if plan and plan.seed}


def _group_and_console(props: Properties) -> tuple[GroupSpec, GroupConsole]:
    group = group_of(props)
    return group, GroupConsole(group, "GroupSeed", f"{group.name}-seed")

"""What the resources of a group share: the group that their properties describe, and work in its databases."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from infra.postgres.apply import planning
from infra.postgres.apply.plan_cache import cache
from infra.postgres.groups.group import GroupSpec
from infra.postgres.groups.parallel import cancelled, carry_out, parallel_databases
from infra.resources.actions.session import session_of_text
from infra.resources.base import text_of
from infra.resources.console import Shown, logger
from infra.sdk_tuning import call_when_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from infra.resources.base import Properties

_Result = TypeVar("_Result")

NAMES_SHOWN = 3

call_when_cancelled(cancelled.set)


def group_of(props: Properties) -> GroupSpec:
    """Return the group that a resource's properties describe."""
    text, path = props["session"], props.get("path")
    directory = str(Path(path).parent) if path else props.get("directory", "")
    formerly = props.get("formerly", "")
    template = session_of_text(text, props["lifecycle"], directory, lambda _: None, formerly=formerly)
    further: Properties = json.loads(text)
    return GroupSpec(
        props["group"],
        template,
        further["key"],
        props["shared"],
        further["connections"],
        further.get("further_roles", {}),
    )


class GroupConsole:
    """Shows messages at one of a group's resources."""

    def __init__(self, group: GroupSpec, kind: str, name: str) -> None:
        of = {"stack": group.template.stack}
        self.status, self.info, self.warn, self.error = (logger(of, kind, name, shown) for shown in Shown)


def in_databases(
    group: GroupSpec,
    databases: Sequence[str],
    work: Callable[[str], _Result],
    console: GroupConsole,
    describe: Callable[[_Result], str],
) -> tuple[dict[str, _Result], dict[str, str]]:
    """Do the work in each database, and return the results and the texts of the errors, by database."""
    if not databases:
        return {}, {}
    parallel = parallel_databases(group.admin, group.connections)
    outcomes = carry_out(databases, work, parallel=parallel, tell=console.status, describe=describe)
    failed = {name: text_of(done.error) for name, done in outcomes.items() if done.error}
    results: dict[str, _Result] = {name: done.result for name, done in outcomes.items() if not done.error}  # pyright: ignore[reportAssignmentType] (no error)
    return results, failed


def look_at(group: GroupSpec, databases: Sequence[str], console: GroupConsole, *, explain: bool) -> None:
    """Make the plans of databases that this process has not looked at yet."""
    unseen = [name for name in databases if not cache.has_looked(str(group.target(name)))]
    files = planning.files_of(group.template) if unseen else None
    in_databases(
        group,
        unseen,
        lambda name: planning.look(group.session(name, console.warn), recorded=True, explain=explain, files=files),
        console,
        lambda _: "compared",
    )


def by_text(texts: Mapping[str, str]) -> list[str]:
    """Return texts by database as lines, equal ones as one: `40 databases (a, b, c and 37 more): rebuild …`."""
    databases: defaultdict[str, list[str]] = defaultdict(list)
    for database, text in texts.items():
        databases[text].append(database)
    return [f"{named(names)}: {text}" for text, names in databases.items()]


def named(databases: Iterable[str]) -> str:
    """Return the names of databases, from the fourth on their number."""
    names = list(databases)
    if len(names) <= NAMES_SHOWN:
        return ", ".join(names)
    return f"{len(names)} databases ({', '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more)"

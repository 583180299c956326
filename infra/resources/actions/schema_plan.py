"""What SchemaPlan shows of the plans for a stack's databases."""

from __future__ import annotations

import hashlib
import os
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.modules.decision import Lifecycle
from infra.plan.refusal import missing_sql
from infra.plan.rendering import PlannedDatabase, plan_as_text, verdict_of
from infra.postgres.apply import losses, planning
from infra.postgres.apply.plan_cache import Unreadable, cache
from infra.resources.actions.groups import named
from infra.resources.actions.session import session_of_text
from infra.resources.console import Shown, logger

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from infra.resources.base import Properties

MISSING_SQL = "PLATFORM_POSTGRES_MISSING_SQL"
"""The variable with the file to which a preview writes the SQL of what databases lack; make sets it on request."""


def show(
    olds: Properties,
    props: Properties,
    sessions: Properties,
    *,
    strict: bool | None,
    adopted: Collection[str],
    given_up: Collection[str] = (),
) -> list[str]:
    """Print the plans of databases in a preview, and return why it has to fail, [] where it has not.

    `olds` are the properties in the state, {} before the first run; a database in them was made, and is dropped when it
    is gone from the settings and not `adopted`. With `strict`, or in CI where that is not set, such a database that
    cannot be looked at is a reason to fail. So is one that is dropped with rows, and not `given_up`, while another is
    new: its name was changed, and no row would follow.
    """
    strict = os.environ.get("CI") == "true" if strict is None else strict
    made = olds.get("databases", [])
    databases = [
        _planned_database(name, sessions[name], props, olds.get("stack", ""), recorded=name in made)
        for name in props["databases"]
        if name in sessions and props["look"]
    ]
    if props["look"]:
        removed = [name for name in made if name not in {*props["databases"], *adopted}]
        databases += [_removed_database(name, next(iter(sessions.values()), ""), props) for name in removed]
    _write_missing_sql(databases)
    verdict = verdict_of(databases)
    text = plan_as_text(databases, _changed_lines(olds.get("texts"), props["texts"]))
    if verdict.level == "refused":
        return [text]
    new = [name for name in props["databases"] if made and name not in made]
    renamed = _refused_renames([found for found in databases if found.database not in given_up], new)
    if renamed:
        return [text, *renamed]
    if text:
        logger(props, "SchemaPlan", "schema-plan", Shown.WARNING if verdict.level == "loss" else Shown.INFO)(text)
    return [
        f"database {database.database}: could not be looked at ({database.problem}); see to it, or set modules.strict "
        "to false"
        for database in databases
        if strict and database.problem and not database.is_new and not database.is_removed
    ]


def _write_missing_sql(databases: Sequence[PlannedDatabase]) -> None:
    """Write the SQL of what databases lack to the file that was asked for, if one was."""
    file = os.environ.get(MISSING_SQL)
    if not file:
        return
    lines: list[str] = []
    for found in databases:
        statements = missing_sql(found.plan) if found.plan else []
        state = "a draft, to be checked" if statements else found.problem or "it lacks nothing that has a draft"
        lines += [f"-- database {found.database}: {state}", *statements, ""]
    Path(file).write_text("\n".join(lines), encoding="utf-8")


def _refused_renames(databases: Sequence[PlannedDatabase], new: Sequence[str]) -> list[str]:
    """Return why databases may not be dropped in the run that creates `new` ones."""
    return [
        f"database {found.database}: would be dropped with its rows, and none of them is moved to {named(new)}, which "
        f"would be new; keep {found.database} in the settings, run `up`, copy what is needed, and take it out then; "
        "or, to drop it with its rows, name it in drop_databases"
        for found in databases
        if new and found.is_removed and (found.rows or found.problem)
    ]


def digest() -> str:
    """Return the digest of the plans that this process made when it first looked, '' for none."""
    digests = cache.digests()
    return hashlib.sha256("\n".join(digests).encode()).hexdigest() if digests else ""


def _changed_lines(olds: Mapping[str, str] | None, news: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the changed lines of each module's text, with one line around them; {} before the first run."""
    if olds is None:
        return {}
    return {
        name: list(unified_diff(olds[name].splitlines(), text.splitlines(), lineterm="", n=1))[2:]
        for name, text in sorted(news.items())
        if name in olds and olds[name] != text
    }


def _planned_database(database: str, text: str, props: Properties, formerly: str, *, recorded: bool) -> PlannedDatabase:
    lifecycle = props["lifecycle"]
    session = session_of_text(text, lifecycle, props["directory"], lambda _: None, formerly=formerly)
    planned = planning.look(session, recorded=recorded, explain=True)
    if isinstance(planned, Unreadable):
        return PlannedDatabase(
            database, Lifecycle(lifecycle), problem=planned.reason, is_new=planned.is_missing and not recorded
        )
    rows, values = losses.rows_at_risk(session, planned), losses.values_at_risk(session, planned)
    found = [identity for identity in planned.status.unmanaged(session.allowed) if identity not in planned.explained]
    unmanaged = planned.status.in_sentences(found)
    return PlannedDatabase(database, Lifecycle(lifecycle), planned.plan, rows, values, unmanaged)


def _removed_database(database: str, text: str, props: Properties) -> PlannedDatabase:
    """Return what is lost with a database that is gone from the settings; `text` is the session of another one."""
    lifecycle = Lifecycle(props["lifecycle"])
    if not text:
        return PlannedDatabase(database, lifecycle, is_removed=True, problem="no other database leads to its server")
    admin = session_of_text(text, props["lifecycle"], props["directory"], lambda _: None).admin
    try:
        return PlannedDatabase(database, lifecycle, rows=losses.rows_of_database(admin.on(database)), is_removed=True)
    except InfraError as error:
        return PlannedDatabase(database, lifecycle, is_removed=True, problem=str(error).splitlines()[0])

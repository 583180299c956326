"""The state of a stack at a glance: server, databases, modules applied and pending, drift; Pulumi is not asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import psycopg

from infra.check import stack_files
from infra.check.live_facts import DatabaseFacts, StackFacts
from infra.check.sent_statements import sent_statements
from infra.errors import InfraError
from infra.modules.module import load_modules
from infra.modules.module_file import ModuleFile
from infra.plan.folding import fold_findings
from infra.plan.ledger_rows import ORPHANED
from infra.plan.planner import plan_database
from infra.plan.rendering import PlannedDatabase, plan_as_text
from infra.postgres.apply.live_status import connect_to_look, read_status
from infra.postgres.apply.losses import rows_at_risk
from infra.postgres.apply.making import planned_revisions
from infra.postgres.apply.plan_cache import PlanInProgress
from infra.postgres.apply.revisions import due_revisions
from infra.postgres.connection.error_messages import translate_error
from infra.postgres.connection.session import Session
from infra.postgres.introspection.table_sizes import read_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from infra.postgres.connection.target import Target
    from infra.settings.model import Settings


_OWNER = """
SELECT rolname::text FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba
WHERE datname = pg_catalog.current_database()
"""


def stack_status(root: Path, stack: str) -> list[str]:
    """Return the lines of `make status`: the stack, each database with its modules, and what `up` would do.

    A step that has to be proved on scratch databases is shown as if the proof succeeded. Raises InfraError for a stack
    that does not exist or has no file with connection strings, and for modules that cannot be read.
    """
    settings = stack_files.settings_of_stack(root, stack)
    files = [ModuleFile(module) for module in load_modules(root / settings.modules.directory)]
    sessions = _sessions(root, stack, settings)
    paused = {name for group in settings.groups for name in group.paused}
    databases = [_planned(session, files) for session in sessions if session.target.database not in paused]
    server, lifecycle = sessions[0].target, settings.lifecycle.value
    kind = settings.server.kind
    text = plan_as_text([planned for planned, _ in databases], {})
    unread = list(_unread_groups(settings, [session.target.database for session in sessions]))
    clean = "nothing to do" + (" in what was looked at" if unread else ": `up` would change no database")
    return [
        f"stack {stack} ({lifecycle}), {kind} server at {server.host}:{server.port}",
        *(f"  {planned.database}: {line}" for planned, line in databases),
        *unread,
        text or clean,
    ]


def _unread_groups(settings: Settings, read: Sequence[str]) -> Iterator[str]:
    """Yield a line for each group of whose databases some are paused, or have no connection string in the file."""
    for group in settings.groups:
        unread = [name for name in group.databases if name not in read and name not in group.paused]
        if group.paused:
            yield f"  group {group.group}: paused {', '.join(group.paused)}"
        if unread:
            number, them = (f"{len(unread)} databases", "them") if len(unread) > 1 else ("1 database", "it")
            seed = f", with {'their seeds' if len(unread) > 1 else 'its seed'}" if group.seed else ""
            yield f"  group {group.group}: {number} not looked at: `make preview` plans {them}{seed}"


def stack_facts(root: Path, stack: str) -> StackFacts:
    """Return what a review takes from the databases of a stack; raises InfraError as stack_status does."""
    sessions = _sessions(root, stack, stack_files.settings_of_stack(root, stack))
    time = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M")
    try:
        senders = {target.database: target for target in stack_files.targets(root, stack, "app")}
    except InfraError:  # the stack has no such role
        senders = {}
    databases = (session.target.database for session in sessions)
    live = {name: _live(session, senders.get(name)) for name, session in zip(databases, sessions, strict=True)}
    return StackFacts(stack, time, live)


def _sessions(root: Path, stack: str, settings: Settings) -> list[Session]:
    """Return a session for each database of a stack."""
    migrations = str(root / settings.modules.migrations) if settings.modules.migrations else ""
    return [
        Session(
            target=target,
            admin=target,
            owner="",
            stack=stack_files.program_of_stack(root, stack),
            lifecycle=settings.lifecycle,
            directory=str(root / settings.modules.directory),
            migrations=migrations,
            allowed=settings.modules.unmanaged,
            seed=str(root / settings.seeds[target.database]) if target.database in settings.seeds else "",
        )
        for target in stack_files.targets(root, stack, "migrator")
    ]


def _live(session: Session, sender: Target | None) -> DatabaseFacts:
    try:
        with connect_to_look(session.target) as connection:
            status = read_status(connection, session.program)
            tables = (identity.name for identity in status.catalog.objects if identity.kind == "table")
            sizes = read_sizes(connection, tables)
        statements = sent_statements(sender) if sender else ()
    except (psycopg.OperationalError, InfraError) as error:
        return DatabaseFacts(problem=_reason(error, session))
    drift = [
        line for module in status.entries for line in fold_findings(status.drift(module)) if not line.startswith(" ")
    ]
    unmanaged = status.in_sentences(status.unmanaged(session.allowed))
    return DatabaseFacts(sizes, tuple(drift), unmanaged, statements=statements)


def _reason(error: psycopg.OperationalError | InfraError, session: Session) -> str:
    database = f"database {session.target.database}"
    return str(error if isinstance(error, InfraError) else translate_error(error, database))


def _planned(session: Session, files: list[ModuleFile]) -> tuple[PlannedDatabase, str]:
    """Return what `up` would do with a database, and in a line what it has."""
    target, lifecycle, allowed = session.target, session.lifecycle, session.allowed
    try:
        with connect_to_look(target) as connection:
            status = read_status(connection, session.program)
            owner = str((connection.execute(_OWNER).fetchone() or ("",))[0])
            version = connection.info.parameter_status("server_version") or ""
            revisions = planned_revisions(due_revisions(connection, session))
        plan = plan_database(
            files, status, lifecycle, allowed=allowed, recorded=True, revisions=revisions, seed=session.read_seed()
        )
        rows = rows_at_risk(replace(session, owner=owner), PlanInProgress(plan, status, files, None))
    except (psycopg.OperationalError, InfraError) as error:
        return PlannedDatabase(target.database, lifecycle, problem=_reason(error, session)), "could not be looked at"
    applied = sum(entry.outcome != ORPHANED for entry in status.entries.values())
    unmanaged = status.in_sentences(status.unmanaged(allowed))
    line = f"{applied} of {len(files)} modules applied, PostgreSQL {version}"
    return PlannedDatabase(target.database, lifecycle, plan, rows, unmanaged=unmanaged), line

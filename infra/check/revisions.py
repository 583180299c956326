"""Compares the revisions of existing databases with the modules: both have to lead to the same schema, and back."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from infra.catalog.catalog import STRUCTURE, Catalog
from infra.catalog.difference import differences
from infra.check.codes import CHECK_CODES
from infra.check.released import unreleased_revisions
from infra.check.row_proof import prove_with_rows
from infra.errors import InfraError, ModuleError
from infra.findings.finding import Finding, Place
from infra.migrations.history import LOCK_FILE, file_digests, is_revision, read_history
from infra.migrations.order import order_of_files
from infra.migrations.revision_sql import RevisionRefusalError, downgrade_sql, upgrade_sql
from infra.plan.folding import explained_findings
from infra.postgres.apply.revision_effects import build_revisions, run_revision
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection import pool
from infra.postgres.introspection.reader import read_catalog
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.catalog.difference import Difference
    from infra.migrations.history import History, Revision
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.server.scratch.scratch_server import ScratchServer

_LOCKED = "take the edit back; a revision that no database has run yet is locked by `python -m infra revision --lock`"
_WRITE = 'write a revision: `make revision M="what changes"`'
_RESTORE = 'correct it, or have it refuse by name: `raise CommandError("…")`'


def lock_findings(directory: str) -> list[Finding]:
    """Compare the files of a folder of revisions with its lock file, which has their order and digests."""
    history = read_history(directory)
    if history is None:
        return []
    versions = sorted(f"versions/{path.name}" for path in Path(directory, "versions").glob("[!_]*.py"))
    locked = [name for name in history.digests if is_revision(name)]
    current = file_digests(directory, [*locked, *(name for name in versions if name not in locked)])
    findings: list[Finding] = []
    for name in sorted({*current, *history.digests}):
        if current.get(name, "") == history.digests.get(name):
            continue
        what = "is not in" if name not in history.digests else "is gone, and is in" if not current.get(name) else ""
        message = f"{directory}/{name} {what or 'differs from'} {LOCK_FILE}"
        findings.append(_finding("C131", Place(f"{directory}/{name}"), message, _LOCKED))
    return findings or _order_findings(directory, locked)


def _order_findings(directory: str, locked: list[str]) -> list[Finding]:
    """Compare the order of the lock file with that which the files say."""
    try:
        found = order_of_files(directory)
    except InfraError as error:
        return [_finding("C133", Place(error.place), f"{directory}/ {error.what}", error.remedy)]
    if found == locked:
        return []
    message = f"{LOCK_FILE} has another order than the files say: {', '.join(found)}"
    place = Place(f"{directory}/{LOCK_FILE}")
    return [_finding("C133", place, message, "write it again by `python -m infra revision --lock`")]


def revision_findings(directory: str, server: ScratchServer, given: Iterable[str], catalog: Catalog) -> list[Finding]:
    """Run the baseline and all revisions on a scratch database, compare it with the modules, and undo the revisions."""
    history = read_history(directory)
    if history is None:
        return []
    given = list(given)
    place = Place(history.revisions[-1].path)
    with server.database(given) as scratch, pool.connection(scratch.target) as connection:
        try:
            catalogs = _run_all(connection, scratch, history)
        except ModuleError as error:
            place = Place.at(error.at) if error.at else place
            return [_finding("C132", place, f"a revision does not run: {error.what}", "correct the statement")]
        found = differences(catalog.structure(), catalogs[-1].structure())
        lines = explained_findings(found, "(- by the modules, + by the revisions)")
        undone, findings = _undo(connection, scratch, history.revisions, catalogs)
    while undone:  # the database is not like any revision now: those before are undone in another one
        with server.database(given) as scratch, pool.connection(scratch.target) as connection:
            revisions = history.revisions[:undone]
            build_revisions(connection, scratch, history, revisions[1:], seconds=MODULE_SECONDS)
            undone, more = _undo(connection, scratch, revisions, catalogs)
            findings += more
    message = "the revisions do not lead to what the modules make"
    findings = [*([_finding("C132", place, message, _WRITE, lines)] if lines else []), *findings]
    return findings or _row_findings(server, given, history)


def _row_findings(server: ScratchServer, given: list[str], history: History) -> list[Finding]:
    """Run the revisions that are not released yet where tables have rows."""
    findings: list[Finding] = []
    for revision in unreleased_revisions(history):
        before = history.revisions[1 : history.positions[revision.revision]]
        with ExitStack() as stack:

            def fresh(before: tuple[Revision, ...] = before, stack: ExitStack = stack) -> ScratchTarget:
                scratch = stack.enter_context(server.database(given))
                with pool.connection(scratch.target) as connection:
                    build_revisions(connection, scratch, history, before, seconds=MODULE_SECONDS)
                return scratch

            findings += prove_with_rows(revision, fresh).findings
    return findings


def _run_all(connection: Connection, scratch: ScratchTarget, history: History) -> list[Catalog]:
    """Run the baseline and all revisions, and return the catalog after each; raises ModuleError."""
    build_revisions(connection, scratch, history, (), seconds=MODULE_SECONDS)
    catalogs = [revision_catalog(connection, scratch)]
    for revision in upgrade_sql(history.revisions[1:]):
        run_revision(connection, scratch, revision, seconds=MODULE_SECONDS)
        catalogs.append(revision_catalog(connection, scratch))
    return catalogs


def _undo(
    connection: Connection, scratch: ScratchTarget, revisions: tuple[Revision, ...], catalogs: list[Catalog]
) -> tuple[int, list[Finding]]:
    """Undo revisions from the last one, and compare the catalog after each with that before it.

    Stops at one that is not undone, and returns the number of revisions before it, 0 where all were undone.
    """
    for position in range(len(revisions) - 1, 0, -1):
        revision = revisions[position]
        try:
            run_revision(connection, scratch, downgrade_sql(revision), seconds=MODULE_SECONDS)
        except RevisionRefusalError:
            return position, []
        except ModuleError as error:
            place = Place.at(error.at) if error.at else Place(revision.path)
            return position, [_finding("C134", place, f"a downgrade does not run: {error.what}", _RESTORE)]
        found = schema_differences(catalogs[position - 1], revision_catalog(connection, scratch))
        lines = explained_findings(found, "(- before the upgrade, + after its downgrade)")
        if lines:
            message = "after its downgrade the schema is another one than before its upgrade"
            return position, [_finding("C134", Place(revision.path), message, _RESTORE, lines)]
    return 0, []


def revision_catalog(connection: Connection, scratch: ScratchTarget) -> Catalog:
    """Return what a revision has to bring about: the structure, and privileges, but for those of what comes later.

    It has the order of columns, which is that of a new table.
    """
    found = catalog_with_real_names(scratch, read_catalog(connection)).of(*STRUCTURE, "privileges", "column order")
    return Catalog({key: text for key, text in found.objects.items() if not key.name.startswith("future ")})


def schema_differences(expected: Catalog, found: Catalog) -> list[Difference]:
    """Compare two such catalogs; the columns of a table may have another order, since added ones are the last."""
    return [
        difference
        for difference in differences(expected, found)
        if difference.identity.kind != "column order" or difference.verdict != "different"
    ]


def _finding(code: str, place: Place, message: str, remedy: str, detail: Iterable[str] = ()) -> Finding:
    return Finding(code, CHECK_CODES[code].severity, place, message, remedy, tuple(detail))

"""Compares the revisions of existing databases with the modules: both have to lead to the same schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.catalog.difference import differences
from infra.check.codes import CHECK_CODES
from infra.errors import ModuleError
from infra.findings.finding import Finding, Place
from infra.migrations.history import LOCK_FILE, file_digests, is_revision, read_history
from infra.plan.folding import fold_findings
from infra.postgres.apply.revision_effects import build_revisions
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection import pool
from infra.postgres.introspection.reader import read_catalog
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.catalog.catalog import Catalog
    from infra.server.scratch.scratch_server import ScratchServer

_LOCKED = "take the edit back; a revision that no database has run yet is locked by `python -m infra revision --lock`"
_WRITE = 'write a revision: `make revision M="what changes"`'


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
        findings.append(Finding("C131", CHECK_CODES["C131"].severity, Place(f"{directory}/{name}"), message, _LOCKED))
    return findings


def revision_findings(directory: str, server: ScratchServer, given: Iterable[str], catalog: Catalog) -> list[Finding]:
    """Run the baseline and all revisions on a scratch database, and compare it with what the modules create."""
    history = read_history(directory)
    if history is None:
        return []
    severity, place = CHECK_CODES["C132"].severity, Place(history.revisions[-1].path)
    with server.database(given) as scratch, pool.connection(scratch.target) as connection:
        try:
            build_revisions(connection, scratch, history, history.revisions[1:], seconds=MODULE_SECONDS)
        except ModuleError as error:
            place = Place.at(error.at) if error.at else place
            return [Finding("C132", severity, place, f"a revision does not run: {error.what}", "correct the statement")]
        found = catalog_with_real_names(scratch, read_catalog(connection))
    lines = fold_findings(differences(catalog.structure(), found.structure()))
    if not lines:
        return []
    return [
        Finding("C132", severity, place, "the revisions do not lead to what the modules make", _WRITE, tuple(lines))
    ]

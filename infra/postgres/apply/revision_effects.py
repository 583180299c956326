"""What revisions do to a catalog, found by running them on a scratch database that begins as the baseline."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.catalog.catalog import Catalog
from infra.catalog.changes import CatalogChange, catalog_change_between
from infra.errors import ModuleError
from infra.migrations.history import BASELINE_FOLDER
from infra.migrations.revision_sql import upgrade_sql
from infra.modules.module import load_modules
from infra.postgres.apply.measure import Measurement
from infra.postgres.apply.module_effects import run_on_scratch
from infra.postgres.apply.scratch import scratch_on_server
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection import pool
from infra.postgres.introspection.reader import read_catalog

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from infra.hazards.measured import MeasuredStatement
    from infra.migrations.history import History, Revision
    from infra.migrations.revision_sql import RevisionSql
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.session import Session


@dataclass(frozen=True)
class RevisionEffects:
    """What revisions change in a catalog, and what each of their statements does to tables in use, by revision."""

    change: CatalogChange
    measured: Mapping[str, Sequence[MeasuredStatement]]


def effects_of_revisions(session: Session, history: History, pending: Sequence[RevisionSql]) -> RevisionEffects:
    """Return what revisions will do to a database that is at the one before them; raises ModuleError."""
    position = history.positions[pending[0].revision]
    with scratch_of(session) as (connection, scratch):
        build_revisions(connection, scratch, history, history.revisions[1:position], seconds=session.statement_timeout)
        before = catalog_with_real_names(scratch, read_catalog(connection))
        measurement = Measurement(connection, scratch, seconds=session.statement_timeout)
        measured = {revision.revision: measurement.run(revision) for revision in pending}
        after = catalog_with_real_names(scratch, read_catalog(connection))
    return RevisionEffects(catalog_change_between(before, after), measured)


@contextmanager
def scratch_of(session: Session) -> Generator[tuple[Connection, ScratchTarget]]:
    """Yield an empty scratch database like the session's, and a connection to it."""
    provide = session.scratch or scratch_on_server
    with provide(session) as scratch, pool.connection(scratch.target) as connection:
        yield connection, scratch


def build_revisions(
    connection: Connection,
    scratch: ScratchTarget,
    history: History,
    revisions: Sequence[Revision],
    *,
    seconds: float,
) -> None:
    """Run the baseline and the revisions after it in an empty scratch database; raises ModuleError."""
    baseline = f"{history.directory}/{BASELINE_FOLDER}"
    for module in load_modules(Path(baseline), shown_as=baseline):
        run_on_scratch(connection, scratch, module, seconds=seconds)
    for revision in upgrade_sql(revisions):
        run_revision(connection, scratch, revision, seconds=seconds)


def run_revision(connection: Connection, scratch: ScratchTarget, revision: RevisionSql, *, seconds: float) -> None:
    """Run a revision on a scratch database; raises ModuleError with the place in the revision's file."""
    if not revision.statements:
        return
    try:
        run_on_scratch(connection, scratch, revision.module, seconds=seconds)
    except ModuleError as error:
        raise revision.located(error) from None


def changed_catalog(catalog: Catalog, change: CatalogChange) -> Catalog:
    """Return a catalog as it is after a change."""
    objects = {**catalog.objects, **change.objects}
    return Catalog({identity: text for identity, text in objects.items() if text is not None})

"""The whole of `python -m infra check`: which proofs there are, in which order, and what is said in the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from infra.catalog.catalog import NOT_COMPARED
from infra.check import agreement, proofs, second_opinion
from infra.check.by_psql import catalog_by_psql, find_psql
from infra.check.codes import CHECK_CODES
from infra.check.comparing import Declarations, models_and_modules, modules_and_psql
from infra.check.in_models import models_of
from infra.check.in_modules import extensions_of
from infra.check.live import compare_live, read_live
from infra.check.sources import ModelsError, ScratchServer, build_models
from infra.check.stack_files import extensions_of_stacks
from infra.errors import InfraError, ServerError
from infra.findings.finding import Finding, Place
from infra.modules.directive import runs_by_statement
from infra.modules.module import load_modules
from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection import pool
from infra.server.dsn import connect_dsn, parse_dsn
from infra.server.embedded.distribution import locate
from infra.server.scratch.private_server import private_server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from sqlalchemy import MetaData

    from infra.catalog.catalog import Catalog
    from infra.check.comparing import Comparison
    from infra.check.in_models import Models
    from infra.modules.module import Module
    from infra.postgres.connection.target import Target
    from models.table_module import TableModule


@dataclass(frozen=True)
class SchemaSource:
    """Another way to the schema than the modules: how it is built, and how that is compared with what they make."""

    build: Callable[[ScratchServer, MetaData, list[str]], Catalog]
    comparison: Callable[[Declarations], Comparison]


SOURCES = (SchemaSource(build_models, models_and_modules),)
"""Every other way to the schema; migrations join here when there are some."""

MAY_CREATE = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
NOT_RUN = "the modules do not run, so that nothing was compared: mend C111 first"
NOT_OF_LIVE = ("the live database's roles and default privileges, which the stack declares and the modules run under",)
MAY_READ = "where only the spelling of a definition differs, that may be why"
NOT_BETWEEN_THESE = ("extensions of the models, which have none (those of the modules are compared with the settings)",)


@dataclass(frozen=True)
class CheckedProject:
    """What is checked: the folder with the stacks' files, that of the modules, and the models."""

    root: Path
    directory: Path
    metadata: MetaData
    base: type
    modules: Mapping[str, TableModule]


@dataclass
class Report:
    """What was found, and what else is to be said."""

    findings: list[Finding] = field(default_factory=list[Finding])
    notes: list[str] = field(default_factory=list[str])

    def said(self, note: str) -> Report:
        """Add a note."""
        self.notes.append(note)
        return self


@contextmanager
def scratch_server(dsn: str | None) -> Generator[ScratchServer]:
    """Give where scratch databases are made: a private server, or the one of a connection string."""
    if dsn is None:
        with private_server() as private, describe_error():
            try:
                used = private.distribution
                yield ScratchServer(private.admin, "postgres", find_psql(used.bin), used.major)
            finally:
                pool.close_all()
    else:
        admin = parse_dsn(dsn)
        with connect_dsn(admin) as connection:
            if connection.execute(MAY_CREATE).fetchone() != (True,):
                raise ServerError(
                    f"role {admin.user} may not create databases",
                    place="--dsn",
                    remedy="name a role with CREATEDB, or leave it out: a private server is started then",
                )
        try:
            bin_dir = locate(None).bin
        except InfraError:
            bin_dir = None
        with describe_error():
            yield ScratchServer(admin, admin.user, find_psql(bin_dir))


@contextmanager
def describe_error() -> Generator[None]:
    """Turn what the driver raises, when a server goes away or refuses, into a sentence."""
    try:
        yield
    except psycopg.Error as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ServerError(f"the server gave up: {said}", remedy="try again") from None


def check_project(project: CheckedProject, dsn: str | None = None) -> Report:
    """Prove that modules and models make one schema; raises InfraError where that cannot be tried."""
    report = Report(notes=[f"not compared: {', '.join((*NOT_COMPARED, *NOT_BETWEEN_THESE))}"])
    modules = load_modules(project.directory, shown_as=str(project.directory))
    current, outdated = agreement.generated_files(project.metadata, project.modules, project.directory)
    refused = proofs.not_run(modules)
    report.findings += [*outdated, *refused]
    if refused:
        return report.said(NOT_RUN)
    created = extensions_of(modules)
    report.findings += agreement.extensions(created, extensions_of_stacks(project.root))
    with scratch_server(dsn) as where, ThreadPoolExecutor(1 + len(SOURCES)) as threads:
        proving = Proving(where, models_of(project.metadata, project.base), modules, current)
        psql = threads.submit(catalog_by_psql, where, where.psql, modules) if where.psql else None
        built = [(one, threads.submit(one.build, where, project.metadata, list(created))) for one in SOURCES]
        with scratch_database(where.admin, owner=where.owner) as scratch:
            proving.prove(report, scratch, built, psql)
    return report


def check_live(project: CheckedProject, ways: Sequence[str], unmanaged: Sequence[str]) -> Report:
    """Compare live databases with what the modules make on a private server; they are only read."""
    report = Report(notes=[f"not compared: {', '.join((*NOT_COMPARED, *NOT_OF_LIVE))}"])
    modules = load_modules(project.directory, shown_as=str(project.directory))
    refused = proofs.not_run(modules)
    report.findings += refused
    if refused:
        return report.said(NOT_RUN)
    with describe_error():
        databases = [read_live(parse_dsn(way)) for way in ways]
    models = models_of(project.metadata, project.base)
    with scratch_server(None) as where:
        for live in databases:
            found = compare_live(where, live, modules, models, unmanaged)
            report.findings += found
            report.said(f"database {live.name} was read{_and_found(found)}")
            if live.major != where.major:
                report.said(f"its server is PostgreSQL {live.major} and the private one {where.major}: {MAY_READ}")
    return report


def _and_found(findings: list[Finding]) -> str:
    return "" if findings else ": it is what the modules make"


@dataclass(frozen=True)
class Proving:
    """What the proofs on a server need to know."""

    scratch_server: ScratchServer
    models: Models
    modules: Sequence[Module]
    current: Mapping[str, bool]

    def prove(
        self,
        report: Report,
        scratch: Target,
        built: Sequence[tuple[SchemaSource, Future[Catalog]]],
        psql: Future[Catalog | Finding] | None,
    ) -> None:
        """Run the modules in every way there is, and compare."""
        run = proofs.run_modules(self.scratch_server, scratch, self.modules)
        report.findings += run.findings
        if not run.whole:
            report.said(NOT_RUN)
            return
        again, ended = proofs.run_again(self.scratch_server, scratch, self.modules)
        report.findings += again
        report.said(_of_second_runs(ended))
        if apart := [one.path for one in self.modules if runs_by_statement(one.text)]:
            report.said(f"run statement by statement, so neither rolled back nor run again: {', '.join(apart)}")
        declarations = Declarations(
            self.models, {one.name: one for one in self.modules}, run.built.writers, self.current
        )
        for source, future in built:
            try:
                report.findings += source.comparison(declarations).findings(future.result(), run.built.catalog)
            except ModelsError as error:
                finding = Finding("C117", CHECK_CODES["C117"].severity, Place(error.place), error.what, error.remedy)
                report.findings.append(finding)
        self._against_alembic(report, scratch)
        if psql is None:
            report.said("skipped: the modules were not run by psql, which is neither in the distribution nor on PATH")
            return
        by_psql = psql.result()
        if isinstance(by_psql, Finding):
            report.findings.append(by_psql)
        else:
            report.findings += modules_and_psql(declarations).findings(run.built.catalog, by_psql)

    def _against_alembic(self, report: Report, scratch: Target) -> None:
        if second_opinion.is_installed():
            report.findings += second_opinion.second_opinion(
                scratch, self.scratch_server.owner, self.models, report.findings
            )
        else:
            report.said("skipped: Alembic's comparison, because Alembic is not installed (`make development` does)")


def _of_second_runs(ended: list[proofs.SecondRun]) -> str:
    """Say which modules are harmless when they are run again, and which are refused."""
    harmless = [one.module for one in ended if not one.why]
    refused = [one.module for one in ended if one.why]
    parts = [f"{what}: {', '.join(names)}" for what, names in (("harmless", harmless), ("refused", refused)) if names]
    return f"run again, {'; '.join(parts) or 'no module'}"

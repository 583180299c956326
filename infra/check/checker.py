"""The command `python -m infra check`: which comparisons it makes, in which order, and its report."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.catalog.catalog import NOT_COMPARED
from infra.check import agreement, alembic_comparison, proofs
from infra.check.by_psql import catalog_by_psql
from infra.check.codes import CHECK_CODES
from infra.check.comparing import Declarations, models_and_modules, modules_and_psql
from infra.check.create_models import ModelsError, catalog_of_models
from infra.check.in_models import models_of
from infra.check.in_modules import extensions_of
from infra.check.live import compare_live, read_live
from infra.check.stack_files import extensions_of_stacks
from infra.findings.finding import Finding, Place
from infra.modules.directive import runs_by_statement
from infra.modules.module import load_modules
from infra.server.dsn import parse_dsn
from infra.server.scratch.private_server import private_server
from infra.server.scratch.scratch_server import readable_driver_errors, scratch_server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from sqlalchemy import MetaData

    from infra.catalog.catalog import Catalog
    from infra.check.in_models import Models
    from infra.modules.module import Module
    from infra.postgres.connection.scratch_target import ScratchTarget
    from models.table_module import TableModule

MODULES_DO_NOT_RUN = "nothing was compared, because the modules do not run: correct the findings C111 first"
NOT_COMPARED_LIVE = (
    "the live database's roles and default privileges, which the stack declares and the modules run under",
)
NOT_COMPARED_WITH_MODELS = (
    "extensions of the models, which cannot declare any (those of the modules are compared with the settings)",
)
OTHER_VERSION = "this may be the reason where only the spelling of a definition differs"


@dataclass(frozen=True)
class CheckedProject:
    """What is checked: the directory of the stacks' files, the directory of the modules, and the models."""

    root: Path
    directory: Path
    metadata: MetaData
    base: type
    modules: Mapping[str, TableModule]


@dataclass
class Report:
    """The findings of a check, and notes: sentences that belong to no finding."""

    findings: list[Finding] = field(default_factory=list[Finding])
    notes: list[str] = field(default_factory=list[str])


def check_project(project: CheckedProject, dsn: str | None = None) -> Report:
    """Compare what the modules create with models, psql, Alembic and settings, on a private server or that of `dsn`.

    Raises InfraError if the check cannot be made.
    """
    report = Report(notes=[f"not compared: {', '.join((*NOT_COMPARED, *NOT_COMPARED_WITH_MODELS))}"])
    modules = load_modules(project.directory, shown_as=str(project.directory))
    current, outdated = agreement.compare_generated_files(project.metadata, project.modules, project.directory)
    report.findings += outdated
    if _add_restricted(report, modules):
        return report
    extensions = extensions_of(modules)
    report.findings += agreement.compare_extensions(extensions, extensions_of_stacks(project.root))
    models = models_of(project.metadata, project.base)
    with scratch_server(dsn) as server, ThreadPoolExecutor(2) as threads:
        # Models and psql have scratch databases of their own, so they are built while the modules run on this one.
        by_models = threads.submit(catalog_of_models, server, project.metadata, list(extensions))
        given = server.extensions_for_administrators(extensions)
        by_psql = threads.submit(catalog_by_psql, server, server.psql, modules, given) if server.psql else None
        with server.database(given) as scratch:
            run = proofs.run_modules(scratch, modules)
            report.findings += run.findings
            if not run.complete:
                report.notes.append(MODULES_DO_NOT_RUN)
                return report
            _run_again(report, scratch, modules)
            declarations = Declarations(models, {module.name: module for module in modules}, run.writers, current)
            _compare_with_models(report, declarations, run.catalog, by_models)
            _compare_by_alembic(report, scratch, models)
            _compare_with_psql(report, declarations, run.catalog, by_psql)
    return report


def check_live(project: CheckedProject, dsns: Sequence[str], unmanaged: Sequence[str]) -> Report:
    """Compare live databases, which are only read, with what the modules create on a private server.

    `unmanaged` are patterns of objects that no module has to create. Raises InfraError if the check cannot be made.
    """
    report = Report(notes=[f"not compared: {', '.join((*NOT_COMPARED, *NOT_COMPARED_LIVE))}"])
    modules = load_modules(project.directory, shown_as=str(project.directory))
    if _add_restricted(report, modules):
        return report
    with readable_driver_errors():
        databases = [read_live(parse_dsn(dsn)) for dsn in dsns]
    models = models_of(project.metadata, project.base)
    with private_server() as server, readable_driver_errors():
        for live in databases:
            findings, differences = compare_live(server, live, modules, models, unmanaged)
            report.findings += findings
            report.notes.append(f"database {live.name} was read{'' if findings else ': it equals the modules'}")
            report.notes += [f"it was compared with a scratch database: {difference}" for difference in differences]
            major = server.distribution.major
            if live.like.major != major:
                versions = f"the live server is PostgreSQL {live.like.major} and the private one {major}"
                report.notes.append(f"{versions}: {OTHER_VERSION}")
    return report


def _add_restricted(report: Report, modules: Sequence[Module]) -> bool:
    """Report the statements that a stack refuses to run; return whether there are any."""
    restricted = proofs.restricted_statements(modules)
    report.findings += restricted
    if restricted:
        report.notes.append(MODULES_DO_NOT_RUN)
    return bool(restricted)


def _run_again(report: Report, scratch: ScratchTarget, modules: Sequence[Module]) -> None:
    findings, without_effect = proofs.run_again(scratch, modules)
    report.findings += findings
    unchanged = [second_run.path for second_run in without_effect if not second_run.refusal]
    refused = [second_run.path for second_run in without_effect if second_run.refusal]
    results = (("changed nothing", unchanged), ("refused", refused))
    parts = [f"{result}: {', '.join(paths)}" for result, paths in results if paths]
    report.notes.append(f"run a second time, {'; '.join(parts) or 'no module'}")
    if by_statement := [module.path for module in modules if runs_by_statement(module.text)]:
        report.notes.append(
            f"run statement by statement, so neither rolled back nor run a second time: {', '.join(by_statement)}"
        )


def _compare_with_models(
    report: Report, declarations: Declarations, catalog: Catalog, by_models: Future[Catalog]
) -> None:
    try:
        report.findings += models_and_modules(declarations).findings(by_models.result(), catalog)
    except ModelsError as error:
        severity = CHECK_CODES["C117"].severity
        report.findings.append(Finding("C117", severity, Place(error.place), error.what, error.remedy))


def _compare_by_alembic(report: Report, scratch: ScratchTarget, models: Models) -> None:
    if alembic_comparison.is_installed():
        report.findings += alembic_comparison.alembic_findings(scratch, models, report.findings)
    else:
        report.notes.append("skipped: Alembic's comparison; Alembic is not installed (run `make development`)")


def _compare_with_psql(
    report: Report, declarations: Declarations, catalog: Catalog, by_psql: Future[Catalog | Finding] | None
) -> None:
    if by_psql is None:
        report.notes.append("skipped: running the modules by psql; no psql is in the distribution or on PATH")
        return
    result = by_psql.result()
    if isinstance(result, Finding):
        report.findings.append(result)
    else:
        report.findings += modules_and_psql(declarations).findings(catalog, result)

"""The command `python -m infra check`: which comparisons it makes, in which order, and its report."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.catalog.catalog import NOT_COMPARED
from infra.check import agreement, alembic_comparison, proofs
from infra.check.by_psql import catalog_by_psql
from infra.check.codes import CHECK_CODES
from infra.check.comparing import Declarations, by_models_place, models_and_modules, modules_and_psql
from infra.check.create_models import CreatedModels, ModelsError, create_models
from infra.check.in_models import ModelPlaces
from infra.check.in_modules import extensions_of
from infra.check.live import compare_live, read_live
from infra.check.revisions import lock_findings, revision_findings
from infra.check.stack_files import extensions_of_stacks, further_roles_of_stacks
from infra.findings.finding import Finding, Place
from infra.modules.directive import runs_by_statement
from infra.modules.module import load_modules
from infra.server.scratch.private_server import private_server
from infra.server.scratch.scratch_server import readable_driver_errors, scratch_server

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from infra.catalog.catalog import Catalog
    from infra.folder.modules_yaml import FolderSettings
    from infra.generate.imported_models import ImportedModels
    from infra.modules.module import Module
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.target import Target
    from infra.server.scratch.scratch_server import ScratchServer

MODULES_DO_NOT_RUN = "nothing was compared, because the modules do not run: correct the findings C111 first"
NOT_COMPARED_LIVE = (
    "the live database's roles and default privileges, which the stack declares and the modules run under",
)
NOT_COMPARED_WITH_MODELS = (
    "extensions of the models, which cannot declare any (those of the modules are compared with the settings)",
)
NO_MODELS = "not compared with models: the settings of the folder name none (`models` in modules.yaml)"
OTHER_VERSION = "this may be the reason where only the spelling of a definition differs"


@dataclass(frozen=True)
class CheckedProject:
    """What is checked: the directory of the stacks' files, that of the modules with its settings, and the models."""

    root: Path
    directory: Path
    settings: FolderSettings
    models: ImportedModels | None

    @property
    def migrations(self) -> str:
        """The folder of the revisions, beside that of the modules; it may be missing."""
        return str(self.directory.parent / "migrations")


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
    current: dict[str, bool] = {}
    if project.models:
        current, outdated = agreement.compare_generated_files(project.models, project.settings, project.directory)
        report.findings += outdated
    else:
        report.notes.append(NO_MODELS)
    if _add_restricted(report, modules):
        return report
    report.findings += lock_findings(project.migrations)
    extensions = extensions_of(modules)
    report.findings += agreement.compare_extensions(extensions, extensions_of_stacks(project.root, project.directory))
    roles = further_roles_of_stacks(project.root, project.directory)
    with scratch_server(dsn, roles) as server, ThreadPoolExecutor(2) as threads:
        # Models and psql have scratch databases of their own, so they are built while the modules run on this one.
        by_models = project.models and threads.submit(
            _create_models, server, project.models, list(extensions), modules, current
        )
        given = server.extensions_for_administrators(extensions)
        by_psql = threads.submit(catalog_by_psql, server, server.psql, modules, given) if server.psql else None
        with server.database(given) as scratch:
            run = proofs.run_modules(scratch, modules)
            report.findings += run.findings
            if not run.complete:
                report.findings[-1] = by_models_place(
                    report.findings[-1], modules, ModelPlaces(project.models), current
                )
                report.notes.append(MODULES_DO_NOT_RUN)
                return report
            _run_again(report, scratch, modules)
            by_name = {module.name: module for module in modules}
            declarations = Declarations(ModelPlaces(project.models), by_name, run.writers, current)
            if project.models and by_models:
                created = _compare_with_models(report, declarations, run.catalog, by_models)
                if created:
                    _compare_by_alembic(report, scratch, declarations, created)
            _compare_with_psql(report, declarations, run.catalog, by_psql)
            report.findings += revision_findings(project.migrations, server, given, run.catalog)
    return report


def check_live(
    project: CheckedProject, targets: Sequence[Target], unmanaged: Sequence[str], private_schemas: tuple[str, ...] = ()
) -> Report:
    """Compare live databases, which are only read, with what the modules create on a private server.

    `unmanaged` are patterns of objects that no module has to create, and the default privileges do not hold for
    `private_schemas`. Raises InfraError if the check cannot be made.
    """
    report = Report(notes=[f"not compared: {', '.join((*NOT_COMPARED, *NOT_COMPARED_LIVE))}"])
    modules = load_modules(project.directory, shown_as=str(project.directory))
    if _add_restricted(report, modules):
        return report
    with readable_driver_errors():
        databases = [read_live(target) for target in targets]
    with private_server() as server, readable_driver_errors():
        for live in databases:
            findings, differences = compare_live(
                server, live, modules, ModelPlaces(project.models), unmanaged, private_schemas=private_schemas
            )
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


def _create_models(
    server: ScratchServer,
    models: ImportedModels,
    extensions: list[str],
    modules: Sequence[Module],
    generated: Collection[str],
) -> CreatedModels:
    """Create the models where the generated modules stand among the hand-written ones."""
    first = min((module.number for module in modules if module.name in generated), default=0)
    before = [module for module in modules if module.name not in generated and module.number < first]
    after = [module for module in modules if module.name not in generated and module.number > first]
    return create_models(server, models, extensions, before=before, after=after)


def _compare_with_models(
    report: Report, declarations: Declarations, catalog: Catalog, by_models: Future[CreatedModels]
) -> CreatedModels | None:
    """Compare the catalog of the models with that of the modules; return None if there is no catalog of the models."""
    try:
        created = by_models.result()
    except ModelsError as error:
        severity = CHECK_CODES["C117"].severity
        report.findings.append(Finding("C117", severity, Place(error.place), error.what, error.remedy))
        return None
    report.findings += models_and_modules(declarations).findings(created.catalog, catalog)
    return created


def _compare_by_alembic(
    report: Report, scratch: ScratchTarget, declarations: Declarations, created: CreatedModels
) -> None:
    models = declarations.models.models
    if not alembic_comparison.is_installed():
        report.notes.append("skipped: Alembic's comparison; Alembic is not installed (run `make development`)")
    elif created.failure:
        report.notes.append(f"skipped: Alembic's comparison; it fails with these models: {created.failure}")
    elif models:
        found = alembic_comparison.operations(scratch, models.metadata)
        report.findings += alembic_comparison.alembic_findings(declarations, found, created.operations, report.findings)


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

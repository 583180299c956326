"""The commands about a folder of SQL modules: where they come from, whether they are right, what they create."""

# ruff: noqa: PLC0415 (each command imports what it needs when it runs, so that the program starts quickly)

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.options import BIN_DIR, MODULES_DIRECTORY, OF_STACK, STACK, models_of, modules_directory
from infra.commands.output import errors_exit_with_2, print_findings, write_and_report, write_or_check
from infra.errors import InfraError
from infra.findings.formats import Form

if TYPE_CHECKING:
    from infra.revisions.writing import WrittenRevision

OUTPUT = Annotated[Path, typer.Option(help="The directory to write the files to.")]
ONLY_CHECK = Annotated[bool, typer.Option("--check", help="Write nothing; list outdated files and exit with 1.")]
FORMAT = Annotated[Form, typer.Option("--format", help="The output format of findings.")]


def generate(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; print the differences as a diff and exit with 1.")
    ] = False,
    directory: MODULES_DIRECTORY = None,
    stack: OF_STACK = "",
) -> None:
    """Generate SQL modules from the models that modules.yaml names, and write the files that differ."""
    from infra.folder.modules_yaml import read_folder_settings
    from infra.generate import written_files
    from infra.generate.from_models import generate_modules

    directory = modules_directory(directory, stack)
    settings = read_folder_settings(directory)
    models = models_of(settings)
    if models is None:
        raise InfraError("names no models", place=settings.path, remedy="write `models: [package]` into it")
    files = generate_modules(models, settings, written_files.hand_written_modules(directory))
    if check:
        diffs = written_files.file_differences(files, directory)
        print("".join(diffs.values()), end="")
        if diffs:
            print("the SQL modules differ from the models; run: python -m infra generate", file=sys.stderr)
            raise typer.Exit(1)
        return
    write_and_report(files, directory, written_files.MODULE_FILES)


def check(
    *,
    directory: MODULES_DIRECTORY = None,
    dsn: Annotated[
        str, typer.Option(help="Create the scratch databases on this server instead of a private one.")
    ] = "",
    live: Annotated[
        list[str] | None, typer.Option(help="Compare this live database with the modules; it is only read.")
    ] = None,
    stack: Annotated[
        str, typer.Option(help="Compare the live databases of this stack with the modules; they are only read.")
    ] = "",
    form: FORMAT = "text",
) -> None:
    """Check that models, SQL modules and settings have one schema, or that a live database has that of the modules.

    Exit status: 0 without findings, 1 with findings, 2 if the check could not be made.
    """
    from infra.check import checker, stack_files
    from infra.check.codes import CHECK_CODES
    from infra.findings.finding import in_order
    from infra.folder.modules_yaml import read_folder_settings
    from infra.server.dsn import parse_dsn

    with errors_exit_with_2():
        directory = modules_directory(directory, stack)
        settings = read_folder_settings(directory)
        project = checker.CheckedProject(Path(), directory, settings, models_of(settings))
        targets = [parse_dsn(dsn) for dsn in live or []]
        targets += stack_files.targets(project.root, stack, "readonly") if stack else []
        if targets:
            unmanaged = stack_files.unmanaged_patterns(project.root, stack)
            private = stack_files.private_schemas(project.root, stack)
            report = checker.check_live(project, targets, unmanaged, private)
        else:
            report = checker.check_project(project, dsn or None)
    print_findings(
        in_order(report.findings),
        form=form,
        tool="check",
        rules=CHECK_CODES,
        clean="nothing differs",
        notes=report.notes,
    )


def lint(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="SQL files or directories of them, - for stdin; by default that of --stack, else sql."),
    ] = None,
    *,
    stack: OF_STACK = "",
    form: FORMAT = "text",
    settings: Annotated[Path | None, typer.Option(help="Use this file instead of lint.yaml.")] = None,
    explain: Annotated[str, typer.Option(metavar="CODE", help="Explain a code and how to allow what it reports.")] = "",
    list_rules: Annotated[bool, typer.Option("--list", help="List all rules.")] = False,
) -> None:
    """Check SQL modules against rules, without a server.

    Exit status: 0 without findings, 1 with findings, 2 if the check could not be made.
    """
    from infra.lint import explanations, linter

    with errors_exit_with_2():
        if explain:
            print(explanations.explain(explain))
            return
        if list_rules:
            print(explanations.list_rules(linter.rule_texts()), end="")
            return
        places = paths or [modules_directory(None, stack)]
        findings = linter.lint_files(places, settings_file=settings)
    clean = f"{', '.join(map(str, places))}: the SQL has no findings"
    print_findings(findings, form=form, tool="lint", rules=linter.rule_texts(), clean=clean)


def diagram(
    *,
    check: ONLY_CHECK = False,
    directory: MODULES_DIRECTORY = None,
    stack: OF_STACK = "",
    output: OUTPUT = Path("docs/schema"),
) -> None:
    """Draw the schema that the SQL modules create, as a whole and for each module, as SVG and Mermaid."""
    from infra.schema_docs import schema_files

    files = schema_files.diagram_files(schema_files.build_schema(modules_directory(directory, stack)))
    write_or_check(files, output, schema_files.DIAGRAMS, check=check, command="diagram")


def docs(
    *,
    check: ONLY_CHECK = False,
    directory: MODULES_DIRECTORY = None,
    stack: OF_STACK = "",
    output: OUTPUT = Path("docs/schema"),
) -> None:
    """Describe the schema that the SQL modules create, as one HTML page with search and as Markdown."""
    from infra.folder.modules_yaml import read_folder_settings
    from infra.schema_docs import schema_files

    directory = modules_directory(directory, stack)
    models = models_of(read_folder_settings(directory))
    schema = schema_files.build_schema(directory)
    files = schema_files.document_files(schema, models, output=output)
    write_or_check(files, output, schema_files.DOCUMENTS, check=check, command="docs")


def import_(
    source: Annotated[str, typer.Argument(metavar="FILE|DSN", help="A dump, a structure.sql, or a database.")],
    *,
    into: Annotated[Path, typer.Option(help="The folder of the modules, which is new or empty.")],
    models: Annotated[
        Path | None, typer.Option(help="Write models of the tables to this new file too, by sqlacodegen.")
    ] = None,
    bin_dir: BIN_DIR = None,
) -> None:
    """Write SQL modules of a dump or a database, proved to create the same schema; what is left out is listed."""
    from infra.sql_import.importer import import_sql

    with errors_exit_with_2():
        lines = import_sql(source, into, models=models, bin_dir=bin_dir)
    print("\n".join(lines))


def revision(
    *,
    message: Annotated[str, typer.Option("-m", "--message", envvar="M", help="What changes, in a few words.")] = "",
    rename: Annotated[
        list[str] | None,
        typer.Option(
            help="What has another name now: `people=customers`, `people.name=full_name`; `people.name=` is not."
        ),
    ] = None,
    lock: Annotated[bool, typer.Option("--lock", help="Only write revisions.lock again, after an edit.")] = False,
    begin: Annotated[
        bool, typer.Option("--begin", help="Begin: make the modules, as databases have them now, the baseline.")
    ] = False,
    squash: Annotated[
        str, typer.Option(help="Make the revisions up to this one part of the baseline; older databases are refused.")
    ] = "",
    directory: MODULES_DIRECTORY = None,
    stack: STACK = "dev",
) -> None:
    """Write the revision that brings existing databases to what the modules create, and run it up and down.

    Exit status: 0, 1 if a person has to complete the revision, 2 if it could not be written.
    """
    from infra.folder.modules_yaml import read_folder_settings
    from infra.revisions import writing
    from infra.revisions.beginning import begin_history
    from infra.revisions.squash import squash_revisions

    with errors_exit_with_2():
        directory = modules_directory(directory, stack)
        migrations = str(directory.parent / "migrations")
        if begin:
            print("\n".join(begin_history(migrations, directory)))
            return
        if lock:
            writing.lock_again(migrations)
            return
        if squash:
            print("\n".join(squash_revisions(migrations, squash)))
            return
        if not message.strip():
            raise InfraError("needs a message", place="revision", remedy='make revision M="what changes"')
        models = models_of(read_folder_settings(directory))
        written = writing.write_revision(
            migrations,
            directory,
            models.metadata if models else (),
            message.strip(),
            renames=rename or (),
            ask=typer.confirm if sys.stdin.isatty() else None,
        )
    if written is None:
        print("nothing to do: the revisions lead to what the modules make")
        return
    _print_written(written)


def _print_written(written: "WrittenRevision") -> None:
    """Print what was written and what is left to do, and exit with 1 where a person has to complete it."""
    print(f"{written.path}: written")
    if written.hazards:
        print("a persistent stack refuses these, unless the tables there are small or a comment allows them:")
        print("\n".join(written.hazards))
    if written.refused:
        print("rows that it would refuse, found with generated rows:")
        print("\n".join(written.refused))
    for note in written.notes:
        print(f"note: {note}")
    for problem in written.problems:
        print(problem)
    if written.problems:
        print(f"complete {written.path} by hand, then run: python -m infra revision --lock", file=sys.stderr)
        raise typer.Exit(1)

"""The commands of `python -m infra`; each imports what it needs when it runs, so that the program starts quickly."""

# ruff: noqa: PLC0415

import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.errors import InfraError
from infra.findings.finding import Finding, RuleText
from infra.findings.formats import Form
from infra.modules.module import DEFAULT_DIRECTORY

if TYPE_CHECKING:
    from infra.folder.modules_yaml import FolderSettings
    from infra.generate.imported_models import ImportedModels
    from infra.generate.written_files import Generated

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

MODULES_DIRECTORY = Annotated[
    Path | None, typer.Option(help="The directory of the SQL modules; by default that of --stack, else sql.")
]
OF_STACK = Annotated[str, typer.Option("--stack", help="Take the modules of this stack.")]
OUTPUT = Annotated[Path, typer.Option(help="The directory to write the files to.")]
ONLY_CHECK = Annotated[bool, typer.Option("--check", help="Write nothing; list outdated files and exit with 1.")]
STACK = Annotated[str, typer.Option(envvar="STACK", help="The stack.")]
BIN_DIR = Annotated[
    Path | None, typer.Option(help="The folder of PostgreSQL's programs, e.g. /usr/lib/postgresql/15/bin.")
]
FORMAT = Annotated[Form, typer.Option("--format", help="The output format of findings.")]


@app.callback()
def infra() -> None:
    """Generate, check, lint and document the schema of a PostgreSQL database."""


@app.command()
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

    directory = _modules_directory(directory, stack)
    settings = read_folder_settings(directory)
    models = _models_of(settings)
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
    _write_and_report(files, directory, written_files.MODULE_FILES)


@app.command()
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

    with _errors_exit_with_2():
        directory = _modules_directory(directory, stack)
        settings = read_folder_settings(directory)
        project = checker.CheckedProject(Path(), directory, settings, _models_of(settings))
        dsns = [*(live or []), *(stack_files.dsns(project.root, stack, "readonly") if stack else [])]
        if dsns:
            report = checker.check_live(project, dsns, stack_files.unmanaged_patterns(project.root, stack))
        else:
            report = checker.check_project(project, dsn or None)
    _print_findings(in_order(report.findings), form=form, tool="check", rules=CHECK_CODES, notes=report.notes)


@app.command()
def status(*, stack: STACK = "dev") -> None:
    """Show what a stack's databases have, what `up` would do, and what was changed by hand, without asking Pulumi."""
    from infra.check.status import stack_status

    with _errors_exit_with_2():
        print("\n".join(stack_status(Path(), stack)))


@app.command()
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

    with _errors_exit_with_2():
        if explain:
            print(explanations.explain(explain))
            return
        if list_rules:
            print(explanations.list_rules(linter.rule_texts()), end="")
            return
        findings = linter.lint_files(paths or [_modules_directory(None, stack)], settings_file=settings)
    _print_findings(findings, form=form, tool="lint", rules=linter.rule_texts())


@app.command()
def accept(
    *,
    stack: Annotated[str, typer.Option(help="The stack that the database belongs to from now on.")],
    dsn: Annotated[str, typer.Option(envvar="DSN", help="The database, as a role that its owner role contains.")],
) -> None:
    """Accept a database whose ledger is of another stack, server or database: a restored dump, a copy that moved."""
    from infra.postgres.ledger.acceptance import accept_ledger
    from infra.server.dsn import connect_dsn, parse_dsn

    with _errors_exit_with_2(), connect_dsn(parse_dsn(dsn)) as connection:
        print(accept_ledger(connection, stack))


@app.command()
def backup(
    *,
    stack: STACK = "dev",
    into: Annotated[Path, typer.Option(help="The folder of all backups.")] = Path("backups"),
    keep: Annotated[int, typer.Option(help="Remove the stack's older backups, so that this many stay; 0 for all.")] = 0,
    bin_dir: BIN_DIR = None,
) -> None:
    """Dump the databases of a stack with pg_dump, and prove each dump by restoring it on a private server."""
    from infra.backup.dump import back_up
    from infra.check.stack_files import dsns
    from infra.server.dsn import parse_dsn

    with _errors_exit_with_2():
        targets = [parse_dsn(dsn) for dsn in dsns(Path(), stack, "migrator")]
        print("\n".join(back_up(targets, stack=stack, into=into, bin_dir=bin_dir, keep=keep)))


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup, as `backup` printed it.")],
    *,
    stack: STACK = "dev",
    database: Annotated[str, typer.Option(help="Restore this database only.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Replace what the databases have without asking.")] = False,
    bin_dir: BIN_DIR = None,
) -> None:
    """Replace the contents of a stack's databases by a backup: each in one transaction, all of it or nothing."""
    from infra.backup import restore as restoring
    from infra.check.stack_files import dsns
    from infra.server.dsn import parse_dsn

    with _errors_exit_with_2():
        targets = {target.database: target for target in map(parse_dsn, dsns(Path(), stack, "migrator"))}
        dumps = restoring.backups_in(folder)
        names = [database] if database else list(dumps)
        for name in names:
            if name not in dumps or name not in targets:
                where = f"stack {stack} has {', '.join(targets)}, the backup {', '.join(dumps)}"
                raise InfraError(f"is not in both: {where}", place=f"database {name}", remedy="name one by --database")
        question = f"replace everything in {', '.join(names)} by the backup of {folder.name}?"
        if not yes and not (sys.stdin.isatty() and typer.confirm(question)):
            raise InfraError("nothing was changed", place="restore", remedy="--yes replaces without asking")
        for name in names:
            print("\n".join(restoring.restore_database(dumps[name], targets[name], stack=stack, bin_dir=bin_dir)))


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(metavar="FILE|DSN", help="A dump, a structure.sql, or a database.")],
    *,
    into: Annotated[Path, typer.Option(help="The folder of the modules, which is new or empty.")],
    bin_dir: BIN_DIR = None,
) -> None:
    """Write SQL modules of a dump or a database, proved to create the same schema; what is left out is listed."""
    from infra.sql_import.importer import import_sql

    with _errors_exit_with_2():
        lines = import_sql(source, into, bin_dir=bin_dir)
    print("\n".join(lines))


@app.command()
def review(
    *,
    base: Annotated[str, typer.Option(help="The version that the branch is compared with.")] = "origin/main",
    stack: STACK = "dev",
    output: Annotated[Path | None, typer.Option(help="Write the review to this file instead.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of Markdown.")] = False,
    github: Annotated[bool, typer.Option("--github", help="Comment on the job's pull request on GitHub.")] = False,
    bin_dir: BIN_DIR = None,
) -> None:
    """Write what a branch's modules would do to databases of its base, as a comment for a pull request.

    Nothing but the repository is needed. Exit status: 0 if every stack may take it, 1 if none may, 2 if it could not
    be found out.
    """
    from infra.review import comment
    from infra.review.github import publish
    from infra.review.reviewing import review_branch as made

    with _errors_exit_with_2():
        found = made(Path(), base=base, stack=stack, bin_dir=bin_dir)
        text = comment.review_as_json(found) if as_json else comment.review_as_markdown(found)
        if output:
            output.write_text(text, encoding="utf-8")
        else:
            print(text, end="")
        if github:
            print(publish(comment.review_as_markdown(found)), file=sys.stderr)
    raise typer.Exit(1 if found.level == "refused" else 0)


@app.command()
def revision(
    *,
    message: Annotated[str, typer.Option("-m", "--message", envvar="M", help="What changes, in a few words.")] = "",
    lock: Annotated[bool, typer.Option("--lock", help="Only write revisions.lock again, after an edit.")] = False,
    directory: MODULES_DIRECTORY = None,
    stack: STACK = "dev",
) -> None:
    """Write the revision that brings existing databases to what the modules create, and run it up and down.

    Exit status: 0, 1 if a person has to complete the revision, 2 if it could not be written.
    """
    from infra.folder.modules_yaml import read_folder_settings
    from infra.revisions import writing

    with _errors_exit_with_2():
        directory = _modules_directory(directory, stack)
        migrations = str(directory.parent / "migrations")
        if lock:
            writing.lock_again(migrations)
            return
        if not message.strip():
            raise InfraError("needs a message", place="revision", remedy='make revision M="what changes"')
        models = _models_of(read_folder_settings(directory))
        written = writing.write_revision(migrations, directory, models.metadata if models else (), message.strip())
    if written is None:
        print("nothing to do: the revisions lead to what the modules make")
        return
    print(f"{written.path}: written")
    for problem in written.problems:
        print(problem)
    if written.problems:
        print(f"complete {written.path} by hand, then run: python -m infra revision --lock", file=sys.stderr)
        raise typer.Exit(1)


@app.command()
def diagram(
    *,
    check: ONLY_CHECK = False,
    directory: MODULES_DIRECTORY = None,
    stack: OF_STACK = "",
    output: OUTPUT = Path("docs/schema"),
) -> None:
    """Draw the schema that the SQL modules create, as a whole and for each module, as SVG and Mermaid."""
    from infra.schema_docs import schema_files

    files = schema_files.diagram_files(schema_files.build_schema(_modules_directory(directory, stack)))
    _write_or_check(files, output, schema_files.DIAGRAMS, check=check, command="diagram")


@app.command()
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

    directory = _modules_directory(directory, stack)
    models = _models_of(read_folder_settings(directory))
    schema = schema_files.build_schema(directory)
    files = schema_files.document_files(schema, models, output=output)
    _write_or_check(files, output, schema_files.DOCUMENTS, check=check, command="docs")


def _modules_directory(directory: Path | None, stack: str) -> Path:
    """Return the directory that was named, else that of the stack that was named, else the default."""
    if directory is not None or not stack:
        return directory or Path(DEFAULT_DIRECTORY)
    from infra.check.stack_files import directory_of_stack

    return directory_of_stack(Path(), stack)


def _models_of(settings: "FolderSettings") -> "ImportedModels | None":
    """Import the models that the settings name, None if they name none."""
    if not settings.models:
        return None
    from infra.generate.imported_models import import_models

    return import_models(
        settings.models,
        python_path=settings.python_path,
        hand_written=settings.hand_written,
        identity=settings.autoincrement == "identity",
    )


@contextmanager
def _errors_exit_with_2() -> Generator[None]:
    """Exit with 2 for what could not run: exit status 1 means that there are findings."""
    try:
        yield
    except InfraError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None


def _print_findings(
    findings: Sequence[Finding], *, form: Form, tool: str, rules: Mapping[str, RuleText], notes: Sequence[str] = ()
) -> None:
    """Print findings, with colours on a terminal, and exit with their status."""
    from infra.findings.finding import exit_status
    from infra.findings.formats import render

    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = render(findings, form=form, tool=f"platform-postgres {tool}", rules=rules, notes=notes, color=color)
    print(text, end="" if findings or form != "text" else "nothing differs\n" if notes else "")
    raise typer.Exit(exit_status(findings))


def _write_or_check(files: Mapping[str, str], output: Path, kind: "Generated", *, check: bool, command: str) -> None:
    """Write the files that differ or, with `check`, list them and exit with 1."""
    from infra.generate import written_files

    if check:
        outdated = written_files.file_differences(files, output, kind)
        for name in outdated:
            print(f"{output / name}: {'outdated' if name in files else 'no longer generated'}")
        if outdated:
            print(f"files differ from what the modules create; run: python -m infra {command}", file=sys.stderr)
            raise typer.Exit(1)
        return
    output.mkdir(parents=True, exist_ok=True)
    _write_and_report(files, output, kind)


def _write_and_report(files: Mapping[str, str], directory: Path, kind: "Generated") -> None:
    """Write the files that differ, remove those that are generated no longer, and print what was done."""
    from infra.generate import written_files

    actions = written_files.write_files(files, directory, kind)
    for name, action in actions.items():
        print(f"{directory / name}: {action}")
    if not actions:
        print("nothing to do")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; this is the only place that turns errors of this program into text and an exit status."""
    try:
        app(arguments)
    except InfraError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_status) from None


def script() -> None:
    """Run a command as `python -m infra` does: packages of the current folder can be imported."""
    sys.path.insert(0, str(Path.cwd()))
    main()

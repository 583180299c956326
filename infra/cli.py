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

if TYPE_CHECKING:
    from infra.generate.written_files import Generated

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def infra() -> None:
    """Work on the schema of the platform's PostgreSQL: models, SQL modules, databases."""


@app.command()
def generate(
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; show what differs and exit 1.")] = False,
    directory: Annotated[Path, typer.Option(help="Where the SQL modules are.")] = Path("sql"),
) -> None:
    """Write the SQL modules 02 to 08 from the models; only the files that differ."""
    import models
    from infra.generate import written_files
    from infra.generate.from_models import generate_modules as texts_of

    files = texts_of(models.metadata, models.MODULES)
    if check:
        differences = written_files.file_differences(files, directory)
        print("".join(differences.values()), end="")
        if differences:
            print("the SQL modules are not what the models say; run: python -m infra generate", file=sys.stderr)
            raise typer.Exit(1)
        return
    done = written_files.write_files(files, directory)
    for name, what in done.items():
        print(f"{directory / name}: {what}")
    if not done:
        print("nothing to do")


@app.command()
def check(
    *,
    directory: Annotated[Path, typer.Option(help="Where the SQL modules are.")] = Path("sql"),
    dsn: Annotated[str, typer.Option(help="Make the scratch databases on this server, not on a private one.")] = "",
    live: Annotated[list[str] | None, typer.Option(help="Compare this live database, which is only read.")] = None,
    stack: Annotated[str, typer.Option(help="Compare the live databases of this stack, which are only read.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How findings are shown.")] = "text",
) -> None:
    """Prove on scratch databases that models and modules, or a live database and the modules, are one schema.

    Exit status: 0 clean, 1 findings, 2 could not run.
    """
    import models
    from infra.check import checker, stack_files
    from infra.check.codes import CHECK_CODES
    from infra.findings.finding import in_order

    project = checker.CheckedProject(Path(), directory, models.metadata, models.Base, models.MODULES)
    with _or_exit_2():
        ways = [*(live or []), *(stack_files.read_only_ways(project.root, stack) if stack else [])]
        if ways:
            report = checker.check_live(project, ways, stack_files.unmanaged_of(project.root, stack))
        else:
            report = checker.check_project(project, dsn or None)
    _show(in_order(report.findings), form=form, tool="check", rules=CHECK_CODES, notes=report.notes)


@app.command()
def lint(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or directories of SQL, - for stdin; by default sql/.")
    ] = None,
    *,
    form: Annotated[Form, typer.Option("--format", help="How findings are shown.")] = "text",
    settings: Annotated[Path | None, typer.Option(help="Another file than the lint.yaml of the project.")] = None,
    explain: Annotated[str, typer.Option(metavar="CODE", help="Say what a code means, and how to allow it.")] = "",
    list_rules: Annotated[bool, typer.Option("--list", help="List the rules.")] = False,
) -> None:
    """Look at SQL modules without a server. Exit status: 0 clean, 1 findings, 2 could not run."""
    from infra.lint import explanations, linter

    with _or_exit_2():
        if explain:
            print(explanations.explain(explain))
            return
        if list_rules:
            print(explanations.listing(linter.rule_texts()), end="")
            return
        found = linter.lint_files(paths or [Path("sql")], settings_file=settings)
    _show(found, form=form, tool="lint", rules=linter.rule_texts())


@contextmanager
def _or_exit_2() -> Generator[None]:
    """Let findings alone end with 1: what could not run ends with 2."""
    try:
        yield
    except InfraError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None


def _show(
    found: Sequence[Finding], *, form: Form, tool: str, rules: Mapping[str, RuleText], notes: Sequence[str] = ()
) -> None:
    """Print findings, in colours where a person looks, and end with their exit status."""
    from infra.findings.finding import exit_status
    from infra.findings.formats import render

    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = render(found, form=form, tool=f"platform-postgres {tool}", rules=rules, notes=notes, color=color)
    print(text, end="" if found or form != "text" else "nothing differs\n" if notes else "")
    raise typer.Exit(exit_status(found))


SQL = Annotated[Path, typer.Option(help="Where the SQL modules are.")]
OUTPUT = Annotated[Path, typer.Option(help="Where the files go.")]
ONLY_CHECK = Annotated[bool, typer.Option("--check", help="Write nothing; name what is outdated and exit 1.")]


@app.command()
def diagram(*, check: ONLY_CHECK = False, directory: SQL = Path("sql"), output: OUTPUT = Path("docs/schema")) -> None:
    """Draw the schema that the modules make, whole and for each module: SVG and Mermaid."""
    from infra.schema_docs import schema_files

    files = schema_files.diagrams(schema_files.build_schema(directory))
    _keep(files, output, schema_files.DIAGRAMS, check=check, command="diagram")


@app.command()
def docs(*, check: ONLY_CHECK = False, directory: SQL = Path("sql"), output: OUTPUT = Path("docs/schema")) -> None:
    """Describe the schema that the modules make: one page of HTML with search, and Markdown."""
    import models
    from infra.schema_docs import schema_files

    found = schema_files.build_schema(directory)
    files = schema_files.documents(found, models.metadata, models.Base, output=output)
    _keep(files, output, schema_files.DOCUMENTS, check=check, command="docs")


def _keep(files: Mapping[str, str], output: Path, kind: "Generated", *, check: bool, command: str) -> None:
    """Write the files that differ, or name them; only what was generated is ever removed."""
    from infra.generate import written_files

    if check:
        outdated = written_files.file_differences(files, output, kind)
        for name in outdated:
            print(f"{output / name}: {'outdated' if name in files else 'no longer made'}")
        if outdated:
            print(f"the files are not what the modules make; run: python -m infra {command}", file=sys.stderr)
            raise typer.Exit(1)
        return
    output.mkdir(parents=True, exist_ok=True)
    done = written_files.write_files(files, output, kind)
    for name, what in done.items():
        print(f"{output / name}: {what}")
    if not done:
        print("nothing to do")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; the one place where what this program refuses becomes text and an exit status."""
    try:
        app(arguments)
    except InfraError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_status) from None

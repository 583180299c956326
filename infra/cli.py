"""The commands of `python -m infra`; each imports what it needs when it runs, so that the program starts quickly."""

# ruff: noqa: PLC0415

import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import InfraError
from infra.findings.finding import Finding, RuleText
from infra.findings.formats import Form

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
    from infra.modules import generated
    from infra.modules.generate import generate as texts_of

    files = texts_of(models.metadata, models.MODULES)
    if check:
        differences = generated.differences(files, directory)
        print("".join(differences.values()), end="")
        if differences:
            print("the SQL modules are not what the models say; run: python -m infra generate", file=sys.stderr)
            raise typer.Exit(1)
        return
    done = generated.write(files, directory)
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
    from infra.check import run, stacks
    from infra.check.codes import RULES
    from infra.findings.finding import in_order

    project = run.Project(Path(), directory, models.metadata, models.Base, models.MODULES)
    with _or_exit_2():
        ways = [*(live or []), *(stacks.read_only_ways(project.root, stack) if stack else [])]
        if ways:
            report = run.check_live(project, ways, stacks.unmanaged_of(project.root, stack))
        else:
            report = run.check(project, dsn or None)
    _show(in_order(report.findings), form=form, tool="check", rules=RULES, notes=report.notes)


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; the one place where what this program refuses becomes text and an exit status."""
    try:
        app(arguments)
    except InfraError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_status) from None

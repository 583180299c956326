"""The commands of `python -m infra`; each imports what it needs when it runs, so that the program starts quickly."""

# ruff: noqa: PLC0415

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import InfraError


class Form(str, Enum):
    """How findings are shown: to people, to programs, on GitHub, in code hosts."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


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
    form: Annotated[Form, typer.Option("--format", help="How findings are shown.")] = Form.TEXT,
) -> None:
    """Prove on scratch databases that models and modules, or a live database and the modules, are one schema."""
    import models
    from infra.check.codes import RULES
    from infra.check.run import Project, check, check_live
    from infra.check.stacks import read_only_ways, unmanaged_of
    from infra.findings.finding import exit_status, in_order
    from infra.findings.formats import render

    root = Path()
    project = Project(root, directory, models.metadata, models.Base, models.MODULES)
    with could_not_run():
        ways = [*(live or []), *(read_only_ways(root, stack) if stack else [])]
        report = check_live(project, ways, unmanaged_of(root, stack)) if ways else check(project, dsn or None)
    found = in_order(report.findings)
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(render(found, form=form.value, tool="check", rules=RULES, notes=report.notes, color=color), end="")
    if form is Form.TEXT and not found:
        print("nothing differs")
    raise typer.Exit(exit_status(found))


@contextmanager
def could_not_run() -> Generator[None]:
    """Say what kept a command from looking, and end with another status than what it finds: 2."""
    try:
        yield
    except InfraError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; the one place where what this program refuses becomes text and an exit status."""
    try:
        app(arguments)
    except InfraError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_status) from None

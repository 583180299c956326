"""The commands of `python -m infra`; each imports what it needs when it runs, so that the program starts quickly."""

# ruff: noqa: PLC0415

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import InfraError

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; the one place where what this program refuses becomes text and an exit status."""
    try:
        app(arguments)
    except InfraError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_status) from None

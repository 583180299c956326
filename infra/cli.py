"""The program `python -m infra`: its commands, which are in infra/commands, and what becomes of their errors."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from infra.commands import environments, schema, stacks
from infra.errors import InfraError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def infra() -> None:
    """Generate, check, migrate and document the schema of PostgreSQL databases, and back them up."""


app.command()(schema.generate)
app.command()(schema.check)
app.command()(stacks.status)
app.command()(schema.lint)
app.command()(stacks.accept)
app.command()(stacks.backup)
app.command()(stacks.restore)
app.command("import")(schema.import_)
app.command()(stacks.review)
app.command()(schema.revision)
app.command()(schema.diagram)
app.command()(schema.docs)
app.add_typer(environments.environment_commands, name="env")


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

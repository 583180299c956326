"""The commands for environments: stacks that are made from a template for a time."""

# ruff: noqa: PLC0415 (each command imports what it needs when it runs, so that the program starts quickly)

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.commands.output import errors_exit_with_2

NAME = Annotated[str, typer.Argument(help="What people call it: pr-12, or a branch.")]
TEMPLATE = Annotated[str, typer.Option(help="The stack whose file is the template.")]
AS_JSON = Annotated[bool, typer.Option("--json", help="Write JSON.")]

environment_commands = typer.Typer(
    no_args_is_help=True, help="Make, list and remove environments: stacks for a pull request or a day."
)


@environment_commands.command()
def up(
    name: NAME,
    *,
    ttl: Annotated[str, typer.Option(help="How long it is wanted from now on: 30min, 2h, 3d.")] = "7d",
    template: TEMPLATE = "pr",
    as_json: AS_JSON = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Show passwords.")] = False,
) -> None:
    """Create or update an environment, and show how the application connects to it."""
    from infra.environments.bring_up import bring_up

    with errors_exit_with_2():
        made = bring_up(Path(), name, ttl=ttl, template=template, show_secrets=show_secrets, tell=_tell)
        if as_json:
            print(json.dumps(made.as_dict(), indent=2))
            return
        print(f"environment {made.name} is up as stack {made.stack}, and expires at {made.expires}")
        for database, dsn in made.databases.items():
            print(f"  {database}: {dsn}")


@environment_commands.command()
def down(
    name: NAME,
    *,
    prove: Annotated[bool, typer.Option("--prove", help="Compare the server's catalog before and after.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Its server is gone for good: remove the stack without asking it.")
    ] = False,
    as_json: AS_JSON = False,
) -> None:
    """Remove an environment with its data; one that does not exist is no error."""
    from infra.environments.lifecycle import take_down

    with errors_exit_with_2():
        outcome = take_down(Path(), name, prove=prove, forget=forget, tell=_tell)
    print(json.dumps({"name": name, "outcome": outcome}, indent=2) if as_json else outcome)


@environment_commands.command("list")
def list_(*, as_json: AS_JSON = False) -> None:
    """List the environments with their expiry."""
    from infra.environments.lifecycle import environments

    with errors_exit_with_2():
        found = environments(Path())
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for each in found:
        expiry = f"expires {each['remaining']}" if each["expires"] else "never expires"
        print(f"{each['stack']} ({each['name']}): {each['resources']} resources, {expiry}")
    if not found:
        print("there are no environments")


@environment_commands.command()
def sweep(
    *,
    template: TEMPLATE = "pr",
    apply: Annotated[bool, typer.Option("--apply", help="Remove them; without it they are only listed.")] = False,
    as_json: AS_JSON = False,
) -> None:
    """Remove environments that have expired, and databases and roles of such that have lost their stack."""
    from infra.environments.sweep import sweep_environments

    with errors_exit_with_2():
        swept = sweep_environments(Path(), template=template, apply=apply, tell=_tell)
    if as_json:
        print(json.dumps([vars(each) for each in swept], indent=2))
    else:
        print("\n".join(map(str, swept)) or "there are no environments")
        if not apply and any(each.removed for each in swept):
            print("nothing was removed yet: --apply does it")
    if any(each.problem for each in swept):
        raise typer.Exit(1)


@environment_commands.command()
def template(
    *,
    template: TEMPLATE = "pr",
    drop: Annotated[bool, typer.Option("--drop", help="Drop it, and what is left of others.")] = False,
) -> None:
    """Make the database of which new databases of environments on a server that is there are clones."""
    from infra.environments.templates import drop_template_of_environments, make_template_of_environments

    with errors_exit_with_2():
        act = drop_template_of_environments if drop else make_template_of_environments
        print(act(Path(), template, tell=_tell))


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)

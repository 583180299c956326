"""The commands about the databases of a stack, and about what a branch would do to them."""

# ruff: noqa: PLC0415 (each command imports what it needs when it runs, so that the program starts quickly)

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.commands.options import BIN_DIR, STACK
from infra.commands.output import errors_exit_with_2
from infra.errors import InfraError


def status(
    *,
    stack: STACK = "dev",
    as_json: Annotated[
        bool, typer.Option("--json", help="Write what `review --live` reads, as JSON: sizes, drift, unmanaged objects.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Write it into this file.")] = None,
) -> None:
    """Show what a stack's databases have, what `up` would do, and what was changed by hand, without asking Pulumi."""
    from infra.check.live_facts import facts_as_json
    from infra.check.status import stack_facts, stack_status

    with errors_exit_with_2():
        text = facts_as_json(stack_facts(Path(), stack)) if as_json else "\n".join(stack_status(Path(), stack))
        if output:
            output.write_text(text + "\n", encoding="utf-8")
        else:
            print(text)


def accept(
    *,
    stack: Annotated[str, typer.Option(help="The stack that the database belongs to from now on.")],
    dsn: Annotated[str, typer.Option(envvar="DSN", help="The database, as a role that its owner role contains.")],
) -> None:
    """Accept a database whose ledger is of another stack, server or database: a restored dump, a copy that moved."""
    from infra.check.stack_files import program_of_stack
    from infra.postgres.ledger.acceptance import accept_ledger
    from infra.server.dsn import connect_dsn, parse_dsn

    with errors_exit_with_2(), connect_dsn(parse_dsn(dsn)) as connection:
        print(accept_ledger(connection, program_of_stack(Path(), stack)))


def backup(
    *,
    stack: STACK = "dev",
    into: Annotated[Path, typer.Option(help="The folder of all backups.")] = Path("backups"),
    keep: Annotated[int, typer.Option(help="Remove the stack's older backups, so that this many stay; 0 for all.")] = 0,
    bin_dir: BIN_DIR = None,
) -> None:
    """Dump the databases of a stack with pg_dump, and prove each dump by restoring it on a private server."""
    from infra.backup.dump import back_up
    from infra.check.stack_files import targets
    from infra.plan.ledger_rows import stack_name

    with errors_exit_with_2():
        found = targets(Path(), stack, "migrator")
        print("\n".join(back_up(found, stack=stack, home=into / stack_name(stack), bin_dir=bin_dir, keep=keep)))


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
    from infra.check import stack_files

    with errors_exit_with_2():
        targets = {target.database: target for target in stack_files.targets(Path(), stack, "migrator")}
        dumps = restoring.backups_in(folder)
        names = [database] if database else list(dumps)
        for name in names:
            if name not in dumps or name not in targets:
                where = f"stack {stack} has {', '.join(targets)}, the backup {', '.join(dumps)}"
                raise InfraError(f"is not in both: {where}", place=f"database {name}", remedy="name one by --database")
        question = f"replace everything in {', '.join(names)} by the backup of {folder.name}?"
        if not yes and not (sys.stdin.isatty() and typer.confirm(question)):
            raise InfraError("nothing was changed", place="restore", remedy="--yes replaces without asking")
        program = stack_files.program_of_stack(Path(), stack)
        for name in names:
            print("\n".join(restoring.restore_database(dumps[name], targets[name], stack=program, bin_dir=bin_dir)))


def review(
    *,
    base: Annotated[str, typer.Option(help="The version that the branch is compared with.")] = "origin/main",
    stack: STACK = "dev",
    output: Annotated[Path | None, typer.Option(help="Write the review to this file instead.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of Markdown.")] = False,
    github: Annotated[bool, typer.Option("--github", help="Comment on the job's pull request on GitHub.")] = False,
    queries: Annotated[
        Path | None, typer.Option(help="Statements that the released code sends, each with a semicolon.")
    ] = None,
    live: Annotated[
        list[Path] | None, typer.Option(help="Show what `status --json` wrote of a stack's databases into this file.")
    ] = None,
    bin_dir: BIN_DIR = None,
) -> None:
    """Write what a branch's modules would do to databases of its base, as a comment for a pull request.

    Nothing but the repository is needed. Exit status: 0 if every stack may take it, 1 if none may, 2 if it could not
    be found out.
    """
    from infra.check.live_facts import read_facts
    from infra.review import comment
    from infra.review.github import publish
    from infra.review.reviewing import review_branch as made

    with errors_exit_with_2():
        stacks = [read_facts(path) for path in live or ()]
        found = made(Path(), base=base, stack=stack, bin_dir=bin_dir, live=stacks, queries=queries)
        text = comment.review_as_json(found) if as_json else comment.review_as_markdown(found)
        if output:
            output.write_text(text, encoding="utf-8")
        else:
            print(text, end="")
        if github:
            print(publish(comment.review_as_markdown(found)), file=sys.stderr)
    raise typer.Exit(1 if found.level == "refused" else 0)

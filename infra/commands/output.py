"""What commands print and write, and their exit status."""

# ruff: noqa: PLC0415 (each command imports what it needs when it runs, so that the program starts quickly)

import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from infra.errors import InfraError
from infra.findings.finding import Finding, RuleText
from infra.findings.formats import Form

if TYPE_CHECKING:
    from infra.generate.written_files import Generated


@contextmanager
def errors_exit_with_2() -> Generator[None]:
    """Exit with 2 for what could not run: exit status 1 means that there are findings."""
    try:
        yield
    except InfraError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None


def print_findings(
    findings: Sequence[Finding],
    *,
    form: Form,
    tool: str,
    rules: Mapping[str, RuleText],
    clean: str,
    notes: Sequence[str] = (),
) -> None:
    """Print findings, with colours on a terminal, or that there are none (`clean`), and exit with their status."""
    from infra.findings.finding import exit_status
    from infra.findings.formats import render

    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = render(findings, form=form, tool=f"platform-postgres {tool}", rules=rules, notes=notes, color=color)
    print(text, end="" if findings or form != "text" else f"{clean}\n")
    raise typer.Exit(exit_status(findings))


def write_or_check(files: Mapping[str, str], output: Path, kind: "Generated", *, check: bool, command: str) -> None:
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
    write_and_report(files, output, kind)


def write_and_report(files: Mapping[str, str], directory: Path, kind: "Generated") -> None:
    """Write the files that differ, remove those that are generated no longer, and print what was done."""
    from infra.generate import written_files

    actions = written_files.write_files(files, directory, kind)
    for name, action in actions.items():
        print(f"{directory / name}: {action}")
    if not actions:
        print("nothing to do")

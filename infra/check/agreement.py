"""What can be compared without a server: generated text with the models, extensions with the settings of each stack."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.check.codes import CHECK_CODES
from infra.findings.finding import Finding, Place
from infra.generate import written_files
from infra.generate.from_models import generate_modules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import MetaData

    from infra.check.stack_files import Extensions
    from models.table_module import TableModule

MOST_LINES = 40
HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


def generated_files(
    metadata: MetaData, modules: Mapping[str, TableModule], directory: Path
) -> tuple[dict[str, bool], list[Finding]]:
    """Say of every generated module whether it is what the models say, with a finding where it is not."""
    files = generate_modules(metadata, modules)
    diffs = written_files.file_differences(files, directory)
    current = {name.removesuffix(".sql"): name not in diffs for name in sorted({*files, *diffs})}
    return current, [_outdated(str(directory / name), diff.splitlines()) for name, diff in diffs.items()]


def _outdated(path: str, diff: list[str]) -> Finding:
    more = [f"and {len(diff) - MOST_LINES} more lines"] if len(diff) > MOST_LINES else []
    return Finding(
        "C115",
        CHECK_CODES["C115"].severity,
        Place(path, _first_line(diff)),
        f"{path} is not what the models say",
        "run `python -m infra generate`, after taking edits of this file over into models/",
        ("- in the file, + as the models say:", *diff[2:MOST_LINES], *more),
    )


def _first_line(diff: Sequence[str]) -> int:
    """Give the line of the file at which a unified diff begins to differ; 1 where there is no such file."""
    for number, line in enumerate(diff):
        if found := HUNK.match(line):
            same = next((count for count, each in enumerate(diff[number + 1 :]) if not each.startswith(" ")), 0)
            return max(int(found[1]) + same, 1)
    return 1


def extensions(created: Mapping[str, Place], stacks: Sequence[Extensions]) -> list[Finding]:
    """Compare the extensions that the modules create with those of each stack's settings, by name."""
    found: list[Finding] = []
    for stack in stacks:
        for name in sorted(created.keys() - set(stack.names)):
            message = f"the modules create the extension {name}, and {stack.who} does not have it"
            remedy = f"add it to the setting `extensions` of {stack.who}, or take it out of the module"
            found.append(_finding(created[name], message, remedy, stack.place))
        for name in sorted(set(stack.names) - created.keys()):
            message = f"{stack.who} has the extension {name}, and no module creates it"
            remedy = "add `CREATE EXTENSION IF NOT EXISTS` to the module of extensions, or take it out of the settings"
            found.append(_finding(stack.place, message, remedy))
    return found


def _finding(place: Place, message: str, remedy: str, *others: Place) -> Finding:
    return Finding("C116", CHECK_CODES["C116"].severity, place, message, remedy, others=others)

"""Comparisons that need no server: generated modules with the models, extensions of modules with stacks' settings."""

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

    from infra.check.stack_files import StackExtensions
    from infra.folder.modules_yaml import FolderSettings
    from infra.generate.imported_models import ImportedModels

MOST_LINES = 40  # of a diff that are shown
HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


def compare_generated_files(
    models: ImportedModels, settings: FolderSettings, directory: Path
) -> tuple[dict[str, bool], list[Finding]]:
    """Compare the generated modules in a directory with the models.

    Returns whether each of them is up to date, by the name of the module, and a finding for each that is not.
    """
    files = generate_modules(models, settings, written_files.hand_written_modules(directory))
    diffs = written_files.file_differences(files, directory)
    current = {name.removesuffix(".sql"): name not in diffs for name in sorted({*files, *diffs})}
    return current, [_outdated(str(directory / name), diff.splitlines()) for name, diff in diffs.items()]


def _outdated(path: str, diff: list[str]) -> Finding:
    more = [f"and {len(diff) - MOST_LINES} more lines"] if len(diff) > MOST_LINES else []
    return Finding(
        "C115",
        CHECK_CODES["C115"].severity,
        Place(path, _first_different_line(diff)),
        f"{path} differs from what the models generate",
        "move edits of this file into the models, then run `python -m infra generate`",
        ("- in the file, + generated from the models:", *diff[2:MOST_LINES], *more),
    )


def _first_different_line(diff: Sequence[str]) -> int:
    """Return the first line of the file that differs, by a unified diff; 1 for a file that does not exist."""
    for number, line in enumerate(diff):
        if hunk := HUNK.match(line):
            equal = next((count for count, text in enumerate(diff[number + 1 :]) if not text.startswith(" ")), 0)
            return max(int(hunk[1]) + equal, 1)
    return 1


def compare_extensions(created: Mapping[str, Place], stacks: Sequence[StackExtensions]) -> list[Finding]:
    """Compare the extensions that the modules create with those of each stack's settings, by name."""
    findings: list[Finding] = []
    for stack in stacks:
        for name in sorted(created.keys() - set(stack.names)):
            message = f"the modules create extension {name}, which is not in {stack.source}"
            remedy = f"add it to the setting `extensions` in {stack.source}, or remove it from the module"
            findings.append(_extension_finding(created[name], message, remedy, stack.place))
        for name in sorted(set(stack.names) - created.keys()):
            message = f"extension {name} is in {stack.source}, but no module creates it"
            remedy = "add `CREATE EXTENSION IF NOT EXISTS` to the module of extensions, or remove it from the settings"
            findings.append(_extension_finding(stack.place, message, remedy))
    return findings


def _extension_finding(place: Place, message: str, remedy: str, *others: Place) -> Finding:
    return Finding("C116", CHECK_CODES["C116"].severity, place, message, remedy, others=others)

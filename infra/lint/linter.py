"""The linter: it reads files, simulates their statements, checks every rule, and leaves out what comments allow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import infra.lint.rules as _rules
from infra.errors import InfraError
from infra.findings.finding import Finding, RuleText, in_order
from infra.lint.allowances import Allowance, read_allowances
from infra.lint.builtins import read_builtins
from infra.lint.discovery import STDIN, Sources, read_sources
from infra.lint.options import SETTINGS_FILE, LintSettings, read_lint_settings
from infra.lint.rule import RULES, LintProject, Violation
from infra.lint.simulation import simulate
from infra.lint.stack_settings import DATABASE_ROLES, StackSettings, read_stacks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.lint.source_file import SourceFile

__all__ = ["RULES", "lint_files", "lint_sources", "rule_texts"]

del _rules  # imported so that it registers the rules


def rule_texts() -> dict[str, RuleText]:
    """Return title, severity and text of each rule by its code."""
    return {code: RuleText(rule.title, rule.severity, rule.text) for code, rule in sorted(RULES.items())}


def lint_files(paths: Sequence[Path], *, settings_file: Path | None = None) -> list[Finding]:
    """Return the findings of files and directories, checked with the settings of their project.

    Raises InfraError if a path or the settings cannot be read.
    """
    missing = [str(path) for path in paths if path != STDIN and not path.exists()]
    if missing:
        raise InfraError("no such file or directory", place=", ".join(missing), remedy="name the SQL to check")
    root = _project_root(paths[0])
    if settings_file is None and root and (root / SETTINGS_FILE).is_file():
        settings_file = root / SETTINGS_FILE
    settings = read_lint_settings(settings_file, RULES)
    return lint_sources(read_sources(paths), settings, _stacks_of(paths, root) if root else [])


def _stacks_of(paths: Sequence[Path], root: Path) -> list[StackSettings]:
    """Return the stacks whose modules are among the paths; standard input may be a module of any of them."""
    folders = {path.resolve() if path.is_dir() else path.resolve().parent for path in paths}
    return [stack for stack in read_stacks(root) if STDIN in paths or stack.directory in folders]


def _project_root(path: Path) -> Path | None:
    """Return the nearest directory above a path that has lint.yaml or Pulumi.yaml, None if there is none."""
    absolute = path.resolve()
    for directory in (absolute, *absolute.parents):
        if (directory / SETTINGS_FILE).is_file() or (directory / "Pulumi.yaml").is_file():
            try:
                return Path(directory.relative_to(Path.cwd()))  # shorter in messages
            except ValueError:
                return directory
    return None


def lint_sources(sources: Sources, settings: LintSettings, stacks: list[StackSettings]) -> list[Finding]:
    """Return the findings of all rules that the settings select, in the order of their places."""
    endings = DATABASE_ROLES.union(*(stack.roles for stack in stacks))
    external = settings.given | {f"role *_{ending}" for ending in endings}
    state = simulate(sources.files, read_builtins(), external=external)
    project = LintProject(sources, settings, state, stacks)
    allowances = {file.path: read_allowances(file) for file in sources.files}
    files = {file.path: file for file in sources.files}
    not_reported = {file.path for file in sources.files if not file.reported}
    findings: list[Finding] = []
    for code, rule in RULES.items():
        if not settings.applies(code):
            continue
        severity = settings.severity.get(code, rule.severity)
        for violation in rule.check(project):
            path = violation.place.path
            if path not in not_reported and not _is_allowed(violation, code, files.get(path), allowances.get(path, [])):
                findings.append(
                    Finding(
                        code,
                        severity,
                        violation.place,
                        violation.message,
                        violation.remedy,
                        violation.detail,
                        violation.others,
                    )
                )
    reported = [allowance for path in allowances if path not in not_reported for allowance in allowances[path]]
    findings += _findings_of_allowances(reported, settings)
    return in_order(dict.fromkeys(findings))


def _is_allowed(violation: Violation, code: str, file: SourceFile | None, allowances: list[Allowance]) -> bool:
    # Not any(), which would stop at the first: every comment that allows the finding has to be recorded as used.
    return sum(allowance.allows(code, file, violation.statement) for allowance in allowances) > 0


def _findings_of_allowances(allowances: list[Allowance], settings: LintSettings) -> Iterator[Finding]:
    """Yield the comments that are wrong (M110) and those that allow no finding (M111)."""
    for allowance in allowances:
        unknown = [code for code in allowance.codes if code not in RULES]
        problem = allowance.problem or (f"names {unknown[0]}, which is not the code of a rule" if unknown else "")
        unused = [code for code in allowance.codes if code not in allowance.used and settings.applies(code)]
        if problem:
            remedy = "write `-- lint: allow M404 because …` at the statement, or `… in this file because …`"
            yield from _finding("M110", allowance, f"the comment {problem}", remedy, settings)
        elif unused:
            message = f"there is no finding here that {', '.join(unused)} would allow"
            yield from _finding("M111", allowance, message, "remove the comment", settings)


def _finding(code: str, allowance: Allowance, message: str, remedy: str, settings: LintSettings) -> Iterator[Finding]:
    if settings.applies(code):
        severity = settings.severity.get(code, RULES[code].severity)
        yield Finding(code, severity, allowance.file.place(allowance.start), message, remedy)

"""Lints files: reads them, follows them, asks every rule, and leaves out what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import infra.lint.rules as _rules
from infra.errors import InfraError
from infra.findings.finding import Finding, Place, RuleText, in_order
from infra.lint.allow import Allowance, allowances
from infra.lint.builtins import known
from infra.lint.options import FILE, LintSettings, read_settings
from infra.lint.rule import RULES, Hit, LintProject, rule
from infra.lint.simulation import simulate
from infra.lint.source import STDIN, Sources, read_sources
from infra.lint.stack_settings import StackSettings, read_stacks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.lint.source import SourceFile

__all__ = ["RULES", "lint_files", "lint_sources", "rule_texts"]

ALLOWANCES = ("M110", "M111")
del _rules


@rule("M110", "A comment that allows nothing in particular")
def wrong_allowance(_project: LintProject) -> Iterator[Hit]:
    """Hold the place of a rule whose findings come from the comments: an allowance names codes and a reason."""
    yield from ()


@rule("M111", "A comment that is not needed", "warning")
def unused_allowance(_project: LintProject) -> Iterator[Hit]:
    """Hold the place of a rule whose findings come last: an allowance that allows no finding is taken out."""
    yield from ()


def rule_texts() -> dict[str, RuleText]:
    """Give what there is to say of each code."""
    return {code: RuleText(one.title, one.severity, one.why) for code, one in sorted(RULES.items())}


def lint_files(paths: Sequence[Path], *, settings_file: Path | None = None) -> list[Finding]:
    """Lint files and directories with the settings of their project; raises InfraError where that cannot be done."""
    missing = [str(path) for path in paths if path != STDIN and not path.exists()]
    if missing:
        raise InfraError("no such file or directory", place=", ".join(missing), remedy="name the SQL to look at")
    root = _root(paths[0])
    if settings_file is None and root and (root / FILE).is_file():
        settings_file = root / FILE
    settings = read_settings(settings_file, RULES)
    return lint_sources(read_sources(paths), settings, read_stacks(root) if root else [])


def _root(path: Path) -> Path | None:
    """Find the project that a path is in: the nearest directory above it with lint.yaml or Pulumi.yaml."""
    here = path.resolve()
    for directory in (here, *here.parents):
        if (directory / FILE).is_file() or (directory / "Pulumi.yaml").is_file():
            try:
                return Path(directory.relative_to(Path.cwd()))  # to be shown as short as can be
            except ValueError:
                return directory
    return None


def lint_sources(sources: Sources, settings: LintSettings, stacks: list[StackSettings]) -> list[Finding]:
    """Ask every rule that applies; give the findings in the order of their places."""
    history = simulate(sources.files, known(), given=settings.given)
    project = LintProject(sources, settings, history, stacks)
    allowed = {file.path: allowances(file) for file in sources.files}
    files = {file.path: file for file in sources.files}
    quiet = {file.path for file in sources.files if not file.reported}
    found: list[Finding] = []
    for code, one in RULES.items():
        if not settings.applies(code):
            continue
        severity = settings.severity.get(code, one.severity)
        for hit in one.look(project):
            path = hit.place.path
            if path not in quiet and not _is_allowed(hit, code, files.get(path), allowed.get(path, [])):
                found.append(Finding(code, severity, hit.place, hit.message, hit.remedy, hit.detail, hit.others))
    found += _of_allowances(allowed, settings, quiet)
    return in_order(dict.fromkeys(found))


def _is_allowed(hit: Hit, code: str, file: SourceFile | None, allowed: list[Allowance]) -> bool:
    return sum(one.allows(code, file, hit.located) for one in allowed) > 0  # all are asked: each remembers its use


def _of_allowances(allowed: dict[str, list[Allowance]], settings: LintSettings, quiet: set[str]) -> Iterator[Finding]:
    """Find the allowances that say nothing, and those that were not needed."""
    for one in (each for path, some in allowed.items() if path not in quiet for each in some):
        place = one.file.place(one.start)
        unknown = [code for code in one.codes if code not in RULES]
        wrong = one.wrong or (f"names {unknown[0]}, which is no code" if unknown else "")
        if wrong:
            remedy = "write `-- lint: allow M404 because …` at the statement, or `… in this file because …`"
            yield from _allowance("M110", place, f"the comment {wrong}", remedy, settings)
            continue
        needless = [code for code in one.codes if code not in one.used and settings.applies(code)]
        if needless:
            what = f"nothing is found here that {', '.join(needless)} would allow"
            yield from _allowance("M111", place, what, "remove the comment", settings)


def _allowance(code: str, place: Place, what: str, remedy: str, settings: LintSettings) -> Iterator[Finding]:
    if settings.applies(code):
        yield Finding(code, settings.severity.get(code, RULES[code].severity), place, what, remedy)

"""Linting of texts as if they were the modules 01, 02, … of a project with one stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.lint.discovery import Sources
from infra.lint.linter import lint_sources
from infra.lint.options import LintSettings
from infra.lint.source_file import parse_file
from infra.lint.stack_settings import StackSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.findings.finding import Finding

STACK = StackSettings(
    "Pulumi.dev.yaml",
    Path("sql"),
    frozenset({"uuid-ossp", "pgcrypto", "pg_trgm", "pg_stat_statements"}),
    frozenset(),
    version=16,
)


def lint_texts(texts: Sequence[str], settings: LintSettings | None = None) -> list[Finding]:
    """Return the findings of modules with these texts."""
    names = [f"{number:02}-x.sql" for number in range(1, len(texts) + 1)]
    files = [parse_file(f"sql/{name}", name, text.encode()) for name, text in zip(names, texts, strict=True)]
    return lint_sources(Sources(files, [], []), settings or LintSettings(), [STACK])


def places(findings: Sequence[Finding], code: str) -> list[str]:
    """Return number of the module and line of each finding of a code, as in `2:15`."""
    return [f"{int(finding.place.path[4:6])}:{finding.place.line}" for finding in findings if finding.code == code]

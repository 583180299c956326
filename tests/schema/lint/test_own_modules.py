"""The modules in sql/ have no findings."""

from __future__ import annotations

from pathlib import Path

from infra.lint.linter import lint_files

SQL = Path(__file__).parents[3] / "sql"


def test_the_modules_have_no_findings() -> None:
    """Lint reports nothing in sql/, and no comment in it allows a finding."""
    assert lint_files([SQL]) == []
    assert "lint:" not in "".join(path.read_text(encoding="utf-8") for path in SQL.iterdir())

"""This project's models, modules and settings have one schema, as `python -m infra check` compares them."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.check.checker import CheckedProject, check_project
from infra.modules.module import load_modules
from tests.schema.project import own_schema

pytestmark = pytest.mark.database

ROOT = Path(__file__).parents[3]


def test_this_project_has_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models, modules, psql, Alembic and settings agree, and a second run of each module is reported."""
    monkeypatch.chdir(ROOT)
    project = CheckedProject(ROOT, Path("sql"), own_schema().settings, own_schema().models)
    report = check_project(project)
    assert report.findings == []
    (_, again) = report.notes
    assert again.startswith("run a second time, changed nothing: sql/01-init-extensions.sql; refused: ")
    assert again.count(".sql") == len(load_modules(ROOT / "sql")) == 8

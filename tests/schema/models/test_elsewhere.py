"""This project's own schema is known here alone: another team removes this folder, and everything else works."""

from __future__ import annotations

import re
from pathlib import Path

from tests.schema.project import ROOT, own_schema

HERE = Path(__file__).parents[1]
SHARED = ("infra", "platform_postgres", "toolchain", "tests")
TEXTS = {".py", ".sql", ".json", ".html", ".css", ".js", ".sh", ".txt"}


def test_nothing_else_names_a_table_or_a_module_of_this_project() -> None:
    """Its tables but those with everyday names, its modules of tables and their numbers, its databases."""
    schema = own_schema()
    tables = [table.name for table in schema.metadata.tables.values() if "_" in table.name]
    assert len(tables) > 15
    names = re.compile(rf"\b(?:{'|'.join([*tables, *schema.modules])})|netra|02 to 08|init-users")
    below = (path for top in SHARED for path in ROOT.joinpath(top).rglob("*") if not path.is_relative_to(HERE))
    files = [ROOT / "Makefile", *(path for path in below if path.suffix in TEXTS)]
    assert len(files) > 500
    assert [str(path) for path in files if names.search(path.read_text(encoding="utf-8"))] == []

"""The documents that are about this project's schema, or name its tests, have links and names that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_links_of_the_generated_documents_lead_somewhere() -> None:
    """Every relative link of docs/schema leads to a file that is there."""
    folder = ROOT / "docs/schema"
    text = folder.joinpath("schema.md").read_text(encoding="utf-8")
    links = {link for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) if "://" not in link}
    assert len(links) > 10
    assert [link for link in links if not folder.joinpath(link).exists()] == []


def test_the_tests_that_documents_name_are_there() -> None:
    """Every file of tests/ that a document names is there."""
    for page in [*ROOT.glob("*.md"), *ROOT.joinpath("docs").glob("*.md")]:
        named = re.findall(r"`(tests/[\w/.]+)`", page.read_text(encoding="utf-8"))
        assert [file for file in named if not ROOT.joinpath(file).exists()] == [], page

"""How a module's file differs from what the ledger has of it."""

from __future__ import annotations

import pytest

from infra.modules.decision import Change, Digests
from infra.modules.digests import text_digest
from infra.modules.module import Module
from infra.modules.module_file import ModuleFile
from infra.modules.statements import statements_digest

TEXT, REFORMATTED, OTHER = "CREATE TABLE a ();", "create table a ( ); -- x", "CREATE TABLE b ();"


@pytest.mark.parametrize(
    ("applied", "change"),
    [(None, Change.NEW), (TEXT, Change.SAME), (REFORMATTED, Change.REFORMATTED), (OTHER, Change.CHANGED)],
)
def test_a_file_is_compared_by_text_then_by_statements(applied: str | None, change: Change) -> None:
    """An equal text is the same module; another text with the same statements is only reformatted."""
    digests = Digests(text_digest(applied), statements_digest(applied)) if applied else None
    assert ModuleFile(Module(1, "01-a", "sql/01-a.sql", TEXT)).change_since(digests) is change


def test_the_same_text_is_the_same_module() -> None:
    """Whatever a newer algorithm for the digest of statements returns; the text is not even parsed."""
    file = ModuleFile(Module(1, "01-a", "sql/01-a.sql", "this is no SQL"))
    assert file.change_since(Digests(file.text_digest, "of another algorithm")) is Change.SAME

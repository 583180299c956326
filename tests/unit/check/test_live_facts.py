"""The file about live databases: read as it was written, or refused in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.check.live_facts import (
    DatabaseFacts,
    StackFacts,
    facts_as_json,
    largest_sizes,
    read_facts,
    statements_sent,
)
from infra.errors import InfraError
from infra.hazards.sizes import TableSize

if TYPE_CHECKING:
    from pathlib import Path

LIVE = StackFacts(
    "prod",
    "2026-11-26 03:17",
    {
        "shop": DatabaseFacts(
            {"public.orders": TableSize(7, 8192)},
            ("a drift",),
            ("no module made table public.x",),
            statements=("SELECT 1",),
        ),
        "shop_eu": DatabaseFacts({"public.orders": TableSize(9, 16384)}, statements=("SELECT 1", "SELECT 2")),
        "gone": DatabaseFacts(problem="database gone: does not exist"),
    },
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The file has everything, and of a table that several databases have the largest counts."""
    path = tmp_path / "live.json"
    path.write_text(facts_as_json(LIVE), encoding="utf-8")
    assert read_facts(path) == LIVE
    assert largest_sizes([LIVE]) == {"public.orders": TableSize(9, 16384)}
    assert statements_sent([LIVE]) == {"SELECT 1": "prod/shop", "SELECT 2": "prod/shop_eu"}


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """It has no statements."""
    path = tmp_path / "live.json"
    text = facts_as_json(StackFacts("prod", "", {"shop": DatabaseFacts()}))
    path.write_text(text.replace(',\n      "statements": []', ""), encoding="utf-8")
    assert "statements" not in path.read_text(encoding="utf-8")
    assert read_facts(path).databases == {"shop": DatabaseFacts()}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stack": "a", "time": "", "databases": {"x": {}}}', '{"a": 1}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is empty, no JSON, or of another form is named, with the command that writes a right one."""
    path = tmp_path / "live.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InfraError) as refused:
        read_facts(path)
    assert str(refused.value) == (
        f'{path}: is not what `status` writes about a stack; write it by `make status ARGS="--json --output=live.json"`'
    )
    path.unlink()
    with pytest.raises(InfraError, match="cannot be read"):
        read_facts(path)

"""The stacks whose files are committed: each is short and commented, and can be brought up as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.check.stack_files import settings_of_stack

ROOT = Path(__file__).parents[3]
LONGEST = 25
STACKS = {
    "dev": ("embedded", "ephemeral"),
    "docker": ("docker", "ephemeral"),
    "external": ("external", "ephemeral"),
    "pr": ("embedded", "ephemeral"),
    "test": ("external", "ephemeral"),
    "staging": ("external", "persistent"),
    "prod": ("external", "persistent"),
}


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_is_as_its_comment_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kind and lifecycle, no password in the file, and nothing of an environment's in a stack that people made."""
    monkeypatch.chdir(ROOT)
    settings = settings_of_stack(ROOT, name)
    assert (settings.server.kind, settings.lifecycle.value) == STACKS[name]
    assert not settings.expires
    text = ROOT.joinpath(f"Pulumi.{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(text.splitlines()) <= LONGEST
    assert "password:" not in text

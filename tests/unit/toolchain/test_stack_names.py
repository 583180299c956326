"""Which stacks a target may act on, by their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import stack_names
from parts import SetupError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("platform-postgres:lifecycle: persistent", True),
        ('"platform-postgres:lifecycle": "persistent"  # nothing is dropped', True),
        ("platform-postgres:lifecycle: ephemeral", False),
        ("# platform-postgres:lifecycle: persistent", False),
        ("platform-postgres:env_file: persistent", False),
    ],
)
def test_destroy_of_a_persistent_stack_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, *, refused: bool
) -> None:
    """Before Pulumi is started, so that nothing is removed; other stacks, and those without a file, are not."""
    monkeypatch.setattr(stack_names, "ROOT", tmp_path)
    (tmp_path / "Pulumi.prod.yaml").write_text(f"config:\n  {line}\n")
    stack_names.refuse_persistent("dev")
    if not refused:
        stack_names.refuse_persistent("prod")
        return
    with pytest.raises(SetupError, match="is persistent, and nothing was removed") as caught:
        stack_names.refuse_persistent("org/platform/prod")
    assert "make destroy STACK=org/platform/prod" in str(caught.value)

"""The file of an environment's stack: the template with an expiry; never a file that somebody wrote."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
import yaml

from infra.environments.stack_file import is_of_people, remove_stack_file, write_stack_file
from infra.errors import InfraError

if TYPE_CHECKING:
    from pathlib import Path

EXPIRES = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
TEMPLATE = "config:\n  shop:lifecycle: ephemeral # for a time\n  shop:expires: 2020-01-01T00:00:00Z\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with a template."""
    (tmp_path / "Pulumi.pr.yaml").write_text(TEMPLATE)
    return tmp_path


def written(root: Path, salt: str = "") -> dict[str, object]:
    path = write_stack_file(root, "pr-12", "pr", project="shop", expires=EXPIRES, salt=salt)
    assert path.name == "Pulumi.pr-12.yaml"
    return yaml.safe_load(path.read_text())


def test_it_is_the_template_with_an_expiry(root: Path) -> None:
    """The expiry is text: Pulumi would read a time that stands there without quotes otherwise."""
    config = {"shop:lifecycle": "ephemeral", "shop:expires": "2026-11-26T12:00:00Z"}
    assert written(root) == {"config": config}


def test_what_decrypts_secrets_is_kept(root: Path) -> None:
    """The salt of a stack that exists, and what Pulumi wrote into the file afterwards."""
    assert written(root, salt="v1:x")["encryptionsalt"] == "v1:x"
    assert written(root)["encryptionsalt"] == "v1:x"


def test_a_file_that_somebody_wrote_is_never_touched(root: Path) -> None:
    """Neither written nor removed."""
    (root / "Pulumi.pr-12.yaml").write_text(TEMPLATE)
    assert is_of_people(root, "pr-12")
    with pytest.raises(InfraError, match=r"a file Pulumi\.pr-12\.yaml that somebody wrote"):
        written(root)
    remove_stack_file(root, "pr-12")
    assert (root / "Pulumi.pr-12.yaml").read_text() == TEMPLATE


def test_its_own_file_is_removed(root: Path) -> None:
    """And a missing one is no error."""
    written(root)
    remove_stack_file(root, "pr-12")
    remove_stack_file(root, "pr-12")
    assert [path.name for path in root.iterdir()] == ["Pulumi.pr.yaml"]


@pytest.mark.parametrize(("text", "reason"), [("- a", "is not the file of a stack"), ("a: [", "it is not YAML")])
def test_a_template_that_is_none(root: Path, text: str, reason: str) -> None:
    """What is wrong with it is said in a sentence, and nothing is written."""
    (root / "Pulumi.pr.yaml").write_text(text)
    with pytest.raises(InfraError, match=reason):
        written(root)
    (root / "Pulumi.pr.yaml").unlink()
    with pytest.raises(InfraError, match=r"Pulumi.pr.yaml: cannot be read \(No such file"):
        written(root)
    assert not list(root.iterdir())

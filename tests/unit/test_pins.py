"""Installations are reproducible: versions are exact, and every file that is downloaded has a digest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.settings.servers import DockerSettings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_every_python_package_has_one_version_and_its_digests(path: Path) -> None:
    """Each requirement names an exact version, with the digest of each file that may be downloaded."""
    blocks = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", path.read_text(), flags=re.MULTILINE).strip())
    assert blocks
    for block in blocks:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", block), block
        assert "--hash=sha256:" in block, block


def test_every_go_module_is_pinned_by_a_sum() -> None:
    """Each Go module that is built has a go.sum of what it requires, and none requires `latest`."""
    found = [path for folder in ("toolchain", "bench") for path in ROOT.joinpath(folder).rglob("go.mod")]
    modules = [path for path in found if "require" in path.read_text()]
    assert modules
    for path in modules:
        assert "latest" not in path.read_text()
        assert path.with_name("go.sum").exists() or "shim" in path.parent.name, path


def test_an_image_may_be_pinned_by_its_digest() -> None:
    """An image may be named by a tag with a digest or by a digest alone, and is used as it is written."""
    digest = "sha256:" + 64 * "a"
    for image in (f"postgres:17.6@{digest}", f"postgres@{digest}"):
        assert DockerSettings.model_validate({"kind": "docker", "image": image}).image == image


def test_no_module_sets_session_variables() -> None:
    """No module has a SET command: its effect, such as a time zone, would end with the session."""
    for path in sorted(ROOT.glob("sql/*.sql")):
        assert not re.search(r"^\s*SET\s", path.read_text(), re.MULTILINE | re.IGNORECASE), path

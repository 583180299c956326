"""The package that other programs install: what it requires, and that its name for the implementation is guarded."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PYPROJECT = ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8")


def required(heading: str) -> dict[str, Requirement]:
    """Return the requirements in a list of pyproject.toml, by name."""
    (block,) = re.findall(rf"^{heading} = \[(.*?)\]\s*$", PYPROJECT, re.MULTILINE | re.DOTALL)
    return {found.name: found for found in map(Requirement, re.findall(r'"([^"]+)"', block))}


def pinned(part: str) -> dict[str, Requirement]:
    """Return the pinned requirements in a file of this checkout, by name."""
    lines = ROOT.joinpath(f"requirements{part}.in").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith(("#", "-c"))]
    return {requirement.name: requirement for requirement in found}


@pytest.mark.parametrize(
    ("heading", "part", "names"),
    [
        ("dependencies", "", None),
        ("embedded", "-embedded", None),
        ("docker", "-docker", None),
        ("docs", "-dev", {"jinja2"}),
    ],
)
def test_the_package_requires_what_the_checkout_pins(heading: str, part: str, names: set[str] | None) -> None:
    """Each requirement of the package is pinned here, within its range, with the same extras and the same condition."""
    ranges, pins = required(heading), pinned(part)
    assert set(ranges) == (names or set(pins))
    for name, requirement in ranges.items():
        pin = pins[name]
        (version,) = [specifier.version for specifier in pin.specifier]
        assert requirement.specifier.contains(version), name
        assert (requirement.extras, str(requirement.marker)) == (pin.extras, str(pin.marker)), name


def test_the_package_is_built_with_what_the_tests_build_it_with() -> None:
    """The build backend is pinned to the version in requirements-dev.in."""
    (backend,) = required("requires").values()
    assert backend.specifier == pinned("-dev")["hatchling"].specifier


def test_a_program_with_a_package_of_the_same_name_is_told_so(tmp_path: Path) -> None:
    """A folder `infra` beside the program would hide the package's own: the import says which, and what to do."""
    hidden = tmp_path / "infra"
    hidden.mkdir()
    (hidden / "__init__.py").touch()
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import platform_postgres"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert f"ImportError: {hidden} hides the package `infra`" in done.stderr
    assert "rename yours" in done.stderr


def test_the_changelog_has_the_version_of_the_package() -> None:
    """The release that is built is described under its version, which stands in pyproject.toml alone."""
    (version,) = re.findall(r'^version = "([^"]+)"$', PYPROJECT, re.MULTILINE)
    changelog = ROOT.joinpath("CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(version)}, \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE)

"""lint.yaml: what it may say, and what is refused with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.lint.linter import lint_files
from infra.lint.options import LintSettings, read_settings
from infra.lint.rule import RULES
from infra.lint.stack_settings import StackSettings, read_stacks
from infra.modules.extensions import DEFAULT_EXTENSIONS

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
purposes: {"01": extensions, "02-06": tables}
max_lines: 500
severity: {M407: note}
ignore:
  M507: the text counts
select: [M1, M507]
given: [table auth.users]
"""


def test_every_key(tmp_path: Path) -> None:
    """Every key of the file is a value of the settings."""
    file = tmp_path / "lint.yaml"
    file.write_text(WHOLE)
    assert read_settings(file, RULES) == LintSettings(
        purposes={(1, 1): "extensions", (2, 6): "tables"},
        max_lines=500,
        severity={"M407": "note"},
        ignore={"M507": "the text counts"},
        select=("M1", "M507"),
        given=frozenset({"table auth.users"}),
        path=str(file),
    )
    file.write_text("# nothing\n")
    assert read_settings(file, RULES) == LintSettings(path=str(file))


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("max_line: 3", "1:1", "max_line is not a setting; known: given,"),
        ("a:\nmax_lines: few", "2:12", "few is no number of lines"),
        ("ignore:\n  M999: x", "2:3", "M999 is no code"),
        ("ignore:\n  M407: ''", "2:9", "M407 has not what it needs; give a reason"),
        ("severity: {M407: fatal}", "1:18", "give error, warning or note"),
        ("select: [X]", "1:9", "X begins no code"),
        ("purposes: {01: pictures}", "1:16", "pictures is no purpose"),
        ("purposes: {first: tables}", "1:12", "first is no number of modules"),
        ("- a", "1:1", "is no mapping"),
        ("given: x", "1:8", "is no list"),
        ("{", "", "cannot be read"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(tmp_path: Path, text: str, place: str, said: str) -> None:
    """An unknown key and a wrong value are said with line and column, and nothing is looked at."""
    file = tmp_path / "lint.yaml"
    file.write_text(text)
    with pytest.raises(InfraError) as error:
        read_settings(file, RULES)
    assert f"{file}:{place}" in str(error.value)
    assert said in str(error.value)


def test_the_stacks_say_which_extensions_there_are(tmp_path: Path) -> None:
    """A stack's own list counts, else the default; libraries are those that its server loads."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.a.yaml").write_text("config:\n  other:extensions: [x]\n")
    (tmp_path / "Pulumi.b.yaml").write_text(
        "config:\n  shop:extensions: [citext]\n  shop:server:\n    settings: {shared_preload_libraries: 'a, citus'}\n"
    )
    assert read_stacks(tmp_path) == [
        StackSettings(str(tmp_path / "Pulumi.a.yaml"), frozenset(DEFAULT_EXTENSIONS), frozenset({""})),
        StackSettings(str(tmp_path / "Pulumi.b.yaml"), frozenset({"citext"}), frozenset({"a", "citus"})),
    ]
    assert read_stacks(tmp_path / "elsewhere") == []


def test_the_settings_of_the_project_above_apply(tmp_path: Path) -> None:
    """lint.yaml and the stacks are looked for from the first path upwards; another file may be named."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.a.yaml").write_text("config: {}\n")
    (tmp_path / "lint.yaml").write_text("ignore: {M106: x}\n")
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "01-a.sql").write_text("CREATE EXTENSION hstore;")
    (found,) = lint_files([tmp_path / "sql"])
    assert (found.code, "Pulumi.a.yaml" in found.message) == ("M409", True)
    (tmp_path / "other.yaml").write_text("select: [M1]\n")
    assert [one.code for one in lint_files([tmp_path / "sql"], settings_file=tmp_path / "other.yaml")] == ["M106"]

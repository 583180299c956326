"""The settings of lint and of the stacks: every key, and what is refused with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.lint.linter import lint_files
from infra.lint.options import LintSettings, read_lint_settings
from infra.lint.rule import RULES
from infra.lint.stack_settings import DATABASE_ROLES, StackSettings, read_stacks
from infra.settings.databases import ROLES

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


def test_every_key_is_read(tmp_path: Path) -> None:
    """Every key of the file becomes a field of the settings, and a file without keys is the defaults."""
    file = tmp_path / "lint.yaml"
    file.write_text(WHOLE)
    assert read_lint_settings(file, RULES) == LintSettings(
        purposes={(1, 1): "extensions", (2, 6): "tables"},
        max_lines=500,
        severity={"M407": "note"},
        ignore={"M507": "the text counts"},
        select=("M1", "M507"),
        given=frozenset({"table auth.users"}),
        path=str(file),
    )
    file.write_text("# nothing\n")
    assert read_lint_settings(file, RULES) == LintSettings(path=str(file))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("max_line: 3", "1:1", "max_line is not a setting; known: given,"),
        ("a:\nmax_lines: few", "2:12", "few is not a number of lines"),
        ("ignore:\n  M999: x", "2:3", "M999 is not the code of a rule"),
        ("ignore:\n  M407: ''", "2:9", "the value of M407 is not allowed; write a reason"),
        ("severity: {M407: fatal}", "1:18", "write error, warning or note"),
        ("select: [X]", "1:9", "no code begins with X"),
        ("purposes: {01: pictures}", "1:16", "pictures is not a purpose"),
        ("purposes: {first: tables}", "1:12", "first is not a number of modules"),
        ("- a", "1:1", "is not a mapping"),
        ("given: x", "1:8", "is not a list"),
        ("{", "", "cannot be read"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    """An unknown key and a wrong value are reported with line and column."""
    file = tmp_path / "lint.yaml"
    file.write_text(text)
    with pytest.raises(InfraError) as error:
        read_lint_settings(file, RULES)
    assert f"{file}:{place}" in str(error.value)
    assert message in str(error.value)


def test_extensions_and_libraries_are_read_from_the_stacks(tmp_path: Path) -> None:
    """A stack's extensions are its own list or that of Pulumi.yaml; the libraries are those that its server loads."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nconfig:\n  shop:extensions: {value: [hstore]}\n")
    (tmp_path / "Pulumi.a.yaml").write_text("config:\n  other:extensions: [x]\n")
    (tmp_path / "Pulumi.b.yaml").write_text(
        "config:\n  shop:extensions: [citext]\n  shop:server:\n    settings: {shared_preload_libraries: 'a, citus'}\n"
        "  shop:modules: {directory: other}\n"
    )
    assert read_stacks(tmp_path) == [
        StackSettings(str(tmp_path / "Pulumi.a.yaml"), tmp_path / "sql", frozenset({"hstore"}), frozenset({""}), 17),
        StackSettings(
            str(tmp_path / "Pulumi.b.yaml"), tmp_path / "other", frozenset({"citext"}), frozenset({"a", "citus"}), 17
        ),
    ]
    assert read_stacks(tmp_path / "elsewhere") == []


@pytest.mark.parametrize(
    ("server", "version"),
    [
        ("{kind: docker, image: 'postgres:16.4-alpine'}", 16),
        ("{kind: docker, image: 'host:5000/postgres@sha256:00'}", 0),
        ("{kind: docker}", 17),
        ("{kind: embedded, bin_dir: /opt/pg}", 0),
        ("{kind: external, dsn: 'host=a'}", 0),
    ],
)
def test_the_version_of_a_stacks_server_is_read(tmp_path: Path, server: str, version: int) -> None:
    """It is that of the image's tag, or of the wheel; 0 where the settings do not say it."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.a.yaml").write_text(f"config: {{shop:server: {server}}}\n")
    assert [stack.version for stack in read_stacks(tmp_path)] == [version]


def test_the_settings_of_the_project_above_apply(tmp_path: Path) -> None:
    """lint.yaml and the stacks are searched from the first path upwards; another settings file may be named."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.a.yaml").write_text("config: {}\n")
    (tmp_path / "lint.yaml").write_text("ignore: {M106: x}\n")
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "01-a.sql").write_text("CREATE EXTENSION hstore;")
    (finding,) = lint_files([tmp_path / "sql"])
    assert (finding.code, "Pulumi.a.yaml" in finding.message) == ("M409", True)
    (tmp_path / "other.yaml").write_text("select: [M1]\n")
    findings = lint_files([tmp_path / "sql"], settings_file=tmp_path / "other.yaml")
    assert [finding.code for finding in findings] == ["M106"]


def test_the_roles_of_stacks_are_known(tmp_path: Path) -> None:
    """Roles are those of each database, and the stack's further ones; others need `given`."""
    assert frozenset(ROLES) == DATABASE_ROLES
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.a.yaml").write_text("config:\n  shop:roles: {reporting: {inherits: readonly}}\n")
    (tmp_path / "sql").mkdir()
    roles = ("shop_app", "shop_reporting", "boss", "given")
    (tmp_path / "sql/01-a.sql").write_text(
        "-- A.\nCREATE SCHEMA s;\n" + "".join(f"GRANT USAGE ON SCHEMA s TO {role};\n" for role in roles)
    )
    (tmp_path / "lint.yaml").write_text("given: [role given]\n")
    (finding,) = lint_files([tmp_path / "sql"])
    assert finding.message == "names the role boss, which no stack creates"
    assert finding.remedy.endswith("or add `role boss` to `given` in lint.yaml")

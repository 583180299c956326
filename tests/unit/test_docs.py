"""The documents say what the program does: their tables are compared with the code, their links with the files."""

from __future__ import annotations

import json
import re
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.modules.decision import as_markdown
from infra.settings.databases import DatabaseSettings, GroupSettings, RoleSettings
from infra.settings.model import BackupSettings, ModuleSettings, Settings
from infra.settings.servers import DockerSettings, EmbeddedSettings, ExternalSettings

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.joinpath("docs").glob("*.md")])

GROUPS: list[tuple[str, type[BaseModel]]] = [
    ("", Settings),
    ("server.", EmbeddedSettings),
    ("server.", DockerSettings),
    ("server.", ExternalSettings),
    ("databases[].", DatabaseSettings),
    ("databases[].", GroupSettings),
    ("roles.<name>.", RoleSettings),
    ("backup.", BackupSettings),
    ("modules.", ModuleSettings),
]
BY_NAME = {"owner", "migrator", "app", "readonly"}
WHOLE = {"server", "modules", "backup"}  # their parts have rows of their own


def default(field: FieldInfo) -> str:
    """Return a default as a stack's file would have it."""
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True) if field.default_factory is None else {}
    if isinstance(value, tuple):
        value = [getattr(item, "name", item) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, float):
        value = f"{value:g}s"
    return "none" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def rows() -> list[str]:
    """Return a row of docs/settings.md for every setting that there is."""
    found: list[str] = []
    for prefix, group in GROUPS:
        for name, field in group.model_fields.items():
            if prefix or name not in WHOLE:
                shown = f"`<name>_{name}`" if name in BY_NAME else default(field)
                shown = "the stack's two" if prefix + name == "databases" else shown
                found.append(f"| `{prefix}{field.alias or name}` | {shown} | {field.description} |")
    return found


def test_every_setting_is_documented_with_its_default() -> None:
    """docs/settings.md has a row for every setting, with its default and what is allowed, and no other row."""
    text = ROOT.joinpath("docs/settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `.*$", text, re.MULTILINE) == rows()


def test_the_table_of_steps_is_the_one_that_decides() -> None:
    """docs/lifecycle.md has the table that previews and runs ask, as it is."""
    assert as_markdown() in ROOT.joinpath("docs/lifecycle.md").read_text(encoding="utf-8")


def test_each_page_opens_with_what_it_answers() -> None:
    """The first paragraph of a page begins with the question that the index has for it."""
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[([\w-]+\.md)\]\([^)]*\) \| (.*\?)[^?]* \|$", index, re.MULTILINE)
    pages = {path.name for path in ROOT.glob("docs/*.md")} - {"README.md"}
    assert {name for name, _ in rows} == pages
    for name, question in rows:
        first = (ROOT / "docs" / name).read_text("utf-8").split("\n\n")[1]
        assert " ".join(first.split()).startswith(question), name


@pytest.mark.parametrize("name", ["schema.md", "schema.html", "schema.mmd"])
def test_generated_pages_have_no_numbers_of_lines(name: str) -> None:
    """A line that is added to a file changes no page about what is below it, so that branches do not collide there."""
    text = ROOT.joinpath("docs", "schema", name).read_text(encoding="utf-8")
    assert re.findall(r"[\w-]+\.(?:py|sql)(?::|#L)\d+", text) == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page, and each picture, leads to a file that is there."""
    text = ROOT.joinpath(page).read_text(encoding="utf-8")
    found = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    links = [link for link in found if "://" not in link]
    assert [link for link in links if not ROOT.joinpath(page.parent, link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_commands_of_the_pages_are_targets(page: Path) -> None:
    """Every `make target` that a page names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", ROOT.joinpath("Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = ROOT.joinpath(page).read_text(encoding="utf-8")
    named = re.findall(r"(?:^|`)make (?:-\w )?([a-z-]+)", text, re.MULTILINE)
    assert set(named) <= targets


def test_every_defect_of_the_terraform_stack_has_its_line() -> None:
    """docs/from-terraform.md has T1 to T26 once each; the tests that it names are there."""
    text = ROOT.joinpath("docs/from-terraform.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (T\d+) ", text, re.MULTILINE) == [f"T{number}" for number in range(1, 27)]
    tests = ROOT.joinpath("tests/program/test_docker.py").read_text(encoding="utf-8")
    assert {name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in tests} == set()


def test_the_examples_in_the_documents_are_the_files() -> None:
    """The programs in docs/your-own-program.md are those in examples/, which tests run."""
    text = ROOT.joinpath("docs/your-own-program.md").read_text(encoding="utf-8")
    for file in ("examples/shop/__main__.py", "examples/inline/inline.py"):
        assert f"```python\n{ROOT.joinpath(file).read_text(encoding='utf-8')}```" in text


def test_every_bad_day_is_run_by_a_test() -> None:
    """Each row of docs/operations.md has what is seen, a command, the state afterwards, and a test that exists."""
    text = (ROOT / "docs/operations.md").read_text("utf-8").partition("## Bad days")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    known = {
        name
        for file in ROOT.glob("tests/**/test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    assert len(rows) > 20
    for row in rows[2:]:
        assert len(row) == 5, row
        assert all(row), row
        named = re.findall(r"`(test_\w+)`", row[4])
        assert named, row
        assert known.issuperset(named), row


def test_what_the_ci_names_is_there() -> None:
    """Every folder or file of tests that .ci/run names exists; another team removes tests/schema as a whole."""
    named = re.findall(r"tests/[\w/.]+", ROOT.joinpath(".ci/run").read_text(encoding="utf-8"))
    assert named
    there = [name for name in named if not name.startswith("tests/schema") or ROOT.joinpath("tests/schema").exists()]
    assert [name for name in there if not ROOT.joinpath(name).exists()] == []

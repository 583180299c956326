"""The modules in sql/: names, texts and length of those that are generated from the models, and one by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import postgast
import pytest

from infra.check.agreement import compare_generated_files
from infra.check.stack_files import extensions_of_stacks
from infra.modules.module import load_modules
from infra.modules.restrictions import find_restricted
from tests.schema.project import own_schema

ROOT = Path(__file__).parents[3]
SQL = ROOT / "sql"
EXTENSIONS = ("uuid-ossp", "pgcrypto", "pg_trgm")

TABLE_FILES = [
    "02-init-users-auth.sql",
    "03-init-agents.sql",
    "04-init-supply.sql",
    "05-init-content.sql",
    "06-init-demo.sql",
]
FILES = [*TABLE_FILES, "07-init-indexes.sql", "08-init-constraints.sql"]


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return own_schema().generate()


def kinds(text: str) -> Counter[str]:
    """Count the statements by their kind, as PostgreSQL's parser names them."""
    return Counter(statement.stmt.WhichOneof("node") or "" for statement in postgast.parse(text).stmts)


def test_files_have_the_names_of_the_seed_document_in_order(files: dict[str, str]) -> None:
    """Seven files are generated, in order; with 01, written by hand, and the settings they are all of sql/."""
    assert list(files) == FILES
    assert sorted(path.name for path in SQL.iterdir()) == ["01-init-extensions.sql", *FILES, "modules.yaml"]


def test_files_in_sql_are_what_the_models_say(files: dict[str, str]) -> None:
    """Every file in sql/ has, byte for byte, the text that is generated."""
    assert {name: (SQL / name).read_bytes() for name in FILES} == {name: text.encode() for name, text in files.items()}


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_generating_again_gives_the_same_bytes(seed: str) -> None:
    """Another process, whose sets are in another order, finds nothing to do."""
    subprocess.run(
        [sys.executable, "-m", "infra", "generate", "--check"],
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd=ROOT,
        check=True,
    )


def test_modules_that_are_what_the_models_say_are_current() -> None:
    """The comparison of `check` has no finding for sql/, and does not mention the module that is written by hand."""
    current, findings = compare_generated_files(own_schema().models, own_schema().settings, SQL)
    assert findings == []
    assert current == dict.fromkeys((name.removesuffix(".sql") for name in FILES), True)


@pytest.mark.parametrize("path", sorted(SQL.glob("*.sql")), ids=lambda path: path.name)
def test_files_are_short_and_clean(path: Path) -> None:
    """Each file has under 300 lines, no trailing space, tab or carriage return, and ends with one newline."""
    text = path.read_bytes().decode()
    lines = text.split("\n")
    assert len(lines) - 1 < 300
    assert [line for line in lines if line != line.rstrip()] == []
    assert "\t" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_first_lines_say_what_a_file_creates_and_where_it_comes_from(files: dict[str, str]) -> None:
    """The first comment line says what the file creates, the second which program writes it and from which models."""
    for name, text in files.items():
        first, second, third = text.splitlines()[:3]
        assert first.startswith("-- ")
        assert first.endswith(".")
        module = own_schema().modules.get(name.removesuffix(".sql"))
        sources = " and ".join(module.files) if module else "models/"
        assert second == f"-- Written by `python -m infra generate` from {sources}; change it there, not here."
        assert third == ""


def test_each_file_has_one_purpose(files: dict[str, str]) -> None:
    """02 to 06 create and describe tables, 06 also inserts once; 07 has only indexes; 08 only constraints."""
    for name in TABLE_FILES:
        tables = own_schema().modules[name.removesuffix(".sql")].tables
        expected = Counter(
            create_stmt=len(tables), comment_stmt=len(tables) + sum(len(table.columns) for table in tables)
        )
        if name == "06-init-demo.sql":
            expected["insert_stmt"] = 1
        assert kinds(files[name]) == expected
    assert kinds(files["07-init-indexes.sql"]) == Counter(
        index_stmt=sum(len(table.indexes) for table in own_schema().metadata.tables.values())
    )
    assert kinds(files["08-init-constraints.sql"]) == Counter(alter_table_stmt=2 + 28)


def test_extensions_are_created_by_hand_if_they_are_missing() -> None:
    """01 creates the three extensions, each with IF NOT EXISTS, and nothing else."""
    statements = postgast.parse((SQL / "01-init-extensions.sql").read_text(encoding="utf-8")).stmts
    created = [statement.stmt.create_extension_stmt for statement in statements]
    assert tuple(extension.extname for extension in created) == EXTENSIONS
    assert all(extension.if_not_exists for extension in created)


def test_the_extensions_of_the_settings_are_those_of_the_modules() -> None:
    """The default settings have the three extensions, and no stack of this project names others."""
    defaults, *others = extensions_of_stacks(ROOT, SQL)
    assert defaults.names == EXTENSIONS
    assert others == []


def test_the_projects_own_modules_are_accepted() -> None:
    """No statement in sql/ is refused."""
    assert [str(problem) for module in load_modules(SQL) for problem in find_restricted(module)] == []

"""The generated modules as files: what is in which, and that generating is repeatable; on the fixture's models."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Literal

import postgast
import pytest

from infra.errors import InfraError
from infra.folder.modules_yaml import FolderSettings, ModuleContent
from infra.generate.from_models import generate_modules
from infra.generate.imported_models import import_models
from infra.modules.module import Module
from tests.fixture_schema import MODULE_NAMES, SQL, shop

ROOT = Path(__file__).parents[3]
FILES = [f"{name}.sql" for name in MODULE_NAMES[1:]]
TABLE_FILES = FILES[:-2]


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return shop().generate()


def kinds(text: str) -> Counter[str]:
    """Count the statements by their kind, as PostgreSQL's parser names them."""
    return Counter(statement.stmt.WhichOneof("node") or "" for statement in postgast.parse(text).stmts)


def test_files_are_generated_in_the_order_of_the_modules(files: dict[str, str]) -> None:
    """A file for each module with tables, then the indexes, then the constraints."""
    assert list(files) == FILES


def test_the_fixtures_modules_are_generated(files: dict[str, str]) -> None:
    """Every file of the fixture has, byte for byte, the text that is generated; 01 is written by hand."""
    assert {path.name: path.read_bytes() for path in SQL.iterdir() if path.name in FILES} == {
        name: text.encode() for name, text in files.items()
    }
    assert sorted(path.stem for path in SQL.glob("*.sql")) == list(MODULE_NAMES)


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_generating_again_gives_the_same_bytes(seed: str) -> None:
    """Another process, whose sets are in another order, finds nothing to do."""
    subprocess.run(
        [sys.executable, "-m", "infra", "generate", "--check", "--directory", str(SQL)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd=ROOT,
        check=True,
    )


def test_texts_are_clean(files: dict[str, str]) -> None:
    """No text has a trailing space, a tab or a carriage return, and each ends with one newline."""
    for text in files.values():
        assert [line for line in text.split("\n") if line != line.rstrip()] == []
        assert "\t" not in text
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_first_lines_say_what_a_file_creates_and_where_it_comes_from(files: dict[str, str]) -> None:
    """The first comment line says what the file creates, the second which program writes it and from which models."""
    for name, text in files.items():
        first, second, third = text.splitlines()[:3]
        assert first.startswith("-- ")
        assert first.endswith(".")
        module = shop().modules.get(name.removesuffix(".sql"))
        sources = " and ".join(module.files) if module else "tests/fixture_schema/models/"
        assert second == f"-- Written by `python -m infra generate` from {sources}; change it there, not here."
        assert third == ""


def test_each_file_has_one_purpose(files: dict[str, str]) -> None:
    """Modules with tables create, describe and fill them; 07 has only indexes; 08 only constraints."""
    for name in TABLE_FILES:
        module = shop().modules[name.removesuffix(".sql")]
        columns = sum(len(table.columns) for table in module.tables)
        expected = Counter(create_stmt=len(module.tables), comment_stmt=len(module.tables) + columns)
        if rows := sum("first_rows" in table.info for table in module.tables):
            expected["insert_stmt"] = rows
        assert kinds(files[name]) == expected
    assert kinds(files["07-init-indexes.sql"]) == Counter(
        index_stmt=sum(len(table.indexes) for table in shop().metadata.tables.values())
    )
    assert kinds(files["08-init-constraints.sql"]) == Counter(alter_table_stmt=4 + 6)


def test_a_table_in_no_module_is_refused() -> None:
    """A model that nobody put into a module is an error that names it and its place, not a table that is missing."""
    contents = shop().settings.modules
    assert isinstance(contents, dict)
    settings = replace(
        shop().settings, modules={title: content for title, content in contents.items() if title != "init-catalogue"}
    )
    with pytest.raises(InfraError) as refused:
        generate_modules(shop().models, settings, [])
    assert refused.value.what == "no module creates table categories"
    assert refused.value.place == "tests/fixture_schema/models/catalogue.py:12"
    assert refused.value.remedy == f"put it in exactly one of `modules` in {settings.path}"


def test_a_table_in_two_modules_is_refused() -> None:
    """A model in two modules is an error that names both."""
    contents = shop().settings.modules
    assert isinstance(contents, dict)
    settings = replace(shop().settings, modules={**contents, "more": ModuleContent(tables=("categories",))})
    with pytest.raises(InfraError, match="the modules init-catalogue and more create table categories"):
        generate_modules(shop().models, settings, [])


def test_the_numbers_follow_the_hand_written_modules_at_the_beginning() -> None:
    """Generated modules are numbered after the hand-written ones at the beginning, or from `first`."""
    by_hand = [Module(number, f"{number:02}-a", f"sql/{number:02}-a.sql", "SELECT 1;") for number in (1, 2, 12)]
    fifth = replace(shop().settings, first=5)
    assert "03-init-customers.sql" in generate_modules(shop().models, shop().settings, by_hand)
    assert "05-init-customers.sql" in generate_modules(shop().models, fifth, by_hand)
    assert "01-init-customers.sql" in generate_modules(shop().models, shop().settings, [])


def test_a_hand_written_module_among_the_generated_ones_is_refused() -> None:
    """A hand-written module with the number of a generated one is an error with the numbers that are free."""
    by_hand = [Module(number, f"{number:02}-a", f"sql/{number:02}-a.sql", "SELECT 1;") for number in (1, 8)]
    with pytest.raises(InfraError) as refused:
        generate_modules(shop().models, shop().settings, by_hand)
    assert str(refused.value) == (
        "sql/08-a.sql: has the number of 08-init-constraints.sql, which is generated; "
        "number hand-written modules below 02 or from 09, or set `first`"
    )


def test_tables_of_a_package_and_of_the_packages_in_it_are_modules_of_their_own(tmp_path: Path) -> None:
    """A package with tables in its own file keeps those alone; each package within it has its own module."""
    for name in ("shop", "shop/orders"):
        (tmp_path / name).mkdir()
        table = name.replace("/", "_")
        text = f"from sqlalchemy import MetaData, Table\nmetadata = MetaData()\nTable('{table}', metadata)\n"
        (tmp_path / name / "__init__.py").write_text(text, encoding="utf-8")
    models = import_models(["shop"], python_path=[str(tmp_path)])
    divisions: list[Literal["package", "file"]] = ["package", "file"]
    for division in divisions:
        settings = FolderSettings("sql/modules.yaml", ("shop",), modules=division)
        assert list(generate_modules(models, settings, [])) == ["01-shop.sql", "02-orders.sql"]

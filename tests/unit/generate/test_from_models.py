"""The generated modules as files: what is in which, and that generating is repeatable; on the fixture's models."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import postgast
import pytest

from infra.errors import InfraError
from infra.generate.from_models import generate_modules
from tests.fixture_schema import COMMAND, MODULE_NAMES, SQL, models

ROOT = Path(__file__).parents[3]
FILES = [f"{name}.sql" for name in MODULE_NAMES[1:]]
TABLE_FILES = FILES[:-2]


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return generate_modules(models.metadata, models.MODULES)


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
    assert sorted(path.stem for path in SQL.iterdir()) == list(MODULE_NAMES)


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_generating_again_gives_the_same_bytes(seed: str) -> None:
    """Another process, whose sets are in another order, finds nothing to do."""
    subprocess.run(
        [*COMMAND, "generate", "--check", "--directory", str(SQL)],
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
        module = models.MODULES.get(name.removesuffix(".sql"))
        sources = " and ".join(module.files) if module else "models/"
        assert second == f"-- Written by `python -m infra generate` from {sources}; change it there, not here."
        assert third == ""


def test_each_file_has_one_purpose(files: dict[str, str]) -> None:
    """Modules with tables create, describe and fill them; 07 has only indexes; 08 only constraints."""
    for name in TABLE_FILES:
        module = models.MODULES[name.removesuffix(".sql")]
        columns = sum(len(table.columns) for table in module.tables)
        expected = Counter(create_stmt=len(module.tables), comment_stmt=len(module.tables) + columns)
        if module.seeds:
            expected["insert_stmt"] = len(module.seeds)
        assert kinds(files[name]) == expected
    assert kinds(files["07-init-indexes.sql"]) == Counter(
        index_stmt=sum(len(table.indexes) for table in models.metadata.tables.values())
    )
    assert kinds(files["08-init-constraints.sql"]) == Counter(alter_table_stmt=4 + 6)


def test_a_table_in_no_module_is_refused() -> None:
    """A model that nobody put into a module is an error that names it, not a table that is silently missing."""
    modules = {name: module for name, module in models.MODULES.items() if name != "03-init-catalogue"}
    with pytest.raises(InfraError) as refused:
        generate_modules(models.metadata, modules)
    assert str(refused.value) == (
        "models/__init__.py: no SQL module creates categories, products; add the model to one of MODULES"
    )


def test_a_table_in_two_modules_is_refused() -> None:
    """A model in two modules is an error that names it."""
    catalogue = models.MODULES["03-init-catalogue"]
    modules = {**models.MODULES, "03-init-more": replace(catalogue, tables=catalogue.tables[:1])}
    with pytest.raises(InfraError) as refused:
        generate_modules(models.metadata, modules)
    assert str(refused.value) == (
        "models/__init__.py: more than one SQL module creates categories; remove the model from all but one of MODULES"
    )

"""What holds for every model, beyond being the catalog's."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint

from models import metadata
from models.user import User
from tests.schema.models.facts import catalog_modules, orm_defaults, two_values, type_of
from tests.schema.project import own_schema

ROOT = Path(__file__).parents[3]
TABLES = list(metadata.tables.values())
MODULES = own_schema().modules


def key_columns(table: Table) -> dict[str, tuple[str, ...]]:
    """Return the columns of each index that PostgreSQL will keep: those of keys, unique rules and indexes proper."""
    keys = {
        str(constraint.name): tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, (PrimaryKeyConstraint, UniqueConstraint))
    }
    return keys | {str(index.name): tuple(column.name for column in index.columns) for index in table.indexes}


def foreign_keys(table: Table) -> list[ForeignKeyConstraint]:
    return [constraint for constraint in table.constraints if isinstance(constraint, ForeignKeyConstraint)]


def test_modules_hold_every_table_once_in_the_catalogs_order() -> None:
    """Each table is in exactly one module, and modules and tables stand in the catalog's order."""
    assert {name: [table.name for table in module.tables] for name, module in MODULES.items()} == {
        module["module"]: [table["name"] for table in module["tables"]] for module in catalog_modules()
    }
    assert list(MODULES) == [module["module"] for module in catalog_modules()]
    assert sum(len(module.tables) for module in MODULES.values()) == len(metadata.tables) == 29


def test_modules_name_the_files_that_declare_their_tables() -> None:
    """The files that a module names exist, and are those of its models."""
    assert [file for module in MODULES.values() for file in module.files] == [
        f"models/{name}.py" for name in ("user", "agent", "agent_state", "supply", "content", "demo")
    ]
    assert all((ROOT / file).is_file() for module in MODULES.values() for file in module.files)


def test_foreign_keys_point_to_the_own_or_an_earlier_module() -> None:
    """No foreign key points to a table that a later module creates, and all of them are looked at."""
    created: list[str] = []
    seen = 0
    for module in MODULES.values():
        created += [table.name for table in module.tables]
        for table in module.tables:
            for key in foreign_keys(table):
                assert key.referred_table.name in created, key.name
                seen += 1
    assert seen == 28


def test_foreign_keys_have_the_type_of_their_target() -> None:
    """The referring column has the referred one's type, length included, and the referred one is a primary key."""
    for table in TABLES:
        for key in foreign_keys(table):
            for element in key.elements:
                assert type_of(element.parent) == type_of(element.column), key.name
                assert element.column.primary_key, key.name


def test_every_foreign_key_has_an_index_that_begins_with_it() -> None:
    """On the referring side of each foreign key, a key or index of the table begins with its columns."""
    missing = [
        key.name
        for table in TABLES
        for key in foreign_keys(table)
        if not any(columns[: len(key.columns)] == tuple(key.columns.keys()) for columns in key_columns(table).values())
    ]
    assert missing == []


def test_no_index_begins_another() -> None:
    """No index is equal to, or the beginning of, another index or key of its table."""
    redundant = [
        (name, other)
        for table in TABLES
        for name, columns in key_columns(table).items()
        for other, wider in key_columns(table).items()
        if name != other and wider[: len(columns)] == columns
    ]
    assert redundant == []


def test_identifiers_fit_into_63_bytes() -> None:
    """PostgreSQL cuts identifiers after 63 bytes without an error, so none is longer, and names are unique."""
    relations = [table.name for table in TABLES]
    relations += [name for table in TABLES for name in key_columns(table)]
    identifiers = [*relations, *(str(key.name) for table in TABLES for key in foreign_keys(table))]
    identifiers += [column.name for table in TABLES for column in table.columns]
    assert [name for name in identifiers if len(name.encode()) > 63 or name != name.lower()] == []
    assert len(relations) == len(set(relations)) > 100


def test_defaults_are_made_anew_for_every_row() -> None:
    """Two calls of a default give two values, or two objects: none is fixed when the models are imported."""
    defaults = [
        (column, argument)
        for table in TABLES
        for column in table.columns
        for argument in orm_defaults(column).values()
        if callable(argument)
    ]
    assert len(defaults) == 64
    for column, argument in defaults:
        first, second = two_values(argument)
        assert first is not second, column
        assert first != second or first in ({}, []), column


def test_no_time_default_is_a_constant() -> None:
    """No column of a time type has a constant for a default."""
    times = [column for table in TABLES for column in table.columns if type_of(column).startswith("timestamp")]
    assert len(times) == 43
    assert [column for column in times if not all(map(callable, orm_defaults(column).values()))] == []


def test_every_table_and_column_has_a_comment() -> None:
    """Each table and column has a comment of one short line that ends like a sentence."""
    comments = {table.name: table.comment for table in TABLES}
    comments |= {f"{table.name}.{column.name}": column.comment for table in TABLES for column in table.columns}
    assert len(comments) == 29 + 314
    wrong = [place for place, text in comments.items() if not text or not text.endswith(".") or "\n" in text]
    assert wrong == []
    assert [place for place, text in comments.items() if text and len(text) > 100] == []


def test_names_come_from_the_convention_unless_given() -> None:
    """No index or constraint is left without a name."""
    assert [table.name for table in TABLES if any(not constraint.name for constraint in table.constraints)] == []
    assert [table.name for table in TABLES if any(not index.name for index in table.indexes)] == []


def test_the_environment_variable_testing_changes_nothing() -> None:
    """With TESTING set, the models are what they are without it."""
    program = (
        "from tests.schema.project import own_schema; import sys;"
        "sys.stdout.write(''.join(own_schema().generate().values()))"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, **extra}, cwd=ROOT, check=True, capture_output=True
        ).stdout
        for extra in ({}, {"TESTING": "1"})
    ]
    assert texts[0] == texts[1]
    assert texts[0].count(b"varchar[]") == 6


def test_deleting_a_user_deletes_its_secrets_through_the_orm() -> None:
    """The application's one cascade of its own is declared on the models."""
    cascade = User.secrets.property.cascade
    assert cascade.delete
    assert cascade.delete_orphan


@pytest.mark.parametrize("file", sorted((ROOT / "models").glob("*.py")), ids=lambda file: file.name)
def test_model_files_are_short_and_say_what_they_are(file: Path) -> None:
    """A file of models has under 250 lines and begins with one sentence."""
    assert len(file.read_text(encoding="utf-8").splitlines()) < 250
    module = importlib.import_module("models" if file.stem == "__init__" else f"models.{file.stem}")
    assert module.__doc__
    assert module.__doc__.endswith(".")
    assert "\n" not in module.__doc__

"""Data go behind the stack's back: `up` alone makes it whole again, or refuses where nothing may be lost unasked."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.program.homes import Embedded
from tests.program.test_restore import facts

if TYPE_CHECKING:
    from tests.program.project import Project

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


def by_hand(project: Project, *statements: str) -> None:
    """Run statements as a superuser outside of a transaction, in the maintenance database."""
    with psycopg.connect(**project.home.way(project), dbname="postgres", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def is_whole(project: Project) -> bool:
    """Return whether schema, rows, privileges and extensions are as after a first `up`, and nothing is due."""
    assert project.sql(TABLES, role="readonly") == [(7,)]
    assert project.sql("SELECT count(*) FROM shipping_methods", role="app") == [(3,)]
    assert project.admin("SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql'") == [(3,)]
    done = project.verb("preview", "--expect-no-changes")
    assert done.status == 0, done.text
    return project.verb("refresh", "--expect-no-changes").status == 0


@pytest.mark.full
def test_one_up_brings_back_what_is_gone(project: Project) -> None:
    """A dropped database, another one in its place, the data, the whole folder: each by one `up`, all as before."""
    assert isinstance(project.home, Embedded)
    base, before = project.home.base(project), facts(project)
    by_hand(project, "DROP DATABASE app_db WITH (FORCE)")
    assert "the server has no database app_db any more" in project.preview()
    project.up()
    assert is_whole(project)
    assert facts(project) == before
    by_hand(project, "DROP DATABASE app_db WITH (FORCE)", "CREATE DATABASE app_db OWNER app_db_owner")
    project.up("--refresh")
    assert is_whole(project)
    project.home.kill(project)
    shutil.rmtree(base / "data")
    text = project.preview()
    assert "create: it does not exist" in text
    project.up()
    assert is_whole(project)
    project.home.kill(project)
    shutil.rmtree(base)
    text = project.preview()
    assert "the server has no role app_db_owner" in text
    assert "a defect" not in text
    project.up()
    assert is_whole(project)
    assert facts(project) == before


@pytest.mark.full
@pytest.mark.every_kind
def test_one_up_gives_a_server_back_what_somebody_took_from_it(project: Project) -> None:
    """A dropped database, and a migrator that cannot log in any more, on every kind of server; the preview says so."""
    by_hand(project, "DROP DATABASE app_db WITH (FORCE)")
    assert "the server has no database app_db any more" in project.preview()
    project.up()
    assert is_whole(project)
    for statement in (
        "ALTER ROLE app_db_migrator PASSWORD 'of-somebody-else'",
        "ALTER ROLE app_db_migrator NOLOGIN",
        "ALTER ROLE app_db_migrator VALID UNTIL '2020-01-01'",
    ):
        by_hand(project, statement)
        text = project.verb("preview", "--diff").text
        assert "app_db_migrator" in text, (statement, text)
        assert project.verb("preview", "--expect-no-changes").status != 0, statement
        project.up()
        assert is_whole(project), statement


@pytest.mark.full
def test_the_loss_of_persistent_data_is_refused_and_they_can_be_put_back(project: Project) -> None:
    """No empty server and no empty database takes their place, in `up` or after a refresh; a copy is taken up again."""
    assert isinstance(project.home, Embedded)
    project.configure(lifecycle="persistent")
    project.up()
    base = project.home.base(project)
    aside = base.with_name(f"{base.name}-aside")
    project.home.kill(project)
    base.rename(aside)
    for verb in ("preview", "up", "refresh"):
        text = project.refused(verb)
        assert "has lost its data, and this stack is persistent; put a copy of the data back" in text
    assert not base.exists()
    aside.rename(base)
    project.up()
    assert is_whole(project)
    by_hand(project, "DROP DATABASE app_db WITH (FORCE)")
    for verb in ("preview", "up", "up"):
        text = project.refused(verb)
        assert "database app_db: is gone with its rows, and this stack is persistent" in text
    project.configure(lifecycle="ephemeral")
    project.up()
    assert is_whole(project)


@pytest.mark.full
def test_what_is_gone_twice_comes_back_twice_with_its_seed(project: Project) -> None:
    """Though the plan is the same each time: it is not the one that was carried out already."""
    (project.folder / "seed.sql").write_text("INSERT INTO customers (id, email) VALUES ('7', 'a@b.example');\n")
    project.configure(databases=[{"name": "app_db", "seed": "seed.sql"}])
    project.up()
    for _ in range(3):
        by_hand(project, "DROP DATABASE app_db WITH (FORCE)")
        project.up()
        assert project.sql("SELECT id FROM customers", role="app") == [("7",)]
        assert is_whole(project)

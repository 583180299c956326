"""What is proved of modules on a scratch database: they run, twice and undone, by this program and by psql."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from infra.check import proofs
from infra.check.by_psql import catalog_by_psql
from infra.findings.finding import Finding, Place
from infra.modules.module import load_modules
from infra.postgres.apply.scratch import scratch_database

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from infra.check.proofs import ModuleRun
    from infra.check.sources import ScratchServer
    from infra.modules.module import Module
    from infra.postgres.connection.target import Target

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "-- A table.\nCREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY, a integer);\n"


def modules_of(directory: Path, *texts: str) -> list[Module]:
    """Write modules and read them."""
    for number, text in enumerate(texts, 1):
        (directory / f"{number:02}-a.sql").write_text(text, encoding="utf-8")
    return load_modules(directory)


@contextmanager
def ran(ground: ScratchServer, modules: list[Module]) -> Generator[tuple[Target, ModuleRun]]:
    """Run modules on a scratch database."""
    with scratch_database(ground.admin, owner=ground.owner) as scratch:
        yield scratch, proofs.run_modules(ground, scratch, modules)


def test_modules_are_built_with_the_one_that_wrote_each_object_last(ground: ScratchServer, tmp_path: Path) -> None:
    """The catalog is whole, nothing is found, and what a later module changed is the later one's."""
    modules = modules_of(tmp_path, TABLE, "ALTER TABLE t ALTER a SET NOT NULL;", "CREATE INDEX i ON t (a);")
    with ran(ground, modules) as (_, run):
        assert (run.findings, run.whole) == ([], True)
        writers = {str(one): module for one, module in run.built.writers.items()}
        wanted = {"table public.t": "01-a", "column public.t.a": "02-a", "index public.i": "03-a"}
        assert {name: writers[name] for name in wanted} == wanted
        assert {str(one) for one in run.built.catalog.objects} >= wanted.keys()


def test_a_module_that_does_not_run_is_found_at_its_statement(ground: ScratchServer, tmp_path: Path) -> None:
    """PostgreSQL's own words, with file, line, column and the line; what comes later is not run."""
    modules = modules_of(tmp_path, TABLE, "-- More.\nCREATE TABLE u (\n    b integer REFERENCES none\n);\n", TABLE)
    with ran(ground, modules) as (_, run):
        assert not run.whole
        path = str(tmp_path / "02-a.sql")
        (found,) = run.findings
        assert (found.code, found.message) == ("C111", 'relation "none" does not exist [42P01]')
        assert found.place == Place(path, 2, 1, "", "CREATE TABLE u (")


REFUSED = [
    ("COMMIT;", 1, "controls the transaction"),
    ("SELECT 1;\nALTER SYSTEM SET work_mem = '8MB';", 2, "ALTER SYSTEM changes the whole server"),
    ("SELECT 1;\n\n\\echo done", 3, "syntax error at or near"),
    ("CREATE TABLE references (a integer);", 1, 'syntax error at or near "references"'),
    ("SET ROLE postgres;", 1, "changes the role"),
]


@pytest.mark.parametrize(("text", "line", "what"), REFUSED)
def test_what_a_stack_would_refuse_is_found_without_a_server(tmp_path: Path, text: str, line: int, what: str) -> None:
    """Statements that no stack runs are findings with their place, and are never sent."""
    (found,) = proofs.not_run(modules_of(tmp_path, text))
    assert (found.code, found.place.path, found.place.line) == ("C111", str(tmp_path / "01-a.sql"), line)
    assert found.message.startswith(what)
    assert found.remedy


AGAIN = [
    ("INSERT INTO t (a) VALUES (1);", ["rows of public.t: 1 inserted, 0 updated, 0 deleted", "sequence"]),
    ("UPDATE t SET a = 2;", ["rows of public.t: 0 inserted, 1 updated, 0 deleted"]),
    ("CREATE INDEX ON t (a);", ["index public.t_a_idx1 is extra"]),
    ("ALTER TABLE t ADD CHECK (a > 0);", ["constraint public.t.t_a_check1 is extra"]),
    ("DO $$ BEGIN EXECUTE format('CREATE TABLE %I ()', 'n' || txid_current()); END $$;", ["table public.n"]),
]


@pytest.mark.parametrize(("text", "changes"), AGAIN)
def test_a_module_that_changes_something_again_is_found(
    ground: ScratchServer, tmp_path: Path, text: str, changes: list[str]
) -> None:
    """Rows, objects and sequences that a second run would change are named; nothing of it stays."""
    modules = modules_of(tmp_path, f"{TABLE}INSERT INTO t (a) VALUES (1);", f"-- Again.\n{text}\n")
    with ran(ground, modules) as (scratch, run):
        assert run.whole
        (found,), (refused,) = proofs.run_again(ground, scratch, modules)
        assert (found.code, found.place.path) == ("C112", modules[1].path)
        assert [change for change in changes if not any(line.startswith(change) for line in found.detail)] == []
        assert refused == (modules[0].path, 'relation "t" already exists')
        assert proofs.run_again(ground, scratch, modules)[0][0].detail[0].split()[:3] == found.detail[0].split()[:3]


HARMLESS = [
    "CREATE TABLE IF NOT EXISTS t (a integer);",
    "CREATE INDEX IF NOT EXISTS i ON t (a);",
    "INSERT INTO t (a) SELECT 1 WHERE NOT EXISTS (SELECT FROM t);",
    "CREATE OR REPLACE VIEW v AS SELECT a FROM t;",
    "SELECT 1;",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_a_module_that_sees_what_is_there_is_harmless(ground: ScratchServer, tmp_path: Path, text: str) -> None:
    """A second run that changes nothing is no finding, and is told from one that is refused."""
    modules = modules_of(tmp_path, TABLE, text)
    with ran(ground, modules) as (scratch, _):
        found, ended = proofs.run_again(ground, scratch, modules)
        assert found == []
        assert [one.module for one in ended if not one.why] == [modules[1].path]


def test_what_rollback_does_not_take_back_is_found(ground: ScratchServer, tmp_path: Path) -> None:
    """A sequence's numbers, worth a note, and what another session made stay when the module is rolled back."""
    way = f"host={ground.admin.host} user=postgres dbname="
    outside = f"SELECT dblink_exec('{way}' || current_database(), 'CREATE TABLE IF NOT EXISTS left_behind ()');"
    modules = modules_of(
        tmp_path,
        TABLE,
        "CREATE EXTENSION dblink;",
        "SELECT setval('t_id_seq', 70);",
        f"-- Out.\n{outside}",
        "SELECT 1;",
    )
    with ran(ground, modules) as (_, run):
        assert [(one.code, one.severity, one.place.path, one.detail) for one in run.findings] == [
            ("C113", "note", modules[2].path, ("sequence public.t_id_seq stands at 70",)),
            (
                "C113",
                "error",
                modules[3].path,
                ("the owner of table public.left_behind is extra", "table public.left_behind is extra"),
            ),
        ]


def test_a_module_that_runs_statement_by_statement_is_run_so(ground: ScratchServer, tmp_path: Path) -> None:
    """What cannot run in a transaction is neither rolled back nor run again, and psql runs it outside of one too."""
    concurrently = "-- platform-postgres: statement by statement\nCREATE INDEX CONCURRENTLY i ON t (a);\n"
    modules = modules_of(tmp_path, TABLE, concurrently)
    with ran(ground, modules) as (scratch, run):
        assert (run.findings, run.whole) == ([], True)
        assert [one.module for one in proofs.run_again(ground, scratch, modules)[1]] == [modules[0].path]
        assert ground.psql
        assert catalog_by_psql(ground, ground.psql, modules) == run.built.catalog


def test_psql_makes_the_same_or_says_why_not(ground: ScratchServer, tmp_path: Path) -> None:
    """Where psql takes what this program sends for its own, that is a finding with psql's words."""
    assert ground.psql
    modules = modules_of(tmp_path, TABLE, "COMMENT ON TABLE t IS ':x and ' 'more'", "SELECT 1;")
    with ran(ground, modules[:1]) as (_, run):
        assert catalog_by_psql(ground, ground.psql, modules[:1]) == run.built.catalog
    found = catalog_by_psql(ground, ground.psql, modules)
    assert isinstance(found, Finding)
    assert (found.code, found.place.path) == ("C114", modules[1].path)
    assert "syntax error" in found.detail[0]

"""The proofs of modules on a scratch database: they run, are rolled back, run again, and run by psql."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from infra.check import proofs
from infra.check.by_psql import catalog_by_psql
from infra.findings.finding import Finding, Place
from infra.modules.module import load_modules
from infra.server.scratch.scratch_server import ScratchServer

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from infra.check.proofs import ModuleRun
    from infra.modules.module import Module
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.server.scratch.private_server import PrivateServer

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "-- A table.\nCREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY, a integer);\n"


def modules_of(directory: Path, *texts: str) -> list[Module]:
    """Write the texts as modules of a directory, and return them."""
    for number, text in enumerate(texts, 1):
        (directory / f"{number:02}-a.sql").write_text(text, encoding="utf-8")
    return load_modules(directory)


@contextmanager
def run_on_scratch(scratch_server: ScratchServer, modules: list[Module]) -> Generator[tuple[ScratchTarget, ModuleRun]]:
    """Run modules on a scratch database; yield the database and the run."""
    with scratch_server.database() as scratch:
        yield scratch, proofs.run_modules(scratch, modules)


def test_a_run_has_the_module_that_wrote_each_object_last(scratch_server: ScratchServer, tmp_path: Path) -> None:
    """The run is complete and without findings; an object that a later module changed belongs to the later module."""
    modules = modules_of(tmp_path, TABLE, "ALTER TABLE t ALTER a SET NOT NULL;", "CREATE INDEX i ON t (a);")
    with run_on_scratch(scratch_server, modules) as (_, run):
        assert (run.findings, run.complete) == ([], True)
        writers = {str(identity): module for identity, module in run.writers.items()}
        expected = {"table public.t": "01-a", "column public.t.a": "02-a", "index public.i": "03-a"}
        assert {name: writers[name] for name in expected} == expected
        assert {str(identity) for identity in run.catalog.objects} >= expected.keys()


def test_a_module_that_does_not_run_is_found_at_its_statement(scratch_server: ScratchServer, tmp_path: Path) -> None:
    """The finding has PostgreSQL's message with file, line, column and the line; later modules are not run."""
    modules = modules_of(tmp_path, TABLE, "-- More.\nCREATE TABLE u (\n    b integer REFERENCES none\n);\n", TABLE)
    with run_on_scratch(scratch_server, modules) as (_, run):
        assert not run.complete
        path = str(tmp_path / "02-a.sql")
        (finding,) = run.findings
        assert (finding.code, finding.message) == ("C111", 'relation "none" does not exist [42P01]')
        assert finding.place == Place(path, 2, 1, "", "CREATE TABLE u (")


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
    (finding,) = proofs.restricted_statements(modules_of(tmp_path, text))
    assert (finding.code, finding.place.path, finding.place.line) == ("C111", str(tmp_path / "01-a.sql"), line)
    assert finding.message.startswith(what)
    assert finding.remedy


AGAIN = [
    ("INSERT INTO t (a) VALUES (1);", ["rows of public.t: 1 inserted, 0 updated, 0 deleted", "sequence"]),
    ("UPDATE t SET a = 2;", ["rows of public.t: 0 inserted, 1 updated, 0 deleted"]),
    ("CREATE INDEX ON t (a);", ["index public.t_a_idx1 is extra"]),
    ("ALTER TABLE t ADD CHECK (a > 0);", ["constraint public.t.t_a_check1 is extra"]),
    ("DO $$ BEGIN EXECUTE format('CREATE TABLE %I ()', 'n' || txid_current()); END $$;", ["table public.n"]),
]


@pytest.mark.parametrize(("text", "changes"), AGAIN)
def test_a_module_that_changes_something_again_is_found(
    scratch_server: ScratchServer, tmp_path: Path, text: str, changes: list[str]
) -> None:
    """Rows, objects and sequences that a second run changes are named; the changes are rolled back."""
    modules = modules_of(tmp_path, f"{TABLE}INSERT INTO t (a) VALUES (1);", f"-- Again.\n{text}\n")
    with run_on_scratch(scratch_server, modules) as (scratch, run):
        assert run.complete
        (finding,), (refused,) = proofs.run_again(scratch, modules)
        assert (finding.code, finding.place.path) == ("C112", modules[1].path)
        assert [change for change in changes if not any(line.startswith(change) for line in finding.detail)] == []
        assert refused == (modules[0].path, 'relation "t" already exists')
        (repeated,), _ = proofs.run_again(scratch, modules)
        assert repeated.detail[0].split()[:3] == finding.detail[0].split()[:3]


HARMLESS = [
    "CREATE TABLE IF NOT EXISTS t (a integer);",
    "CREATE INDEX IF NOT EXISTS i ON t (a);",
    "INSERT INTO t (a) SELECT 1 WHERE NOT EXISTS (SELECT FROM t);",
    "CREATE OR REPLACE VIEW v AS SELECT a FROM t;",
    "SELECT 1;",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_a_module_that_checks_what_exists_can_be_run_again(
    scratch_server: ScratchServer, tmp_path: Path, text: str
) -> None:
    """A second run that changes nothing is no finding, and is not reported as refused."""
    modules = modules_of(tmp_path, TABLE, text)
    with run_on_scratch(scratch_server, modules) as (scratch, _):
        findings, without_effect = proofs.run_again(scratch, modules)
        assert findings == []
        assert [second_run.path for second_run in without_effect if not second_run.refusal] == [modules[1].path]


def test_what_rollback_does_not_undo_is_found(private_server_of_the_run: PrivateServer, tmp_path: Path) -> None:
    """Numbers of a sequence, worth a note, and changes by another session stay when the module is rolled back."""
    server = ScratchServer(private_server_of_the_run.admin, None)
    with server.database(["dblink"]) as scratch:
        login = f"host={scratch.target.host} user={scratch.target.user} password={scratch.target.password} dbname="
        outside = f"SELECT dblink_exec('{login}' || current_database(), 'CREATE TABLE IF NOT EXISTS left_behind ()');"
        modules = modules_of(tmp_path, TABLE, "SELECT setval('t_id_seq', 70);", f"-- Out.\n{outside}", "SELECT 1;")
        run = proofs.run_modules(scratch, modules)
        assert [(finding.code, finding.severity, finding.place.path, finding.detail) for finding in run.findings] == [
            ("C113", "note", modules[1].path, ("sequence public.t_id_seq stands at 70",)),
            (
                "C113",
                "error",
                modules[2].path,
                ("the owner of table public.left_behind is extra", "table public.left_behind is extra"),
            ),
        ]


def test_a_module_that_runs_statement_by_statement_is_not_rolled_back(
    scratch_server: ScratchServer, tmp_path: Path
) -> None:
    """A module that cannot run in a transaction is not rolled back or run again; psql runs it outside of one too."""
    concurrently = "-- platform-postgres: statement by statement\nCREATE INDEX CONCURRENTLY i ON t (a);\n"
    modules = modules_of(tmp_path, TABLE, concurrently)
    with run_on_scratch(scratch_server, modules) as (scratch, run):
        assert (run.findings, run.complete) == ([], True)
        assert [second_run.path for second_run in proofs.run_again(scratch, modules)[1]] == [modules[0].path]
        assert scratch_server.psql
        assert catalog_by_psql(scratch_server, scratch_server.psql, modules) == run.catalog


def test_psql_has_the_same_result_or_a_finding(scratch_server: ScratchServer, tmp_path: Path) -> None:
    """A module that psql reads differently is a finding with psql's message."""
    assert scratch_server.psql
    modules = modules_of(tmp_path, TABLE, "COMMENT ON TABLE t IS ':x and ' 'more'", "SELECT 1;")
    with run_on_scratch(scratch_server, modules[:1]) as (_, run):
        assert catalog_by_psql(scratch_server, scratch_server.psql, modules[:1]) == run.catalog
    finding = catalog_by_psql(scratch_server, scratch_server.psql, modules)
    assert isinstance(finding, Finding)
    assert (finding.code, finding.place.path) == ("C114", modules[1].path)
    assert "syntax error" in finding.detail[0]

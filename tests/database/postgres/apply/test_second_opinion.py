"""What is measured of statements, beside what eugene measures of the same: another program, by the same counters.

`eugene trace` runs a script on a server and reads pg_locks and relfilenode itself. What version 0.8.3 reported on
PostgreSQL 17 is in eugene.json; EUGENE=<its program> traces all statements again, and GOLDEN=write writes that file.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from infra.hazards.measured import mode_of, strongest
from tests.database.postgres.apply.test_measure import CASES, OLD

if TYPE_CHECKING:
    from tests.database.postgres.apply.test_measure import Case

pytest_plugins = ["tests.database.scratch_server"]

REPORT = Path(__file__).with_name("eugene.json")
EUGENE = os.environ.get("EUGENE", "")
TABLES = {"Table", "PartitionedTable", "MaterializedView"}
REWRITTEN = "E10"
"""eugene's hint that a table or an index was rewritten under a lock that others wait for."""

IN_TRANSACTION = "eugene runs all statements in one transaction, and these refuse that"
OTHERWISE = {
    "VACUUM t": IN_TRANSACTION,
    "VACUUM FULL t": IN_TRANSACTION,
    "CREATE INDEX CONCURRENTLY i ON t (n)": IN_TRANSACTION,
    "DROP INDEX CONCURRENTLY t_n": IN_TRANSACTION,
    "REINDEX TABLE CONCURRENTLY t": IN_TRANSACTION,
    "DROP TABLE r": "eugene names the tables that are there afterwards, so no lock on the dropped one",
    "TRUNCATE t": "a new file is a rewrite to eugene; TRUNCATE begins one, and writes no row: it loses them",
    "REINDEX INDEX t_n": "the rewrite of an index is one to eugene; here it is a read of the whole table",
}
"""The statements of which eugene says something else, and why."""

Trace = dict[str, Any]


def traced(server: str, case: Case, number: int) -> Trace | None:
    """Return the locks on tables that eugene sees, and whether a rewrite; None where it cannot run the statement."""
    name = f"eugene_{number}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(make_conninfo(server, dbname=name), autocommit=True) as own:
            own.execute(OLD.encode())
        address = conninfo_to_dict(server)
        options = ["--disable-temporary", "--accept-failures", "--extra", "--format=json", f"--database={name}"]
        done = subprocess.run(
            [EUGENE, "trace", *options, f"--host={address['host']}", f"--user={address['user']}", "-"],
            input=f"{case.sql};",
            env={**os.environ, "PGPASS": "none"},
            capture_output=True,
            text=True,
            check=False,
        )
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    if done.returncode:
        assert "cannot run inside a transaction block" in done.stderr
        return None
    (statement,) = json.loads(done.stdout)["statements"]
    modes: dict[str, list[str]] = {}
    for lock in statement["new_locks_taken"]:
        if lock["relkind"] in TABLES:
            modes.setdefault(lock["object_name"], []).append(mode_of(lock["mode"]))
    locks = {table: strongest(found) for table, found in sorted(modes.items())}
    return {"locks": locks, "rewrites": REWRITTEN in {rule["id"] for rule in statement["triggered_rules"]}}


def expected(case: Case) -> Trace:
    """Return what the manual says of a statement, and is measured of it, as eugene's report has it."""
    return {"locks": dict(sorted(case.locks.items())), "rewrites": bool(case.rewrites)}


def test_eugene_measures_the_same_locks_and_rewrites() -> None:
    """Of each statement that the manual describes, but for those for which the reason is given."""
    report: dict[str, Trace | None] = json.loads(REPORT.read_text(encoding="utf-8"))
    assert report.keys() == {case.sql for case in CASES}
    assert {case.sql for case in CASES if report[case.sql] != expected(case)} == OTHERWISE.keys()
    assert {text for text, trace in report.items() if trace is None} == {
        text for text, reason in OTHERWISE.items() if reason == IN_TRANSACTION
    }


@pytest.mark.skipif(not EUGENE, reason="what eugene reported is recorded; EUGENE=<its program> traces it again")
def test_eugene_reports_what_is_recorded(server: str) -> None:
    """A trace of all statements on this server is what the file has."""
    report = {case.sql: traced(server, case, number) for number, case in enumerate(CASES)}
    if os.environ.get("GOLDEN") == "write":
        lines = ",\n".join(f"{json.dumps(text)}: {json.dumps(trace)}" for text, trace in report.items())
        REPORT.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    assert json.loads(REPORT.read_text(encoding="utf-8")) == report

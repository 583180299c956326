"""Databases of tests: what the pytest plugin's clones take beside pgtestdb's, on the same server in the same run."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

from bench.program import ROOT
from bench.table import Row, limit_row
from infra.postgres.connection.connect import connect
from infra.server.scratch.private_server import private_server
from infra.testing.__main__ import most_used
from infra.testing.clone_pool import ClonePool
from infra.testing.template import create_template
from infra.testing.tested_schema import tested_schema

if TYPE_CHECKING:
    from pathlib import Path

    from infra.server.scratch.private_server import PrivateServer
    from infra.testing.template import CloneTemplate

COUNT, ROUNDS = 100, 2
MILLISECONDS, TIMES_PGTESTDB = 30, 1.0


def measure(folder: Path) -> list[Row]:
    """Return the rows of 200 databases of either: from the request to the answer of a query, one after the other.

    Raises RuntimeError where Go is missing, or the other program fails.
    """
    program = _built(folder)
    schema = tested_schema(ROOT, modules="sql", stack="", extensions=["uuid-ossp"])
    plugin: list[float] = []
    other: list[float] = []
    with private_server() as server:
        template = create_template(server, schema)
        pool = ClonePool(server.admin, template, most_used=most_used(server, 1))
        try:
            for _ in range(ROUNDS):
                plugin += _plugin(pool, template)
                other += _pgtestdb(server, program, folder)
        finally:
            pool.close()
    ratio = statistics.median(plugin) / statistics.median(other)
    count = ROUNDS * COUNT
    return [
        Row(f"a database of pgtestdb's, of {count}", _text(other)),
        Row(
            f"a clone of the pytest plugin's, of {count}",
            _text(plugin),
            "pgtestdb's",
            f"{ratio:.2f}x",
            f"at most {TIMES_PGTESTDB:g}x",
            ratio <= TIMES_PGTESTDB,
        ),
        limit_row("the same, the median", statistics.median(plugin) * 1000, "ms", MILLISECONDS),
    ]


def _text(seconds: list[float]) -> str:
    """Return the median and the longest that nine of ten take."""
    tenth = statistics.quantiles(seconds, n=10)[-1]
    return f"median {statistics.median(seconds) * 1000:.3g} ms, 9 of 10 within {tenth * 1000:.3g} ms"


def _plugin(pool: ClonePool, template: CloneTemplate) -> list[float]:
    """Return the seconds of each clone, which is given back at the end of each test."""
    measured: list[float] = []
    for _ in range(COUNT):
        started = time.perf_counter()
        name = pool.take()
        with connect(template.logins["app"].on(name)) as connection:
            connection.execute("SELECT 1").fetchone()
            measured.append(time.perf_counter() - started)
        pool.give_back(name)
    return measured


def _pgtestdb(server: PrivateServer, program: Path, folder: Path) -> list[float]:
    """Return the seconds of each database of pgtestdb's, which it drops at the end of each test."""
    result = folder / "result.json"
    variables = {
        "PGHOST": server.admin.host,
        "PGPORT": str(server.admin.port),
        "PGUSER": server.admin.user,
        "PGPASSWORD": server.admin.password,
        "MODULES": str(ROOT / "sql"),
        "COUNT": str(COUNT),
        "RESULT": str(result),
    }
    _run(program, "-test.count=1", variables=variables)
    return json.loads(result.read_text())


def _built(folder: Path) -> Path:
    """Build the program, whose modules are pinned by their sums, and return its path."""
    go = shutil.which("go")
    if not go:
        raise RuntimeError("Go is not installed, which pgtestdb is written in")
    folder.mkdir(parents=True)
    program = folder / "pgtestdb"
    _run(go, "test", "-c", "-o", str(program), ".", variables={"GOFLAGS": "-mod=readonly -buildvcs=false"})
    return program


def _run(program: Path | str, *arguments: str, variables: dict[str, str]) -> None:
    done = subprocess.run(
        [str(program), *arguments],
        cwd=ROOT / "bench" / "pgtestdb",
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout)

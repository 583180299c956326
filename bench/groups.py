"""A group of many databases, with psql in a loop beside it on the same server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bench.checkout import Checkout
from bench.rounds import cost_of
from bench.table import Row, comparison_row, limit_row

if TYPE_CHECKING:
    from bench.rounds import Cost

GROUP = "tenants"
ONE_MORE = {"09-one-more.sql": "CREATE TABLE one_more (id integer PRIMARY KEY, name text);\n"}
UP_SECONDS, UNCHANGED_SECONDS, ONE_MORE_SECONDS, STATE_KILOBYTES, TIMES_PSQL = 30, 2.5, 10, 1000, 2


def measure(folder: Path, count: int) -> list[Row]:
    """Return the rows of a group of `count` databases with the eight modules, which is brought up and destroyed."""
    checkout = Checkout(folder / "checkout", folder / "data", [{"group": GROUP, "count": count}])
    first = checkout.up()
    try:
        psql = _psql_loop(checkout, count)
        unchanged = [checkout.up() for _ in range(3)]
        size = checkout.size_of_state() / 1000
        for name, text in ONE_MORE.items():
            (checkout.folder / "sql" / name).write_text(text)
        more = checkout.up()
    finally:
        checkout.run_verb("destroy")
    what = f"{count} databases of a group"
    return [
        comparison_row(f"{what}, eight modules", [first], "psql, one database after the other", [psql], TIMES_PSQL),
        limit_row(f"{what}, eight modules", first.seconds, "s", UP_SECONDS),
        limit_row(f"{what}, no change", min(cost.seconds for cost in unchanged), "s", UNCHANGED_SECONDS),
        limit_row(f"{what}, one more module", more.seconds, "s", ONE_MORE_SECONDS),
        limit_row(f"{what}, size of the state", size, "kB", STATE_KILOBYTES),
    ]


def _psql_loop(checkout: Checkout, count: int) -> Cost:
    """Create as many databases with psql and apply the modules in each, one after the other; return the cost."""
    access, psql = checkout.administrator(), checkout.psql()
    environment = {
        **os.environ,
        "PGHOST": access.host,
        "PGPORT": str(access.port),
        "PGUSER": access.user,
        "PGPASSWORD": access.password,
        "PGOPTIONS": "-c client_min_messages=warning",
    }
    files = [f"-f{path}" for path in sorted(Path(checkout.folder / "sql").glob("*.sql"))]

    def run(database: str, *arguments: str) -> None:
        command = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, *arguments]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    def loop() -> None:
        for number in range(count):
            name = f"by_psql_{number}"
            run("postgres", "-c", f"CREATE DATABASE {name} TEMPLATE template0")
            run(name, "-1", *files)

    return cost_of(loop)

"""Many databases, as a group or as single ones, with psql in a loop beside them on the same server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bench.checkout import Checkout
from bench.rounds import cost_of
from bench.table import Row, comparison_row, limit_row
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.rounds import Cost

GROUP = "tenants"
ONE_MORE = {"09-one-more.sql": "CREATE TABLE one_more (id integer PRIMARY KEY, name text);\n"}
UP_SECONDS, UNCHANGED_SECONDS, ONE_MORE_SECONDS, STATE_KILOBYTES, TIMES_PSQL = 30, 2.5, 10, 1000, 2
SINGLE_UP_SECONDS, SINGLE_STATE_KILOBYTES = 40, 2000
BY_PSQL = "psql, one database after the other"


def measure(folder: Path, count: int) -> list[Row]:
    """Return the rows of a group of `count` databases with the eight modules, which is brought up and destroyed."""
    checkout = Checkout(folder / "checkout", folder / "data", [{"group": GROUP, "count": count}])
    first = checkout.up()
    try:
        psql = _psql_loop(checkout, count)
        pairs = [(checkout.up(), _psql_logins(checkout, count)) for _ in range(3)]
        unchanged, logins = map(list, zip(*pairs, strict=True))
        size = checkout.size_of_state() / 1000
        for name, text in ONE_MORE.items():
            (checkout.folder / "sql" / name).write_text(text)
        _settle(checkout)
        more, more_by_psql = checkout.up(), _psql_module(checkout, count)
        failing = _one_that_fails(checkout, count)
    finally:
        checkout.run_verb("destroy")
    what = f"{count} databases of a group"
    return [
        comparison_row(f"{what}, eight modules", [first], BY_PSQL, [psql], TIMES_PSQL),
        limit_row(f"{what}, eight modules", first.seconds, "s", UP_SECONDS),
        limit_row(f"{what}, no change", min(cost.seconds for cost in unchanged), "s", UNCHANGED_SECONDS),
        comparison_row("the same", unchanged, "psql -c 'SELECT 1' in each", logins),
        limit_row(f"{what}, one more module", more.seconds, "s", ONE_MORE_SECONDS),
        comparison_row("the same", [more], BY_PSQL, [more_by_psql]),
        limit_row(f"{what}, size of the state", size, "kB", STATE_KILOBYTES),
        *failing,
    ]


def _one_that_fails(checkout: Checkout, count: int) -> list[Row]:
    """Return how many databases get a module for which one has no place, and how many the next run has to do."""
    admin = checkout.administrator().on(f"{GROUP}_{count // 2:03}")
    (checkout.folder / "sql" / "10-another.sql").write_text("CREATE TABLE another (id integer PRIMARY KEY);\n")
    with connect(admin, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.another (id text)")
    try:
        checkout.up()
        first = f"0 of {count} failed"
    except RuntimeError:
        first = _outcomes(checkout)
    with connect(admin, autocommit=True) as connection:
        connection.execute("DROP TABLE public.another")
    again = checkout.up()
    expected = (f"apply: {count - 1}, failed: 1 ({admin.database})", f"apply: 1, unchanged: {count - 1}")
    return [
        Row("one of them fails", first, "", "", expected[0], first == expected[0]),
        Row(
            "the next up",
            _outcomes(checkout),
            f"{again.seconds:.3g} s",
            "",
            expected[1],
            _outcomes(checkout) == expected[1],
        ),
    ]


def _outcomes(checkout: Checkout) -> str:
    """Return what came of the last module, from the stack's output."""
    groups = json.loads(checkout.pulumi("stack", "output", "--json"))["groups"]
    return str(groups[GROUP]["modules"]["10-another"])


def measure_single(folder: Path, count: int) -> list[Row]:
    """Return the rows of `count` single databases with the eight modules, which are brought up and destroyed."""
    names = [f"single_{number:03}" for number in range(1, count + 1)]
    checkout = Checkout(folder / "checkout", folder / "data", names)
    first = checkout.up()
    try:
        psql = _psql_loop(checkout, count)
        size = checkout.size_of_state() / 1000
    finally:
        checkout.run_verb("destroy")
    what = f"{count} single databases"
    return [
        comparison_row(f"{what}, eight modules", [first], BY_PSQL, [psql]),
        limit_row(f"{what}, eight modules", first.seconds, "s", SINGLE_UP_SECONDS),
        limit_row(f"{what}, size of the state", size, "kB", SINGLE_STATE_KILOBYTES),
    ]


def _psql_loop(checkout: Checkout, count: int) -> Cost:
    """Create as many databases with psql and apply the modules in each, one after the other; return the cost."""
    run = _psql(checkout)
    files = [f"-f{path}" for path in sorted(Path(checkout.folder / "sql").glob("*.sql"))]

    def loop() -> None:
        for number in range(count):
            name = f"by_psql_{number}"
            run("postgres", "-c", f"CREATE DATABASE {name} TEMPLATE template0")
            run(name, "-1", *files)

    return cost_of(loop)


def _psql_module(checkout: Checkout, count: int) -> Cost:
    """Apply one more module with psql in each of those databases, one after the other, and return the cost."""
    run = _psql(checkout)
    files = [f"-f{checkout.folder / 'sql' / name}" for name in ONE_MORE]

    def loop() -> None:
        for number in range(count):
            run(f"by_psql_{number}", "-1", *files)

    return cost_of(loop)


def _settle(checkout: Checkout) -> None:
    """Write to the disk what the creation of so many databases has left: commits would wait for that."""
    with connect(checkout.administrator(), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    os.sync()


def _psql_logins(checkout: Checkout, count: int) -> Cost:
    """Log in to each of those databases with psql, one after the other, and return the cost."""
    run = _psql(checkout)

    def loop() -> None:
        for number in range(count):
            run(f"by_psql_{number}", "-c", "SELECT 1")

    return cost_of(loop)


def _psql(checkout: Checkout) -> Callable[..., None]:
    """Return a function that runs psql as the administrator in a database, with arguments."""
    access, psql = checkout.administrator(), checkout.psql()
    environment = {
        **os.environ,
        "PGHOST": access.host,
        "PGPORT": str(access.port),
        "PGUSER": access.user,
        "PGPASSWORD": access.password,
        "PGOPTIONS": "-c client_min_messages=warning",
    }

    def run(database: str, *arguments: str) -> None:
        command = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, *arguments]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    return run

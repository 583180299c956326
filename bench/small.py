"""The eight modules in two databases: what an `up` without changes costs, and what the database costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.beside import empty_program
from bench.checkout import Checkout
from bench.databases import Databases
from bench.rounds import Costs, alternate
from bench.table import Row, compared, seconds

if TYPE_CHECKING:
    from pathlib import Path

    from bench.program import Program

DATABASES = ("app_db", "app_test")
UP_TO_DATE = 1.5
STATEMENTS = 1.3
WITH_OWNERSHIP = 1.5


def measure(folder: Path, rounds: int) -> list[Row]:
    """Bring the project up, and measure it beside an empty program and beside psql."""
    empty = empty_program(folder / "empty")
    checkout = Checkout(folder / "checkout", folder / "root", DATABASES)
    first = checkout.up()
    try:
        for program in (empty, checkout):
            program.preview()
        rows = [Row("first up of two databases, server and all", seconds([first]))]
        rows += _up_to_date(empty, checkout, rounds)
        return rows + _inside(checkout, rounds)
    finally:
        checkout.verb("destroy")


def _up_to_date(empty: Program, checkout: Checkout, rounds: int) -> list[Row]:
    """Compare runs that have nothing to do."""
    found = alternate(
        {
            "empty up": empty.up,
            "empty preview": empty.preview,
            "up": checkout.up,
            "preview": checkout.preview,
        },
        rounds,
    )
    return [
        Row("up of an empty program", seconds(found["empty up"])),
        Row("preview of an empty program", seconds(found["empty preview"])),
        compared("up without changes", found["up"], "empty up", found["empty up"], UP_TO_DATE),
        compared("the same", found["up"], "empty preview", found["empty preview"]),
        compared("preview without changes, live check", found["preview"], "empty preview", found["empty preview"]),
    ]


def _inside(checkout: Checkout, rounds: int) -> list[Row]:
    """Compare psql and the provider's runner on fresh databases of the same server."""
    databases = Databases(checkout.ways(DATABASES[0]), checkout.folder / "sql", checkout.psql())
    databases.by_runner()  # the first one imports and plans; the provider's host is past that, too
    found: Costs = {"psql": [], "whole": [], "statements": []}
    for _ in range(rounds):
        found["psql"].append(databases.by_psql())
        whole, statements = databases.by_runner()
        found["whole"].append(whole)
        found["statements"].append(statements)
    return [
        Row("psql, the 8 modules in one session", seconds(found["psql"])),
        compared("the modules' statements, in the provider", found["statements"], "psql", found["psql"], STATEMENTS),
        compared("with ownership, lock and ledger", found["whole"], "psql", found["psql"], WITH_OWNERSHIP),
    ]

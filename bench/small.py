"""The benchmark of the eight modules in two databases: `up` without changes, and applying the modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.beside import empty_program, idle_program, idle_program_with_plugin
from bench.checkout import Checkout
from bench.databases import Databases
from bench.rounds import Costs, run_alternating
from bench.table import Row, comparison_row, time_text

if TYPE_CHECKING:
    from pathlib import Path

    from bench.program import Program

DATABASES = ("app_db", "app_test")
UP_TO_DATE = 1.4
STATEMENTS = 1.3
WITH_OWNERSHIP = 1.25


def measure(folder: Path, rounds: int) -> list[Row]:
    """Return the rows of the project, compared with an empty program and with psql."""
    empty = empty_program(folder / "empty")
    checkout = Checkout(folder / "checkout", folder / "root", DATABASES)
    first = checkout.up()
    try:
        idle = idle_program(folder / "idle", len(checkout.resources()))
        plugin = idle_program_with_plugin(folder / "plugin", checkout.resources())
        for program in (idle, plugin):
            program.up()
        for program in (empty, idle, plugin, checkout):
            program.preview()
        rows = [Row("first up of two databases, server and all", time_text([first]))]
        rows += _up_to_date(empty, idle, plugin, checkout, rounds)
        return rows + _applying(checkout, rounds)
    finally:
        checkout.run_verb("destroy")


def _up_to_date(empty: Program, idle: Program, plugin: Program, checkout: Checkout, rounds: int) -> list[Row]:
    """Return the rows of runs without changes."""
    costs = run_alternating(
        {
            "empty up": empty.up,
            "empty preview": empty.preview,
            "idle up": idle.up,
            "plugin up": plugin.up,
            "up": checkout.up,
            "preview": checkout.preview,
        },
        rounds,
    )
    return [
        Row("up of an empty program", time_text(costs["empty up"])),
        Row("preview of an empty program", time_text(costs["empty preview"])),
        comparison_row("up of as many resources that do nothing", costs["idle up"], "empty up", costs["empty up"]),
        comparison_row("of them, the plugin's really its own", costs["plugin up"], "empty up", costs["empty up"]),
        comparison_row("up without changes", costs["up"], "empty up", costs["empty up"], UP_TO_DATE),
        comparison_row("the same", costs["up"], "these", costs["plugin up"]),
        comparison_row("the same", costs["up"], "empty preview", costs["empty preview"]),
        comparison_row(
            "preview without changes, live check", costs["preview"], "empty preview", costs["empty preview"]
        ),
    ]


def _applying(checkout: Checkout, rounds: int) -> list[Row]:
    """Return the rows of psql and of the provider's runner on fresh databases of the same server."""
    databases = Databases(checkout.access(DATABASES[0]), checkout.folder / "sql", checkout.psql())
    databases.by_runner()  # the first call imports code and plans queries, which a running provider host has done
    costs: Costs = {"psql": [], "transactions": [], "questions": [], "whole": [], "statements": []}
    for _ in range(rounds):
        costs["psql"].append(databases.by_psql())
        costs["transactions"].append(databases.by_psql(transaction_each=True))
        costs["questions"].append(databases.by_psql_with_questions())
        whole, statements = databases.by_runner()
        costs["whole"].append(whole)
        costs["statements"].append(statements)
    return [
        Row("psql, the 8 modules in one session", time_text(costs["psql"])),
        comparison_row(
            "the modules' statements, in the provider", costs["statements"], "psql", costs["psql"], STATEMENTS
        ),
        comparison_row("psql, a transaction for each module", costs["transactions"], "psql", costs["psql"]),
        comparison_row("psql, and what each one changed", costs["questions"], "psql", costs["psql"]),
        comparison_row("with ownership, lock and ledger", costs["whole"], "psql", costs["psql"], WITH_OWNERSHIP),
        comparison_row("the same", costs["whole"], "psql, and what changed", costs["questions"]),
    ]

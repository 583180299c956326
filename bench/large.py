"""The benchmark of 200 modules and 1,000 tables in one database: what grows with the modules, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.beside import empty_program, idle_program, naive_program
from bench.checkout import Checkout
from bench.databases import Databases
from bench.generated import empty_module, generated_modules
from bench.rounds import Cost, minimum_seconds, run_alternating
from bench.table import Row, comparison_row, limit_row, time_text
from bench.watch import peak_of_host

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "app_db"
MODULES = 200
WORKERS = 4  # threads of the providers' host, which are Pulumi's
FIRST_UP = 1.3
MILLISECONDS_A_MODULE = 5.0
CONNECTIONS = 2
LONG_TEXT = 100_000
FEW, MANY = 100, 200  # with fewer modules the memory of the host is still growing to what it needs in any case
GROWTH = 2.2
SERVER = {"log_connections": True}


def measure(folder: Path, rounds: int) -> list[Row]:
    """Return the rows of 200 modules, compared with half of them, with psql and with naive and idle programs."""
    ups = [_measure_ups(folder, number) for number in range(rounds)]
    first, halves, naive = [up.whole for up in ups], [up.half for up in ups], [up.naive for up in ups]
    idle = [idle_program(folder / f"idle-{number}", MODULES).up() for number in range(rounds)]
    psql = [up.psql for up in ups]
    growth = ups[0].state / ups[0].half_state
    return [
        Row(f"psql, {MODULES} modules in one session", time_text(psql)),
        comparison_row(f"first up of {MODULES} modules", first, "psql", psql, FIRST_UP),
        comparison_row("the same", first, f"first up of {MODULES // 2}", halves),
        comparison_row("the same", first, "a naive one", naive),
        comparison_row(f"first up of {MODULES} naive modules", naive, "psql", psql),
        comparison_row(f"first up of {MODULES} resources that do nothing", idle, "psql", psql),
        limit_row("connections of it, a worker", max(up.connections for up in ups) / WORKERS, "", CONNECTIONS),
        Row(
            f"state of {MODULES} modules",
            f"{ups[0].state / 1024:.0f} KB",
            f"of {MODULES // 2}: {ups[0].half_state / 1024:.0f} KB",
            f"{growth:.2f}x",
            f"at most {GROWTH:g}x",
            growth <= GROWTH,
        ),
        *_up_to_date(folder, rounds * 3),
        *_memory(folder),
    ]


@dataclass(frozen=True)
class UpCosts:
    """The costs of `up` with half of the modules and with all of them, and the state's size after each in bytes."""

    half: Cost
    half_state: int
    whole: Cost
    state: int
    connections: int
    psql: Cost
    naive: Cost


def _measure_ups(folder: Path, number: int) -> UpCosts:
    """Run `up` with half of the modules, with all of them, and apply all of them with psql and naively.

    Everything is destroyed only at the end, because ext4 creates files slowly where many were removed a minute ago.
    """
    half, whole = (_start_checkout(folder / f"{part}-{number}", folder / "root") for part in ("half", "whole"))
    half.write_modules(generated_modules(MODULES // 2))
    half_cost = half.up()
    whole.write_modules(generated_modules(MODULES))
    before = _connections(whole)
    cost = whole.up()
    connections = _connections(whole) - before
    databases = Databases(whole.access(DATABASE), whole.folder / "sql", whole.psql())
    psql = databases.by_psql()
    with databases.fresh() as session:
        naive = naive_program(folder / f"naive-{number}", session, whole.folder / "sql").up()
    half_state, state = half.size_of_state(), whole.size_of_state()
    for checkout in (half, whole):
        checkout.run_verb("destroy")
    return UpCosts(half_cost, half_state, cost, state, connections, psql, naive)


def _start_checkout(folder: Path, root: Path) -> Checkout:
    """Return a checkout whose server, roles and database are up, with a module that creates nothing."""
    checkout = Checkout(folder, root, [DATABASE], modules=empty_module(), server=SERVER)
    checkout.up()
    return checkout


def _connections(checkout: Checkout) -> int:
    """Return how many connections the modules' provider has opened so far, by the server's log."""
    application = f"database={DATABASE} application_name=platform-postgres"
    return sum("connection authorized" in line and application in line for line in checkout.log().splitlines())


def _up_to_date(folder: Path, rounds: int) -> list[Row]:
    """Return the rows of runs without changes."""
    empty = empty_program(folder / "empty")
    whole = _start_checkout(folder / "whole", folder / "root")
    whole.write_modules(generated_modules(MODULES))
    whole.up()
    before = _connections(whole)
    idle = idle_program(folder / "idle", MODULES)
    idle.up()
    single = _start_checkout(folder / "one", folder / "root")
    costs = run_alternating({"empty": empty.up, "one": single.up, "whole": whole.up, "idle": idle.up}, rounds)
    opened = (_connections(whole) - before) / rounds
    for checkout in (single, whole):
        checkout.run_verb("destroy")

    def difference(variant: str, other: str) -> float:
        """Return by how much a variant takes longer than another, in milliseconds for each module or resource."""
        return (minimum_seconds(costs[variant]) - minimum_seconds(costs[other])) * 1000 / MODULES

    return [
        Row("up of an empty program", time_text(costs["empty"])),
        comparison_row(f"up without changes of {MODULES} modules", costs["whole"], "empty up", costs["empty"]),
        limit_row(
            "what that is over the empty program, a module", difference("whole", "empty"), "ms", MILLISECONDS_A_MODULE
        ),
        Row("what that is over this project with one module, a module", f"{difference('whole', 'one'):.1f} ms"),
        Row("of resources that do nothing, over the empty program", f"{difference('idle', 'empty'):.1f} ms"),
        limit_row("connections of it, a worker", opened / WORKERS, "", CONNECTIONS),
    ]


def _memory(folder: Path) -> list[Row]:
    """Return the rows of the peak memory of the providers' host, with modules of short and of long texts."""
    peaks: dict[tuple[int, int], float] = {}
    for count, filler in ((FEW, 0), (MANY, 0), (FEW, LONG_TEXT), (MANY, LONG_TEXT)):
        checkout = _start_checkout(folder / f"memory-{count}-{filler}", folder / "root")
        checkout.write_modules(generated_modules(count, filler=filler))
        with peak_of_host(checkout.folder) as peak:
            checkout.up()
        peaks[count, filler] = peak.megabytes
        checkout.run_verb("destroy")
    short, long = (peaks[MANY, filler] - peaks[FEW, filler] for filler in (0, LONG_TEXT))
    texts = (MANY - FEW) * LONG_TEXT / 1e6
    return [
        Row(f"peak of the host, {FEW} and {MANY} modules of 5 KB", f"{peaks[FEW, 0]:.0f}, {peaks[MANY, 0]:.0f} MB"),
        Row(
            f"peak of the host, {FEW} and {MANY} modules of 100 KB",
            f"{peaks[FEW, LONG_TEXT]:.0f}, {peaks[MANY, LONG_TEXT]:.0f} MB",
        ),
        limit_row(
            "what the length of the text adds to that growth", long - short, "MB", texts / 2, note=f"{texts:g} MB"
        ),
    ]

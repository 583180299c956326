"""200 modules and 1,000 tables in one database: what grows with the modules, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.beside import empty_program, idle_program, naive_program
from bench.checkout import Checkout
from bench.databases import Databases
from bench.generated import modules, nothing
from bench.rounds import Cost, alternate, quickest
from bench.table import Row, compared, limited, seconds
from bench.watch import peak_of_host

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "app_db"
MODULES = 200
WORKERS = 4  # of the providers' host, which is Pulumi's
FIRST_UP = 1.3
MILLISECONDS_A_MODULE = 5.0
CONNECTIONS = 2
LONG_TEXT = 100_000
FEW, MANY = 100, 200  # with fewer the host is still growing into what it needs anyway
GROWTH = 2.2
SERVER = {"log_connections": True}


def measure(folder: Path, rounds: int) -> list[Row]:
    """Bring 200 modules up, beside psql and beside an empty program; look at what half of them cost, and at memory."""
    ups = [_brought_up(folder, number) for number in range(rounds)]
    first, halves, naive = [one.whole for one in ups], [one.half for one in ups], [one.naive for one in ups]
    idle = [idle_program(folder / f"idle-{number}", MODULES).up() for number in range(rounds)]
    growth = ups[0].state / ups[0].half_state
    return [
        Row(f"psql, {MODULES} modules in one session", seconds([one.psql for one in ups])),
        compared(f"first up of {MODULES} modules", first, "psql", [one.psql for one in ups], FIRST_UP),
        compared("the same", first, f"first up of {MODULES // 2}", halves),
        compared("the same", first, "a naive one", naive),
        compared(f"first up of {MODULES} naive modules", naive, "psql", [one.psql for one in ups]),
        compared(f"first up of {MODULES} resources that do nothing", idle, "psql", [one.psql for one in ups]),
        limited("connections of it, a worker", max(one.connections for one in ups) / WORKERS, "", CONNECTIONS),
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
class BroughtUp:
    """What bringing half of the modules and all of them up took, and what it left; sizes in bytes."""

    half: Cost
    half_state: int
    whole: Cost
    state: int
    connections: int
    psql: Cost
    naive: Cost


def _brought_up(folder: Path, number: int) -> BroughtUp:
    """Bring half of the modules up, all of them, and all of them by psql and naively; then take everything down.

    Nothing is taken down before, because files are made slowly where many were removed a minute ago.
    """
    half, whole = (_standing(folder / f"{part}-{number}", folder / "root") for part in ("half", "whole"))
    half.write_modules(modules(MODULES // 2))
    half_cost = half.up()
    whole.write_modules(modules(MODULES))
    before = _connections(whole)
    cost = whole.up()
    connections = _connections(whole) - before
    databases = Databases(whole.ways(DATABASE), whole.folder / "sql", whole.psql())
    psql = databases.by_psql()
    with databases.fresh() as session:
        naive = naive_program(folder / f"naive-{number}", session, whole.folder / "sql").up()
    half_state, state = half.size_of_state(), whole.size_of_state()
    for one in (half, whole):
        one.verb("destroy")
    return BroughtUp(half_cost, half_state, cost, state, connections, psql, naive)


def _standing(folder: Path, root: Path) -> Checkout:
    """Bring server, roles and database up, with a module that makes nothing."""
    checkout = Checkout(folder, root, [DATABASE], modules=nothing(), server=SERVER)
    checkout.up()
    return checkout


def _connections(checkout: Checkout) -> int:
    """Count the connections of the modules' provider so far."""
    found = f"database={DATABASE} application_name=platform-postgres"
    return sum("connection authorized" in line and found in line for line in checkout.log().splitlines())


def _up_to_date(folder: Path, rounds: int) -> list[Row]:
    """Compare runs that have nothing to do."""
    empty = empty_program(folder / "empty")
    whole = _standing(folder / "whole", folder / "root")
    whole.write_modules(modules(MODULES))
    whole.up()
    before = _connections(whole)
    idle = idle_program(folder / "idle", MODULES)
    idle.up()
    one = _standing(folder / "one", folder / "root")
    found = alternate({"empty": empty.up, "one": one.up, "whole": whole.up, "idle": idle.up}, rounds)
    opened = (_connections(whole) - before) / rounds
    for checkout in (one, whole):
        checkout.verb("destroy")

    def more(what: str, than: str) -> float:
        """Give the milliseconds a module or resource."""
        return (quickest(found[what]) - quickest(found[than])) * 1000 / MODULES

    return [
        Row("up of an empty program", seconds(found["empty"])),
        compared(f"up without changes of {MODULES} modules", found["whole"], "empty up", found["empty"]),
        limited("what that is over the empty program, a module", more("whole", "empty"), "ms", MILLISECONDS_A_MODULE),
        Row("what that is over this project with one module, a module", f"{more('whole', 'one'):.1f} ms"),
        Row("of resources that do nothing, over the empty program", f"{more('idle', 'empty'):.1f} ms"),
        limited("connections of it, a worker", opened / WORKERS, "", CONNECTIONS),
    ]


def _memory(folder: Path) -> list[Row]:
    """Watch the providers' host while modules with short and with long texts are applied."""
    peaks: dict[tuple[int, int], float] = {}
    for count, filler in ((FEW, 0), (MANY, 0), (FEW, LONG_TEXT), (MANY, LONG_TEXT)):
        checkout = _standing(folder / f"memory-{count}-{filler}", folder / "root")
        checkout.write_modules(modules(count, filler=filler))
        with peak_of_host(checkout.folder) as peak:
            checkout.up()
        peaks[count, filler] = peak.megabytes
        checkout.verb("destroy")
    short, long = (peaks[MANY, filler] - peaks[FEW, filler] for filler in (0, LONG_TEXT))
    texts = (MANY - FEW) * LONG_TEXT / 1e6
    return [
        Row(f"peak of the host, {FEW} and {MANY} modules of 5 KB", f"{peaks[FEW, 0]:.0f}, {peaks[MANY, 0]:.0f} MB"),
        Row(
            f"peak of the host, {FEW} and {MANY} modules of 100 KB",
            f"{peaks[FEW, LONG_TEXT]:.0f}, {peaks[MANY, LONG_TEXT]:.0f} MB",
        ),
        limited("what the length of the text adds to that growth", long - short, "MB", texts / 2, note=f"{texts:g} MB"),
    ]

"""200 modules and 1,000 tables in one database: what grows with the modules, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.checkout import Checkout
from bench.databases import Databases
from bench.generated import modules, nothing
from bench.program import empty_program, idle_program
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
FEW, MANY = 50, 100
GROWTH = 2.2
SERVER = {"log_connections": True}


def measure(folder: Path, rounds: int) -> list[Row]:
    """Bring 200 modules up, beside psql and beside an empty program; look at what half of them cost, and at memory."""
    ups = [_brought_up(folder, number) for number in range(rounds)]
    first, halves = [one.whole for one in ups], [one.half for one in ups]
    idle = [idle_program(folder / f"idle-{number}", MODULES).up() for number in range(rounds)]
    growth = ups[0].state / ups[0].half_state
    return [
        Row(f"psql, {MODULES} modules in one session", seconds([one.psql for one in ups])),
        compared(f"first up of {MODULES} modules", first, "psql", [one.psql for one in ups], FIRST_UP),
        compared("the same", first, f"first up of {MODULES // 2}", halves),
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


def _brought_up(folder: Path, number: int) -> BroughtUp:
    """Bring half of the modules up, all of them, and all of them by psql."""
    half = _standing(folder / f"half-{number}", folder / "root")
    half.write_modules(modules(MODULES // 2))
    half_cost, half_state = half.up(), half.size_of_state()
    half.verb("destroy")
    whole = _standing(folder / f"whole-{number}", folder / "root")
    whole.write_modules(modules(MODULES))
    before = _connections(whole)
    cost = whole.up()
    connections = _connections(whole) - before
    psql = Databases(whole.ways(DATABASE), whole.folder / "sql", whole.psql()).by_psql()
    state = whole.size_of_state()
    whole.verb("destroy")
    return BroughtUp(half_cost, half_state, cost, state, connections, psql)


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
    found = alternate({"empty": empty.up, "whole": whole.up, "idle": idle.up}, rounds)
    opened = (_connections(whole) - before) / rounds
    whole.verb("destroy")
    more, least = ((quickest(found[one]) - quickest(found["empty"])) * 1000 / MODULES for one in ("whole", "idle"))
    return [
        Row("up of an empty program", seconds(found["empty"])),
        compared(f"up without changes of {MODULES} modules", found["whole"], "empty up", found["empty"]),
        limited("what that is over the empty program, a module", more, "ms", MILLISECONDS_A_MODULE),
        Row("the same of resources that do nothing", f"{least:.1f} ms"),
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

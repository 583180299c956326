"""`make bench`: the eight modules; `make bench ARGS=--large`: 200 modules and 1,000 tables as well."""

from __future__ import annotations

import argparse
import platform
import shutil
import signal
import tempfile
import time
from os import cpu_count, getloadavg
from pathlib import Path

from bench import clones, environments, groups, large, small
from bench.table import Row, render_table

GROUP_DATABASES, SINGLE_DATABASES = 100, 40


def main() -> None:
    """Run the benchmarks in a temporary folder, which is removed, and print their table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each variant runs (9)")
    parser.add_argument("--large", action="store_true", help="200 modules and 1,000 tables, about ten minutes more")
    parser.add_argument("--large-rounds", type=int, default=3, help="how often those are brought up (3)")
    parser.add_argument("--only-large", action="store_true", help="skip the eight modules")
    parser.add_argument(
        "--groups", action="store_true", help="100 databases of a group, 40 single ones, about four minutes more"
    )
    parser.add_argument("--environments", action="store_true", help="environments on a server that is there, alone")
    parser.add_argument("--clones", action="store_true", help="databases of tests beside pgtestdb, alone; needs Go")
    arguments = parser.parse_args()
    is_apart = arguments.only_large or arguments.environments or arguments.clones
    # A shell starts background jobs with SIGINT ignored. Pulumi would inherit that, and so would its plugins, which it
    # ends with SIGINT: each run would wait 5 s for them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="platform-postgres-bench-", dir="/var/tmp"))
    folder.chmod(0o755)  # the server's system user has to reach its own folder
    started = time.monotonic()
    rows: list[Row] = []
    try:
        if not is_apart:
            rows += small.measure(folder / "small", arguments.rounds)
        if arguments.large or arguments.only_large:
            rows += large.measure(folder / "large", arguments.large_rounds)
        if arguments.groups:
            rows += groups.measure(folder / "groups", GROUP_DATABASES)
            rows += groups.measure_single(folder / "single", SINGLE_DATABASES)
        if arguments.environments:
            rows += environments.measure(folder / "environments", arguments.rounds)
            rows += environments.measure_clones(folder / "clones-of-template", arguments.large_rounds)
        if arguments.clones:
            rows += clones.measure(folder / "clones")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    load = ", ".join(f"{average:.1f}" for average in getloadavg())
    print(f"{platform.machine()}, {cpu_count()} cores, load {load}, Python {platform.python_version()}, ", end="")
    print(f"{time.strftime('%Y-%m-%d')}, {time.monotonic() - started:.0f} s in all\n")
    print(render_table(rows))


if __name__ == "__main__":
    main()

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

from bench import large, small
from bench.table import Row, rendered


def main() -> None:
    """Measure in a temporary folder, which is removed, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each variant runs (9)")
    parser.add_argument("--large", action="store_true", help="200 modules and 1,000 tables, about ten minutes more")
    parser.add_argument("--large-rounds", type=int, default=3, help="how often those are brought up (3)")
    parser.add_argument("--only-large", action="store_true", help="leave the eight modules out")
    given = parser.parse_args()
    # Started by a shell in the background, pulumi would be deaf to SIGINT, and its plugins with it: 5 s a run.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="platform-postgres-bench-", dir="/var/tmp"))
    folder.chmod(0o755)  # the server's system user has to reach its own folder
    started = time.monotonic()
    rows: list[Row] = []
    try:
        if not given.only_large:
            rows += small.measure(folder / "small", given.rounds)
        if given.large or given.only_large:
            rows += large.measure(folder / "large", given.large_rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    load = ", ".join(f"{one:.1f}" for one in getloadavg())
    print(f"{platform.machine()}, {cpu_count()} cores, load {load}, Python {platform.python_version()}, ", end="")
    print(f"{time.strftime('%Y-%m-%d')}, {time.monotonic() - started:.0f} s in all\n")
    print(rendered(rows))


if __name__ == "__main__":
    main()

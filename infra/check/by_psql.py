"""The catalog of modules that psql runs: it must be the one that this program's own way of running them gives."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from psycopg.conninfo import make_conninfo

from infra.check.codes import CHECK_CODES
from infra.findings.finding import Finding, Place
from infra.modules.directive import runs_by_statement
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection.connect import connect
from infra.postgres.connection.session_settings import CLIENT_ENCODING, SESSION_SETTINGS, startup_options
from infra.postgres.introspection.reader import read_catalog
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from infra.catalog.catalog import Catalog
    from infra.modules.module import Module
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.server.scratch.scratch_server import ScratchServer

MOST_ERROR_LINES = 5
_REMEDY = "write SQL that every client runs alike: no psql variables or commands, no settings of the session"


def catalog_by_psql(
    server: ScratchServer, psql: Path, modules: Sequence[Module], extensions: Sequence[str] = ()
) -> Catalog | Finding:
    """Run modules by psql on a scratch database, each in one transaction.

    Returns the catalog afterwards, or a finding for the first module that psql cannot run.
    """
    with server.database(extensions) as scratch:
        for module in modules:
            process = _run(psql, scratch, module)
            if process.returncode:
                detail = tuple(process.stderr.strip().splitlines()[:MOST_ERROR_LINES])
                message = f"psql cannot run {module.path}"
                return Finding("C114", CHECK_CODES["C114"].severity, Place(module.path), message, _REMEDY, detail)
        with connect(scratch.target, autocommit=True) as connection:
            return catalog_with_real_names(scratch, read_catalog(connection))


def _run(psql: Path, scratch: ScratchTarget, module: Module) -> subprocess.CompletedProcess[str]:
    """Run a module; the password is passed in the environment, since other users can read a command line."""
    target = scratch.target
    options = {keyword: value for keyword, value in target.options.items() if keyword != "options"}
    conninfo = make_conninfo(
        "", host=target.host, port=str(target.port), dbname=target.database, user=target.user, **options
    )
    single_transaction = [] if runs_by_statement(module.text) else ["-1"]
    return subprocess.run(
        [str(psql), "-X", "-w", "-q", *single_transaction, "-v", "ON_ERROR_STOP=1", "-d", conninfo, "-f", module.path],
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "PGCLIENTENCODING": CLIENT_ENCODING,
            "PGOPTIONS": startup_options({**SESSION_SETTINGS, **_settings(scratch.owner)}),
            "PGPASSWORD": target.password,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=MODULE_SECONDS,
    )


def _settings(owner: str) -> dict[str, str]:
    return {"role": owner, "search_path": "public", "client_min_messages": "warning"}

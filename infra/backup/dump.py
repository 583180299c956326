"""Dumps a database with pg_dump, and proves the dump: restored on a private server, it has the same catalog and rows.

A backup is a folder, <home>/<time in UTC>/, which appears when all of it is written, and until then is called
.<time>.part; whoever writes it holds <home>/.lock, so that one without a writer is removed. `home` is <into>/<stack>/
for all databases of a stack, and <into>/<stack>/<database>/ for what a run backs up before it destroys something:
  <database>.dump   pg_dump's custom format
  <database>.json   what it is of, and what the restore has to bring back
  globals.sql       the server's roles, without passwords
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from psycopg import sql

from infra.backup.contents import Dumped, read_contents
from infra.backup.programs import client_programs, run_client
from infra.backup.proof import ROLE_NAMES, prove
from infra.catalog.catalog import fingerprint
from infra.errors import InfraError, ServerError
from infra.plan.ledger_rows import Program
from infra.postgres.connection.connect import connect
from infra.postgres.ledger.identity import current_identity
from infra.server.embedded.file_lock import file_locked
from infra.server.scratch.private_server import private_server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target
    from infra.server.scratch.private_server import PrivateServer

MANIFEST_FORMAT = 1
OWNER_OF_DATABASE = """
SELECT rolname::text, pg_catalog.pg_encoding_to_char(encoding)::text
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba
WHERE datname = pg_catalog.current_database()
"""
_EXTENSIONS = """
SELECT extname::text, nspname::text, extversion FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE extname <> 'plpgsql' ORDER BY e.oid
"""
_BACKUP = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
_CHUNK = 1 << 20


def back_up(
    targets: Sequence[Target],
    *,
    stack: str,
    home: Path,
    bin_dir: Path | None = None,
    root: Path | None = None,
    keep: int = 0,
    must_prove: bool = False,
) -> list[str]:
    """Dump databases into a folder of `home` and prove the dumps; return a line for each, and for what was removed.

    With `keep` only that many of the backups in `home` stay, this one included. The private server's programs are
    those of `bin_dir`, or a copy below `root`. Raises InfraError where a dump fails or does not bring back what it is
    of, and, if it `must_prove`, where that cannot be found out: then there is no new backup, and nothing is removed.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file_locked(home / ".lock") as lock:
        moment = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
        folder, part = home / moment, home / f".{moment}.part"
        for abandoned in home.glob(".*.part"):
            shutil.rmtree(abandoned)
        part.mkdir(mode=0o700)
        try:
            dumps = [_dump(target, part, stack, bin_dir) for target in targets]
            with private_server(bin_dir, root, data_bytes=2 * sum(dump.data_bytes for dump in dumps)) as server:
                lines = [_proved(dump, folder, server, bin_dir, must_prove=must_prove) for dump in dumps]
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        finally:
            lock.remove()
        return lines + _remove_older(home, keep)


def _dump(target: Target, folder: Path, stack: str, bin_dir: Path | None) -> Dumped:
    """Write the dump of a database, the roles of its server, and the manifest without the proof."""
    file = folder / f"{file_name(target.database)}.dump"
    with connect(target, autocommit=True) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        owner, encoding = _one(connection, OWNER_OF_DATABASE)
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
        (snapshot,) = _one(connection, "SELECT pg_catalog.pg_export_snapshot()")
        major = connection.info.server_version // 10_000
        programs = client_programs(major, bin_dir)
        _write_private(file)
        run_client(
            programs / "pg_dump",
            target,
            ["--format=custom", f"--role={owner}", f"--snapshot={snapshot}", f"--file={file}"],
        )
        contents = read_contents(connection)
        roles = [str(row[0]) for row in connection.execute(ROLE_NAMES)]
        extensions = [(str(row[0]), str(row[1]), str(row[2])) for row in connection.execute(_EXTENSIONS)]
        (size,) = _one(connection, "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())::text")
        identity = current_identity(connection, Program(stack))
        version = connection.info.parameter_status("server_version") or ""
    globals_file = folder / "globals.sql"
    if not globals_file.exists():
        _write_private(globals_file)
        arguments = ["--globals-only", "--no-role-passwords", f"--database={target.database}", f"--file={globals_file}"]
        run_client(programs / "pg_dumpall", target, arguments)
    manifest = {
        "format": MANIFEST_FORMAT,
        "stack": stack,
        "database": target.database,
        "owner": owner,
        "server_version": version,
        "system_identifier": identity.system_identifier,
        "fingerprint": fingerprint(contents.catalog),
        "rows": contents.rows,
        "sha256": digest_of(file),
    }
    path = file.with_suffix(".json")
    _write_private(path)
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return Dumped(file, target.database, owner, major, encoding, roles, extensions, int(size), contents)


def _proved(dump: Dumped, folder: Path, server: PrivateServer, bin_dir: Path | None, *, must_prove: bool) -> str:
    """Prove a dump, and return the line that says so."""
    not_proved = prove(dump, server, bin_dir)
    if not_proved and must_prove:
        raise ServerError(f"it cannot be proved: {not_proved}", place=f"database {dump.database}")
    rows = sum(dump.contents.rows.values())
    line = f"database {dump.database}: {folder / dump.file.name}, {len(dump.contents.rows)} tables, {rows} rows"
    return f"{line}; NOT PROVED: {not_proved}" if not_proved else f"{line}; proved by a restore"


def digest_of(file: Path) -> str:
    """Return the SHA-256 digest of a file, read piece by piece."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _remove_older(home: Path, keep: int) -> list[str]:
    backups = sorted(path for path in home.iterdir() if _BACKUP.fullmatch(path.name) and path.is_dir())
    older = backups[:-keep] if keep else []
    for path in older:
        shutil.rmtree(path)
    return [f"removed {path}, as the newest {keep} are kept" for path in older]


def _write_private(file: Path) -> None:
    """Create a file that only the current user can read."""
    file.touch(mode=0o600, exist_ok=False)


def file_name(database: str) -> str:
    """Return the name of a database as that of a file; raises InfraError for one that no file can have."""
    if "/" in database or database.startswith("."):
        raise InfraError("has a name that no file can have", place=f"database {database}")
    return database


def _one(connection: Connection, query: str) -> tuple[str, ...]:
    row = connection.execute(query.encode()).fetchone()
    if row is None:
        raise ServerError("gave no answer to a query", place=f"database {connection.info.dbname}")
    return tuple(map(str, row))

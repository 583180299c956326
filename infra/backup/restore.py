"""Restores a backup into a database of a stack: one transaction, after which the database has what the backup has.

Roles, the database itself, extensions and the privileges that the stack declares are not restored: `up` makes them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psycopg import sql

from infra.backup.contents import read_contents
from infra.backup.dump import MANIFEST_FORMAT, OWNER_OF_DATABASE, digest_of
from infra.backup.entries import (
    ALL_BUT_PRIVILEGES_OF_SEQUENCES,
    DECLARED,
    DECLARED_AND_IDENTITY,
    list_without,
)
from infra.backup.programs import client_programs, run_client
from infra.catalog.catalog import fingerprint
from infra.errors import InfraError, LedgerError, RefusedError
from infra.plan.ledger_rows import Program
from infra.postgres.connection.connect import connect
from infra.postgres.ledger.acceptance import accept_ledger
from infra.postgres.ledger.identity import current_identity, leave_to_owner, read_identity

if TYPE_CHECKING:
    from pathlib import Path

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target


_IDENTITY_SEQUENCES = """
SELECT DISTINCT n.nspname::text, c.relname::text, coalesce(pg_catalog.pg_get_userbyid(nullif(x.grantee, 0))::text, '')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_depend d ON d.objid = c.oid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refclassid = d.classid AND d.deptype = 'i', pg_catalog.aclexplode(c.relacl) x
WHERE c.relkind = 'S' AND x.grantee <> c.relowner AND pg_catalog.pg_get_userbyid(c.relowner) = %s
"""
"""Sequences of identity columns, with those to whom their owner grants something, '' for PUBLIC."""


def backups_in(folder: Path) -> dict[str, Path]:
    """Return the dumps of a backup by database; raises InfraError for a folder that has none."""
    dumps = {
        json.loads(path.read_text("utf-8"))["database"]: path.with_suffix(".dump") for path in folder.glob("*.json")
    }
    if not dumps:
        raise InfraError("has no backup", place=str(folder), remedy="name the folder that `make backup` printed")
    return dumps


def restore_database(dump: Path, target: Target, *, stack: str, bin_dir: Path | None = None) -> list[str]:
    """Replace what a database has by what a dump has, and return in lines what was done.

    Raises RefusedError for a dump that was changed since it was made; ServerError where pg_restore fails. Then, and
    also where the database has afterwards something else than the backup, nothing is changed or the lines say what is.
    """
    manifest = _manifest(dump)
    with connect(target, autocommit=True) as connection:
        owner, _ = connection.execute(OWNER_OF_DATABASE).fetchone() or ("", "")
        major = connection.info.server_version // 10_000
        is_ours = _is_of(connection, stack)
    programs = client_programs(major, bin_dir)
    arguments = ["--single-transaction", "--exit-on-error", "--clean", "--if-exists"]
    # The login creates, and then the owner owns: what the owner creates has privileges that no dump takes back, those
    # of ALTER DEFAULT PRIVILEGES. With an owner of another name they replace those of roles that are not here.
    if owner != manifest["owner"]:
        arguments += ["--no-owner", "--no-privileges", f"--role={owner}"]
    with list_without(DECLARED_AND_IDENTITY if is_ours else DECLARED, dump, programs) as chosen:
        run_client(programs / "pg_restore", target, [*arguments, chosen, str(dump)])
    if owner == manifest["owner"] and _revoke_defaults(target, owner):
        with list_without(ALL_BUT_PRIVILEGES_OF_SEQUENCES, dump, programs) as chosen:
            run_client(programs / "pg_restore", target, ["--single-transaction", "--exit-on-error", chosen, str(dump)])
    lines = [f"database {target.database}: restored from {dump}"]
    with connect(target, autocommit=True) as connection:
        if read_identity(connection):
            lines.append(accept_ledger(connection, stack))
            leave_to_owner(connection)
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
            contents = read_contents(connection)
    if contents.rows != manifest["rows"]:
        lines.append("it has more tables or other rows than the backup: see `make preview` for what no module made")
    if fingerprint(contents.catalog) != manifest["fingerprint"]:
        lines.append("its catalog is not that of the backup: see `make preview`")
    return lines


def _is_of(connection: Connection, stack: str) -> bool:
    """Return whether a database's ledger is a stack's; one that is damaged is nobody's."""
    try:
        return read_identity(connection) == current_identity(connection, Program(stack))
    except LedgerError:
        return False


def _revoke_defaults(target: Target, owner: str) -> bool:
    """Revoke what is granted on sequences of identity columns, and return whether there was something.

    PostgreSQL creates them as the table's owner, whoever restores them, with what the owner's default privileges give.
    """
    with connect(target) as connection:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
        granted = connection.execute(_IDENTITY_SEQUENCES, (owner,)).fetchall()
        for schema, name, grantee in granted:
            role = sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC")
            revoke = sql.SQL("REVOKE ALL ON SEQUENCE {} FROM {} CASCADE")
            connection.execute(revoke.format(sql.Identifier(schema, name), role))
    return bool(granted)


def _manifest(dump: Path) -> dict[str, Any]:
    """Return what a dump is of; raises RefusedError where it is damaged, or made by a newer version of the program."""
    manifest: dict[str, Any] = json.loads(dump.with_suffix(".json").read_text("utf-8"))
    if manifest["format"] > MANIFEST_FORMAT:
        raise RefusedError("was made by a newer version of this program", place=str(dump), remedy="use that version")
    if digest_of(dump) != manifest["sha256"]:
        raise RefusedError("was changed or damaged since it was made", place=str(dump), remedy="use another backup")
    return manifest

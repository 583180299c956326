"""A squashed history leads databases at its baseline or later to the same schema, and refuses older ones by name."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.check.revisions import lock_findings
from infra.errors import InfraError, ModuleError, RefusedError
from infra.migrations.history import read_history
from infra.migrations.revision_sql import downgrade_sql
from infra.modules.decision import Step
from infra.revisions.by_hand import refuse_squashed
from infra.revisions.squash import squash_revisions
from infra.revisions.writing import lock_again
from tests.database.postgres.apply.test_revisions import TABLE, Lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

INDEXED = """
op.execute("ALTER TABLE a ADD COLUMN note text")
with op.get_context().autocommit_block():
    op.execute("CREATE INDEX CONCURRENTLY a_note ON a (note)")
"""
MODULE = "CREATE TABLE a (id int PRIMARY KEY, note text);\nCREATE INDEX a_note ON a (note);\n"
MORE = "CREATE TABLE b (id int);\n"


def git(*arguments: str) -> None:
    """Run git in the current folder."""
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def test_a_squashed_history_refuses_what_is_older_and_leads_the_others_on(world: World) -> None:
    """At the baseline or later nothing is different; before it, a sentence says where the database is and what to run.

    No downgrade leads below the baseline.
    """
    lane = Lane(world)
    lane.release(m01_a=TABLE)
    lane.up()
    lane.world.sql("INSERT INTO a VALUES (1)")
    lane.world.write(m01_a=MODULE)
    lane.revision("0002", INDEXED)
    assert lane.up()[0] == ["0002"]
    lane.world.write(m02_b=MORE)
    lane.revision("0003", 'op.execute("CREATE TABLE b (id int)")')
    git("init", "--quiet")
    with pytest.raises(InfraError, match=r"0001_test\.py: is not committed, so that no release would have it"):
        squash_revisions("migrations", "0002")
    git("add", ".")
    git("commit", "--quiet", "-m", "x")
    git("tag", "v7")
    with pytest.raises(InfraError, match=r"^revision 0009: is not in migrations/; name one of 0002, 0003$"):
        squash_revisions("migrations", "0009")
    assert squash_revisions("migrations", "0002") == [
        "migrations/versions/0001_test.py: removed",
        "migrations/versions/0002_test.py: removed",
        "migrations/versions/0002_baseline.py: written",
        "migrations/baseline/02-revisions-0002-to-0002.sql: written",
    ]
    history = read_history("migrations")
    assert history
    assert ([revision.revision for revision in history.revisions], history.squashed) == (
        ["0002", "0003"],
        {"0001": "v7"},
    )
    assert lock_findings("migrations") == []
    lock_again("migrations")
    assert read_history("migrations") == history
    sentence = (
        f"{world.place}: is at revision 0001, and the baseline 0002 has replaced the revisions up to 0002; "
        "run `make up` of the release v7, which has them, then of this one"
    )
    lane.stamp("0001")
    with pytest.raises(RefusedError) as caught:
        lane.up()
    assert str(caught.value) == sentence
    lane.stamp("0002")
    assert lane.up() == (["0003"], [Step.UNCHANGED, Step.ADOPT])
    assert lane.world.sql("SELECT * FROM a") == [(1, None)]
    with pytest.raises(InfraError, match=r"^revision 0001: is older than the baseline 0002, which has replaced it"):
        refuse_squashed("0001", "migrations")
    refuse_squashed("0002", "migrations")
    with pytest.raises(ModuleError, match="there is no revision before the baseline 0002, which has 0001 to 0002"):
        downgrade_sql(history.revisions[0])


def test_a_database_of_the_first_baseline_without_a_stamp_is_older_too(world: World) -> None:
    """Its rows in the ledger are those of the first baseline's modules, and the history says where it is."""
    lane = Lane(world)
    lane.release(m01_a=TABLE)
    lane.world.new_process()
    lane.world.up()
    lane.world.write(m01_a=MODULE)
    lane.revision("0002", INDEXED)
    squash_revisions("migrations", "0002")
    with pytest.raises(RefusedError, match=r"is at revision 0001, .* run `make up` of the last release that has them"):
        lane.up()


def squashed(lane: Lane, last: str) -> None:
    """Squash the history up to a revision, and forget the files that are gone."""
    squash_revisions("migrations", last)
    history = read_history("migrations")
    assert history
    lane.files = [revision.path.removeprefix("migrations/") for revision in history.revisions]


def released(world: World) -> Lane:
    """Return a lane with two revisions, whose release is v7, and whose database is at the baseline."""
    lane = Lane(world)
    lane.release(m01_a=TABLE)
    lane.up()
    lane.world.sql("INSERT INTO a VALUES (1)")
    lane.world.write(m01_a=MODULE)
    lane.revision("0002", INDEXED)
    git("init", "--quiet", "--initial-branch=main")
    git("add", ".")
    git("commit", "--quiet", "-m", "x")
    git("tag", "v7")
    return lane


def test_a_fresh_database_after_a_squash_runs_no_revision(world: World, new_world: Callable[[], World]) -> None:
    """Its modules make it, it is stamped with the last revision, and equals one that came there by revisions."""
    lane = released(world)
    assert lane.up()[0] == ["0002"]
    squashed(lane, "0002")
    assert lane.up() == ([], [Step.UNCHANGED])
    lane.world = new_world().set(lifecycle=lane.world.session.lifecycle, migrations="migrations")
    assert lane.up() == ([], [Step.APPLY])
    assert lane.stamped() == "0002"
    assert lane.up() == ([], [Step.UNCHANGED])
    assert lane.world.fingerprint() == world.fingerprint()


def test_a_database_is_brought_across_a_squash_by_the_release_that_the_refusal_names(world: World) -> None:
    """The newer release refuses it, the one with the tag brings it to the baseline, and the newer one goes on."""
    lane = released(world)
    squashed(lane, "0002")
    lane.world.write(m02_b=MORE)
    lane.revision("0003", 'op.execute("CREATE TABLE b (id int)")')
    git("add", ".")
    git("commit", "--quiet", "-m", "squashed")
    with pytest.raises(RefusedError, match=r"run `make up` of the release v7, which has them, then of this one"):
        lane.up()
    newer, lane.files = lane.files, ["versions/0001_test.py", "versions/0002_test.py"]
    git("checkout", "--quiet", "v7")
    assert lane.up() == (["0002"], [Step.VERIFY])
    git("checkout", "--quiet", "main")
    lane.files = newer
    assert lane.up() == (["0003"], [Step.UNCHANGED, Step.ADOPT])
    assert lane.world.sql("SELECT * FROM a") == [(1, None)]
    assert lane.world.equals_scratch()


def test_a_history_is_squashed_again_over_its_baseline(world: World) -> None:
    """All older revisions are refused, each with its own release; a database at the second baseline goes on."""
    lane = released(world)
    assert lane.up()[0] == ["0002"]
    squashed(lane, "0002")
    lane.world.write(m02_b=MORE)
    lane.revision("0003", 'op.execute("CREATE TABLE b (id int)")')
    git("add", ".")
    git("commit", "--quiet", "-m", "squashed")
    git("tag", "v8")
    squashed(lane, "0003")
    assert sorted(path.name for path in Path("migrations/versions").iterdir()) == ["0003_baseline.py"]
    history = read_history("migrations")
    assert history
    assert history.squashed == {"0001": "v7", "0002": "v8"}
    assert lock_findings("migrations") == []
    for stamp, release in history.squashed.items():
        lane.stamp(stamp)
        with pytest.raises(
            RefusedError, match=f"at revision {stamp}, and the baseline 0003 .* of the release {release},"
        ):
            lane.up()
    with pytest.raises(ModuleError, match="no revision before the baseline 0003, which has 0001 to 0003"):
        downgrade_sql(history.revisions[0])
    lane.world.sql("CREATE TABLE b (id int)")
    lane.stamp("0003")
    assert lane.up() == ([], [Step.UNCHANGED, Step.ADOPT])
    with pytest.raises(InfraError, match=r"^revision 0003: is the baseline already; there is no revision after"):
        squash_revisions("migrations", "0003")

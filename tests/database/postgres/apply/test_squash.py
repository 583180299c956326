"""A squashed history leads databases at its baseline or later to the same schema, and refuses older ones by name."""

from __future__ import annotations

import subprocess
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

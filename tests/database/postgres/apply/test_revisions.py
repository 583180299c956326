"""Existing databases are brought to the last revision, and fresh ones never run any."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from infra.check.status import stack_status
from infra.errors import InfraError, ModuleError, ModuleFileError, RefusedError
from infra.migrations.history import file_digests, read_history, write_lock
from infra.modules.decision import Step
from infra.plan.refusal import refusal_of
from infra.postgres.apply import runner
from infra.postgres.apply.revisions import stamp_head
from infra.postgres.connection.connect import connect
from infra.postgres.ledger.stamp import read_stamp
from infra.server.dsn import format_dsn
from tests.database.postgres.connection.test_waiting import other_session
from tests.database.postgres.databases import EPHEMERAL, OWNER, PERSISTENT, READER, World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id int PRIMARY KEY);\n"
WIDER = "CREATE TABLE a (id int PRIMARY KEY, note text);\n"
EVENTS = "SELECT module, step, failure FROM sqlmodule.event WHERE module LIKE 'revision%' ORDER BY id"


class Lane:
    """A world with revisions, of which the first is the baseline."""

    def __init__(self, world: World) -> None:
        self.world = world.set(lifecycle=PERSISTENT, migrations="migrations")
        self.files: list[str] = []
        for folder in ("versions", "baseline"):
            Path("migrations", folder).mkdir(parents=True)

    def release(self, **modules: str) -> None:
        """Write modules, and a baseline with the same texts."""
        self.world.write(**modules)
        for file in self.world.files.iterdir():
            Path("migrations/baseline", file.name).write_text(file.read_text())
        self.revision("0001", "from alembic.util import CommandError; raise CommandError('the baseline')")

    def revision(self, revision: str, upgrade: str) -> None:
        """Write a revision, after the last one."""
        down = self.files[-1][9:13] if self.files else None
        text = f"from alembic import op\n\nrevision = {revision!r}\ndown_revision = {down!r}\n\ndef upgrade():\n"
        self.files.append(f"versions/{revision}_test.py")
        Path("migrations", self.files[-1]).write_text(text + indent(upgrade, "    ") + "\n")
        history = read_history("migrations")
        write_lock("migrations", file_digests("migrations", self.files), history.squashed if history else None)

    def declare_stack(self) -> None:
        """Write the files of a stack dev that has the database, as `up` leaves them."""
        target = self.world.set(stack="shop/dev").session.target
        self.world.sql("UPDATE sqlmodule.identity SET stack = 'shop/dev'")
        Path("Pulumi.yaml").write_text("name: shop\n")
        settings = (
            f"shop:databases: [x]\n  shop:lifecycle: persistent\n  shop:modules: {{directory: {self.world.files}}}"
        )
        Path("Pulumi.dev.yaml").write_text(f"config:\n  {settings}\n")
        address = {"host": target.host, "port": str(target.port), "dbname": target.database, "user": target.user}
        Path(".env.dev").write_text(f"X_MIGRATOR_DSN='{format_dsn(address | {'password': target.password})}'\n")

    def up(self) -> tuple[list[str], list[Step]]:
        """Run the revisions, then the modules, as `pulumi up` would, and stamp the database."""
        self.world.new_process()
        done = runner.migrate(self.world.session)
        steps = [self.world.apply(module) for module in self.world.modules()]
        self.stamp(self.files[-1][9:13])
        return done, steps

    def stamp(self, revision: str) -> None:
        """Stamp the database, as SchemaReady does."""
        with connect(self.world.session.target, autocommit=True) as connection:
            stamp_head(connection, OWNER, revision)

    def stamped(self) -> str | None:
        """Return the revision that the database is at."""
        with connect(self.world.session.target, autocommit=True) as connection:
            return read_stamp(connection)


@pytest.fixture
def lane(world: World) -> Lane:
    """Return a lane with one released module."""
    lane = Lane(world)
    lane.release(m01_a=TABLE)
    return lane


def test_a_fresh_database_ends_stamped_and_runs_no_revision(lane: Lane) -> None:
    """An empty database is made by the modules; a revision that would fail there is not run."""
    lane.revision("0002", 'op.execute("SELECT 1 / 0")')
    assert lane.up() == ([], [Step.APPLY])
    assert lane.stamped() == "0002"
    assert lane.up() == ([], [Step.UNCHANGED])
    assert lane.world.sql(EVENTS) == []


def test_an_existing_database_runs_what_it_lacks_and_its_modules_are_verified(lane: Lane) -> None:
    """After the revisions the module's row has the file's digests, no row is lost, and a second run does nothing."""
    lane.up()
    lane.world.sql("INSERT INTO a VALUES (1)")
    lane.world.write(m01_a=WIDER)
    lane.revision("0002", 'op.execute("ALTER TABLE a ADD COLUMN note text")')
    lane.revision("0003", "op.execute(\"UPDATE a SET note = '100 % of ' || id\")")
    plan = lane.world.plan(recorded=True)
    assert [revision.path for revision in plan.revisions] == [f"migrations/{file}" for file in lane.files[1:]]
    assert plan.revisions[0].lines == ("ALTER TABLE a ADD COLUMN note text;",)
    assert not plan.refusals
    assert lane.up() == (["0002", "0003"], [Step.VERIFY])
    assert lane.world.sql("SELECT * FROM a") == [(1, "100 % of 1")]
    assert lane.world.sql(EVENTS) == [("revision 0002", "migrate", None), ("revision 0003", "migrate", None)]
    assert lane.world.equals_scratch()
    assert lane.up() == ([], [Step.UNCHANGED])
    assert lane.world.plan(recorded=True).is_unchanged


def test_a_failing_revision_names_its_line_and_the_ones_before_it_stay(lane: Lane) -> None:
    """The error has the place in the revision's file, and the run after its repair continues with it."""
    lane.up()
    lane.world.sql("INSERT INTO a VALUES (1), (2)")
    lane.world.write(m01_a=WIDER)
    lane.revision("0002", 'op.execute("ALTER TABLE a ADD COLUMN note text")')
    lane.revision("0003", 'op.execute("UPDATE a SET note = 1")\nop.execute("SELECT 1 / (id - 2) FROM a")')
    with pytest.raises(ModuleError) as caught:
        lane.up()
    assert str(caught.value).splitlines() == [
        "migrations/versions/0003_test.py:8:5: division by zero [22012]",
        '      op.execute("SELECT 1 / (id - 2) FROM a")',
        "      ^",
        "  detail: in SELECT 1 / (id - 2) FROM a;",
    ]
    assert lane.stamped() == "0002"
    assert lane.world.sql("SELECT count(note) FROM a") == [(0,)]
    assert lane.world.sql(EVENTS) == [("revision 0002", "migrate", None), ("revision 0003", "migrate", "22012")]
    lane.files.pop()
    lane.revision("0003", 'op.execute("UPDATE a SET note = 1")')
    assert lane.up() == (["0003"], [Step.VERIFY])


def test_a_revision_that_waits_for_a_lock_gives_way_and_is_repeated(lane: Lane) -> None:
    """Others wait behind it no longer than lock_timeout; it is tried again until the lock is free, and runs once."""
    lane.up()
    lane.world.write(m01_a=WIDER)
    lane.revision("0002", 'op.execute("ALTER TABLE a ADD COLUMN note text")')
    tries: list[str] = []
    with other_session(lane.world, "LOCK TABLE a IN ACCESS SHARE MODE") as other:

        def tell(message: str) -> None:
            tries.append(message)
            if message.startswith("try 3 "):
                other.release()

        lane.world.set(lock_timeout=0.2, wait=120, tell=tell)
        assert lane.up() == (["0002"], [Step.VERIFY])
    assert [message[:6] for message in tries if message.startswith("try ")] == ["try 2 ", "try 3 "]
    assert "lock timeout" in tries[-1], tries
    events = lane.world.sql(EVENTS)
    assert events[-1] == ("revision 0002", "migrate", None)
    assert {failure for _, _, failure in events[:-1]} <= {"55P03"}


def test_a_revision_that_does_not_lead_to_the_modules_is_refused_before_it_runs(lane: Lane) -> None:
    """Revisions are tried on a scratch database first: nothing runs where they would leave a difference, or fail."""
    lane.up()
    lane.world.write(m01_a=WIDER)
    lane.revision("0002", 'op.execute("ALTER TABLE a ADD COLUMN note varchar")')
    with pytest.raises(RefusedError, match=r"column public\.a\.note is different"):
        lane.up()
    assert lane.stamped() == "0001"
    assert lane.world.sql("SELECT * FROM a") == []
    lane.files.pop()
    lane.revision("0002", 'op.execute("ALTER TABLE b ADD COLUMN note text")')
    refused = str(refusal_of(lane.world.plan(recorded=True), "database x"))
    assert 'migrations/versions/0002_test.py:7:5: relation "b" does not exist [42P01]' in refused


def test_a_statement_outside_of_the_transaction_runs_by_itself_and_is_resumed(lane: Lane) -> None:
    """An autocommit block is run statement by statement; what is done is not done again after a failure."""
    index = "CREATE INDEX a_id_idx ON a (id);\n"
    lane.up()
    lane.world.write(m01_a=TABLE + index)
    block = "with op.get_context().autocommit_block():\n"
    first = '    op.execute("CREATE INDEX CONCURRENTLY a_id_idx ON a (id)")\n'
    lane.revision("0002", f'{block}{first}    op.execute("SELECT 1 / count(*) FROM a")')
    with pytest.raises(RefusedError, match="division by zero"):
        lane.up()  # found on scratch, where the table is empty
    lane.files.pop()
    lane.revision("0002", block + first)
    assert [revision.by_statement for revision in lane.world.plan().revisions] == [True]
    assert lane.up() == (["0002"], [Step.VERIFY])
    assert lane.world.sql("SELECT count(*) FROM sqlmodule.resume") == [(0,)]


def test_what_cannot_be_shown_before_it_runs_is_refused_with_its_line(lane: Lane) -> None:
    """A revision is SQL: one that needs a connection, or ends the transaction, is refused, and nothing runs."""
    lane.up()
    lane.revision("0002", 'op.get_bind().exec_driver_sql("SELECT 1")')
    with pytest.raises(
        ModuleError, match=r"0002_test.py:7:5: upgrade cannot be written as SQL: AttributeError"
    ) as caught:
        lane.up()
    assert "hint: a revision is run as SQL" in str(caught.value)
    lane.files.pop()
    lane.revision("0002", 'op.execute("COMMIT")')
    with pytest.raises(ModuleFileError, match=r"0002_test.py:7: controls the transaction"):
        lane.up()
    lane.files.pop()
    lane.revision("0002", 'op.execute("CREATE INDEX CONCURRENTLY i ON a (id)")')
    with pytest.raises(ModuleFileError, match=r"put it into `with op.get_context\(\).autocommit_block\(\):`"):
        lane.up()


def test_a_database_from_before_the_revisions_begins_at_the_baseline(lane: Lane) -> None:
    """Without a stamp the rows of the ledger say that the database is as the baseline."""
    lane.world.up()
    assert lane.stamped() is None
    lane.world.write(m01_a=WIDER)
    lane.revision("0002", 'op.execute("ALTER TABLE a ADD COLUMN note text")')
    assert lane.up() == (["0002"], [Step.VERIFY])


def test_an_unknown_revision_is_refused_and_an_ephemeral_stack_rebuilds(lane: Lane) -> None:
    """A stamp that the history lacks is refused with both ids; where data may be lost, no revision runs."""
    lane.up()
    lane.stamp("9999")
    with pytest.raises(RefusedError, match="is at revision 9999, which migrations/ does not have; its last one is 0"):
        lane.up()
    lane.world.set(lifecycle=EPHEMERAL).write(m01_a=WIDER)
    lane.revision("0002", 'op.execute("SELECT 1 / 0")')
    assert lane.up() == ([], [Step.REBUILD])
    assert lane.stamped() == "0002"


def test_what_a_revision_sets_for_its_database_is_recorded_with_the_module(lane: Lane) -> None:
    """The module that sets it was not run, and nobody takes it back for that."""
    lane.up()
    block = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 100', current_database()); END $$"
    lane.world.write(m01_a=f"{TABLE}{block};\n")
    lane.revision("0002", f'op.execute("{block}")')
    assert lane.up() == (["0002"], [Step.VERIFY])
    recorded = (
        "SELECT o ->> 1, o ->> 2 FROM sqlmodule.ledger, jsonb_array_elements(objects) o WHERE o ->> 1 = 'work_mem'"
    )
    assert lane.world.sql(recorded) == [("work_mem", "100")]


HIDDEN = "op.execute(\"DO $$ BEGIN EXECUTE format('{}', current_database()); END $$\")"
STATIC = "privileges on the database or on schema public"
STACK_PRIVILEGES = {
    'op.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")': STATIC,
    HIDDEN.format("GRANT USAGE ON SCHEMA public TO PUBLIC"): "privileges on schema public",
    HIDDEN.format("REVOKE USAGE ON SCHEMA public FROM world_readonly"): "privileges on schema public",
    HIDDEN.format("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO world_readonly"): (
        "privileges on future tables of world_owner"
    ),
    HIDDEN.format("GRANT CONNECT ON DATABASE %I TO PUBLIC"): "the database's privileges, owner or limits",
}


@pytest.mark.parametrize(("upgrade", "place"), STACK_PRIVILEGES.items(), ids=STACK_PRIVILEGES.keys())
def test_no_revision_gives_a_privilege_two_owners(lane: Lane, upgrade: str, place: str) -> None:
    """A preview and a run refuse it, also where the text hides it, and none of the revision's statements is left."""
    lane.up()
    lane.revision("0002", f'op.execute("ALTER TABLE a ADD COLUMN note text")\n{upgrade}')
    before = [access(lane.world), lane.world.catalog()]
    refused = (
        rf"migrations/versions/0002_test\.py.* changes {place}.*, which the stack declares: each would undo the other"
    )
    if place == STATIC:  # every statement is known before anything is read
        with pytest.raises(ModuleFileError, match=refused):
            lane.world.plan(recorded=True)
    else:
        (refusal,) = lane.world.plan(recorded=True).refusals
        assert re.search(refused, str(refusal)), refusal
    with pytest.raises(InfraError, match=refused):
        lane.up()
    assert [access(lane.world), lane.world.catalog()] == before


def access(world: World) -> list[Any]:
    """Return the database's and schema public's privileges, and the default ones."""
    return world.sql(
        "SELECT d.datacl::text, n.nspacl::text, ARRAY(SELECT a.defaclacl::text FROM pg_default_acl a)"
        " FROM pg_database d, pg_namespace n WHERE d.datname = current_database() AND n.nspname = 'public'"
    )


def test_two_runs_at_once_run_each_revision_once(lane: Lane) -> None:
    """The database's lock orders runs: the second finds nothing to do."""
    lane.up()
    lane.world.write(m01_a=WIDER)
    lane.revision("0002", 'op.execute("ALTER TABLE a ADD COLUMN note text")\nop.execute("SELECT pg_sleep(0.3)")')
    lane.world.new_process()
    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(runner.migrate, lane.world.session) for _ in range(2)]
    assert sorted(future.result() for future in done) == [[], ["0002"]]


def test_other_roles_cannot_change_the_stamp(lane: Lane) -> None:
    """The table belongs to the owner alone, whatever default privileges the owner has."""
    lane.world.sql(f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT ALL ON TABLES TO {READER}", owner=False)
    lane.up()
    assert lane.world.sql(f"SELECT has_table_privilege('{READER}', 'sqlmodule.alembic_version', 'select')") == [
        (False,)
    ]


def test_the_status_names_pending_revisions(lane: Lane) -> None:
    """What `up` would do begins with the revision and its SQL."""
    lane.up()
    lane.revision("0002", "op.execute('ALTER TABLE a ADD note text')")
    lane.declare_stack()
    text = "\n".join(stack_status(Path(), "dev"))
    assert "migrate to 0002, by migrations/versions/0002_test.py:\n    ALTER TABLE a ADD note text" in text

"""A deadlock with another session: if PostgreSQL rolls the module's transaction back, the module runs again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

WAITING_LOCKS = "SELECT count(*) FROM pg_locks WHERE relation = 'a'::regclass AND NOT granted"
SECONDS = 10


def test_a_module_that_lost_a_deadlock_is_run_again(world: World) -> None:
    """Two sessions wait for each other's table; the module is rolled back, and is applied when the tables are free."""
    world.write(m01_ab="CREATE TABLE a (id integer);\nCREATE TABLE b (id integer);\n")
    world.up()
    world.write(m02_both="LOCK TABLE b;\nALTER TABLE a ADD name text;\n")
    admin = world.set(lock_timeout=5, wait=10).session.admin
    with psycopg.connect(host=admin.host, port=admin.port, dbname=admin.database, user="postgres") as other:
        other.execute("SET deadlock_timeout = '10s'")
        other.execute("LOCK TABLE a")
        applying = threading.Thread(target=world.up)
        applying.start()
        deadline = time.monotonic() + SECONDS
        while other.execute(WAITING_LOCKS).fetchone() == (0,) and time.monotonic() < deadline:
            time.sleep(0.01)
        other.execute("LOCK TABLE b")  # a deadlock, which the module's backend detects after a second
        other.rollback()
        applying.join()
    assert any("deadlock detected [40P01]" in message for message in world.messages), world.messages
    assert world.ledger() == {"01-ab": "applied", "02-both": "applied"}

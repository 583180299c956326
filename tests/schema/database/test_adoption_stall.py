"""How long a writer waits at most while a database is brought over, on demand: STALL=1000000 is the number of accounts.

The figure depends on the machine, so no run of all tests asserts it; docs/performance.md has one.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Manager, get_context
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.modules.decision import Step
from infra.postgres.connection.connect import connect
from tests.schema.database.kinds import up

if TYPE_CHECKING:
    from threading import Event

    from infra.postgres.connection.target import Target
    from tests.schema.database.kinds import Make

ROWS = int(os.environ.get("STALL", "0"))
pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(
        not ROWS, reason="measures for minutes; STALL=1000000 .venv/bin/python -m pytest -s " + __file__
    ),
]
LONGEST_SECONDS = 0.2
CHECKED = 100
"""After how many writes the writer looks whether it may end."""
FILL = f"""
INSERT INTO users (id, email, full_name, created_at, is_active)
SELECT 'id-' || g, 'person-' || g || '@example.com', repeat('x', 100), now(), true FROM generate_series(1, {ROWS}) AS g;
"""
WRITE = "UPDATE {} SET full_name = %s WHERE id = %s"


def write_until(done: Event, admin: Target) -> tuple[int, float]:
    """Write row after row, under the table's name of the moment; return how many, and the longest time of one."""
    number, longest, table = 0, 0.0, "users"
    with connect(admin, autocommit=True) as connection:
        connection.execute("SET search_path = public")
        while number % CHECKED or not done.is_set():  # asking takes as long as a write
            number += 1
            begun = time.perf_counter()
            try:
                connection.execute(WRITE.format(table).encode(), (f"name {number}", f"id-{number * 7919 % ROWS + 1}"))
            except psycopg.errors.UndefinedTable:
                table = "userbase"
            longest = max(longest, time.perf_counter() - begun)
    return number, longest


def test_a_writer_never_waits_longer_than_a_fifth_of_a_second(make: Make) -> None:
    """The old schema with as many accounts is brought over while a writer, another process, updates one by one."""
    world = make("schema_sql").set(statement_timeout=3600)
    world.sql(FILL, owner=False)
    world.sql("VACUUM ANALYZE users", owner=False)
    assert not world.plan(recorded=True).refusals
    admin = world.session.admin
    with Manager() as manager, ProcessPoolExecutor(1, get_context("spawn")) as processes:
        done = manager.Event()
        before = processes.submit(write_until, done, admin)
        time.sleep(3)
        done.set()
        alone = before.result()
        done.clear()
        meanwhile = processes.submit(write_until, done, admin)
        begun = time.perf_counter()
        try:
            assert up(world)[1] == {Step.ADOPT}
        finally:
            done.set()
        seconds = time.perf_counter() - begun
        number, longest = meanwhile.result()
    print(
        f"{ROWS} accounts brought over in {seconds:.1f} s; of {number} writes the longest took {longest * 1000:.0f} ms"
        f" ({alone[1] * 1000:.0f} ms of {alone[0]} before)"
    )
    assert longest < LONGEST_SECONDS

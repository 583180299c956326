"""Fresh databases of one server, as the stack declares them, and the modules brought there by psql or by the runner."""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

from bench.rounds import Cost
from infra.modules.decision import Digests, Lifecycle
from infra.modules.digests import text_digest
from infra.modules.module import load_modules
from infra.modules.statements import statements_digest
from infra.postgres.apply import runner
from infra.postgres.connection import pool
from infra.postgres.connection.session import Session
from infra.postgres.connection.target import connect
from infra.postgres.privileges import restrict

if TYPE_CHECKING:
    from collections.abc import Generator

    from bench.checkout import Ways
    from infra.modules.module import Module

TEMPLATE, FRESH = "bench_template", "bench_fresh_{}"
EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY oid"


class Databases:
    """Fresh databases, copied from one that has the extensions and privileges of a declared one."""

    def __init__(self, ways: Ways, directory: Path, psql: str) -> None:
        self.ways = ways
        self.directory = directory
        self.psql = psql
        self._numbers = itertools.count(1)
        self.modules = load_modules(directory)
        self.digests = {one.name: Digests(text_digest(one.text), statements_digest(one.text)) for one in self.modules}
        with connect(ways.admin, autocommit=True) as connection:
            extensions = [str(row[0]) for row in connection.execute(EXTENSIONS)]
        owner = sql.Identifier(ways.owner)
        self._administer(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        self._administer(f"CREATE DATABASE {TEMPLATE} OWNER {owner.as_string()}")
        restrict(ways.admin.on(TEMPLATE), owner=ways.owner, readers=[ways.migrator.user])
        with connect(ways.admin.on(TEMPLATE), autocommit=True) as connection:
            for extension in extensions:
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))

    def _administer(self, statement: str) -> None:
        with connect(self.ways.admin.on("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def fresh(self) -> Generator[Session]:
        """Give a session for a new database, which stays: for a minute ext4 steps over each inode that was freed.

        Creating the files of 1,000 tables takes three times as long after a database of that size was dropped.
        """
        owner = sql.Identifier(self.ways.owner).as_string()
        fresh = FRESH.format(next(self._numbers))
        self._administer(f"CREATE DATABASE {fresh} TEMPLATE {TEMPLATE} OWNER {owner} STRATEGY file_copy")
        self._administer("CHECKPOINT")
        try:
            yield Session(
                target=self.ways.migrator.on(fresh),
                admin=self.ways.admin.on(fresh),
                owner=self.ways.owner,
                stack="bench",
                lifecycle=Lifecycle.EPHEMERAL,
                directory=str(self.directory),
            )
        finally:
            pool.close_all(fresh)

    def by_psql(self) -> Cost:
        """Let psql apply the modules in one session and one transaction: the floor."""
        with self.fresh() as session:
            target = session.target
            environment = {
                **os.environ,
                "PGHOST": target.host,
                "PGPORT": str(target.port),
                "PGDATABASE": target.database,
                "PGUSER": target.user,
                "PGPASSWORD": target.password,
                "PGOPTIONS": f"-c role={session.owner} -c search_path=public -c client_min_messages=warning",
            }
            files = [f"-f{self.directory / Path(module.path).name}" for module in self.modules]
            started = time.perf_counter()
            subprocess.run(
                [self.psql, "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", *files],
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            return Cost(time.perf_counter() - started)

    def by_runner(self) -> tuple[Cost, Cost]:
        """Let the provider's runner apply them, connections included; give the whole, and the statements' part."""
        with self.fresh() as session:
            runner.forget_empty_databases()  # what it knows of the database of that name: this one is new
            started = time.perf_counter()
            statements = sum(self._applied(session, module) for module in self.modules)
            return Cost(time.perf_counter() - started), Cost(statements)

    def _applied(self, session: Session, module: Module) -> float:
        return runner.apply(session, module, self.digests[module.name]).milliseconds / 1000

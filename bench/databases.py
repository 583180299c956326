"""Fresh databases of one server, as the stack declares them, in which psql or the runner applies the modules."""

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
from infra.postgres.apply.plan_cache import cache
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.session import Session
from infra.postgres.extensions import create_extensions
from infra.postgres.introspection import effects, reader
from infra.postgres.ledger import identity
from infra.postgres.privileges import restrict

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from bench.checkout import DatabaseAccess
    from infra.modules.module import Module

TEMPLATE, FRESH = "bench_template", "bench_fresh_{}"
EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY oid"


QUESTIONS = """
SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
PREPARE changed AS
SELECT coalesce(array_agg(c.oid) FILTER (WHERE c.kind = 'relation'), '{{}}') AS oids FROM ({changed}) AS c (kind, oid);
PREPARE read_changed (oid[]) AS
{read};
{ledger};
"""
EACH = """
BEGIN;
\\i {file}
EXECUTE changed \\gset
\\o /dev/null
EXECUTE read_changed(:'oids');
\\o
INSERT INTO sqlmodule.event (module, step, statements_digest, stack, duration) VALUES ('{name}', '', '', '', '0');
INSERT INTO sqlmodule.ledger (module, text_digest, statements_digest, outcome, stack, duration, objects)
VALUES ('{name}', '', '', 'applied', '', '0', '[]');
COMMIT;
"""


def _questions(files: Sequence[Path]) -> str:
    """Return a script for psql that applies modules, and asks and writes in the transaction of each."""
    read = reader.catalog_query(reader.RELATIONS, narrow=True, names=reader.COMBINED)
    values = {"%(hidden)s": "'{information_schema,sqlmodule}'", "%(oids)s": "$1", "%%": "%"}
    for name, value in values.items():
        read = read.replace(name, value)
    folders = [Path(module.__file__ or "").parent for module in (effects, identity)]
    changed, ledger = (folder / name for folder, name in zip(folders, ("changed_oids.sql", "ledger.sql"), strict=True))
    first = QUESTIONS.format(changed=changed.read_text(), read=read, ledger=ledger.read_text())
    return first + "".join(EACH.format(file=file, name=file.stem) for file in files)


class Databases:
    """Fresh databases, copied from a template with the extensions and privileges of a declared database."""

    def __init__(self, access: DatabaseAccess, directory: Path, psql: str) -> None:
        self.access = access
        self.directory = directory
        self.psql = psql
        self._numbers = itertools.count(1)
        self.modules = load_modules(directory)
        self.digests = {
            module.name: Digests(text_digest(module.text), statements_digest(module.text)) for module in self.modules
        }
        with connect(access.admin, autocommit=True) as connection:
            extensions = [str(row[0]) for row in connection.execute(EXTENSIONS)]
        owner = sql.Identifier(access.owner)
        self._execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        self._execute(f"CREATE DATABASE {TEMPLATE} OWNER {owner.as_string()}")
        restrict(access.admin.on(TEMPLATE), owner=access.owner, readers=[access.migrator.user])
        with connect(access.admin.on(TEMPLATE), autocommit=True) as connection:
            create_extensions(connection, extensions)

    def _execute(self, statement: str) -> None:
        with connect(self.access.admin.on("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def fresh(self) -> Generator[Session]:
        """Yield a session for a new database, which is not dropped afterwards.

        ext4 does not use an inode again for a minute after it was freed, and steps over each of them: creating the
        files of 1,000 tables takes three times as long after a database of that size was dropped.
        """
        owner = sql.Identifier(self.access.owner).as_string()
        fresh = FRESH.format(next(self._numbers))
        self._execute(f"CREATE DATABASE {fresh} TEMPLATE {TEMPLATE} OWNER {owner} STRATEGY file_copy")
        self._execute("CHECKPOINT")
        try:
            yield Session(
                target=self.access.migrator.on(fresh),
                admin=self.access.admin.on(fresh),
                owner=self.access.owner,
                stack="bench",
                lifecycle=Lifecycle.EPHEMERAL,
                directory=str(self.directory),
            )
        finally:
            pool.close_all(fresh)

    def by_psql(self, *, transaction_each: bool = False) -> Cost:
        """Apply the modules with psql in one session, and return the cost: the least possible."""
        with self.fresh() as session:
            started = time.perf_counter()
            self.run_psql(session, transaction_each=transaction_each)
            return Cost(time.perf_counter() - started)

    def run_psql(self, session: Session, *, transaction_each: bool = False) -> None:
        """Apply the modules with psql in one session, and in one transaction or, as `up` does, one for each module."""
        files = [f"-f{path}" for path in sorted(self.directory.glob("*.sql"))]
        if transaction_each:
            self._run(session, [argument for file in files for argument in ("-cBEGIN", file, "-cCOMMIT")])
        else:
            self._run(session, ["-1", *files])

    def _run(self, session: Session, arguments: Sequence[str]) -> None:
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
        subprocess.run(
            [self.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def by_psql_with_questions(self) -> Cost:
        """Apply the modules with psql, and ask in each transaction what it changed and write a row, as `up` does.

        It has nothing of what else `up` does: no lock, no look at what was there before, no second session.
        """
        with self.fresh() as session:
            script = Path(self.directory).with_name("questions.psql")
            script.write_text(_questions(sorted(self.directory.glob("*.sql"))))
            started = time.perf_counter()
            self._run(session, [f"-f{script}"])
            return Cost(time.perf_counter() - started)

    def by_runner(self) -> tuple[Cost, Cost]:
        """Apply the modules with the provider's runner; return its cost with connections, and of the statements."""
        with self.fresh() as session:
            cache.clear()  # it is by name, and this database is new
            started = time.perf_counter()
            statements = sum(self._apply(session, module) for module in self.modules)
            return Cost(time.perf_counter() - started), Cost(statements)

    def _apply(self, session: Session, module: Module) -> float:
        return runner.apply(session, module).milliseconds / 1000

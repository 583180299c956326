"""What `alembic` typed by hand runs on: a database of a stack, under the same lock and role as `make up`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from infra.check import stack_files
from infra.errors import InfraError
from infra.generate.ddl_compiler import use_stable_compilers
from infra.migrations.history import read_history
from infra.postgres.connection import pool
from infra.postgres.connection.advisory_lock import advisory_lock
from infra.postgres.connection.connect import connect
from infra.postgres.ledger.stamp import read_stamp
from infra.server.dsn import parse_dsn

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    import sqlalchemy

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

LOCK_SECONDS = 10
AS_OWNER = (
    "SELECT set_config('role', pg_get_userbyid(datdba), false) FROM pg_database WHERE datname = current_database()",
    "SET search_path = public",
)
"""What a session runs first, so that objects belong to the database's owner, and are found where modules make them."""


def target_of_arguments(arguments: Mapping[str, str], root: Path) -> Target:
    """Return the database that `-x` names: `dsn=…`, or `stack=…` and `database=…`, by default the first one of dev.

    Raises InfraError where there is no such database.
    """
    if "dsn" in arguments:
        return parse_dsn(arguments["dsn"])
    stack = arguments.get("stack", "dev")
    targets = {target.database: target for target in stack_files.targets(root, stack, "migrator")}
    name = arguments.get("database") or next(iter(targets))
    if name not in targets:
        raise InfraError(f"there is no database {name}; the stack has {', '.join(targets)}", place=f"stack {stack}")
    return targets[name]


def refuse_squashed(revision: str | None, directory: str) -> None:
    """Raise InfraError for a revision that the baseline has replaced: nothing leads back there."""
    history = read_history(directory)
    if history and revision in history.squashed:
        raise InfraError(
            f"is older than the baseline {history.revisions[0].revision}, which has replaced it; nothing was changed",
            place=f"revision {revision}",
        )


@contextmanager
def locked_connection_of(target: Target, directory: str) -> Generator[sqlalchemy.Connection]:
    """Yield a connection of SQLAlchemy as the database's owner, while the database's lock is held.

    Raises RefusedError for a database that is older than the baseline of the revisions in `directory`, unless that
    is ''.
    """

    def creator() -> object:
        connection = connect(target)
        for statement in AS_OWNER:
            connection.execute(statement)
        connection.commit()
        return connection

    engine = create_engine("postgresql+psycopg://", creator=creator, poolclass=NullPool)
    use_stable_compilers(engine.dialect)
    with (
        pool.connection(target) as holder,
        advisory_lock(holder, seconds=LOCK_SECONDS, admin=target),
        engine.connect() as connection,
    ):
        _refuse_older(holder, directory, f"database {target.database}")
        yield connection


def _refuse_older(connection: Connection, directory: str, place: str) -> None:
    history = read_history(directory)
    stamp = read_stamp(connection)
    if history and stamp in history.squashed:
        history.after(stamp, place)

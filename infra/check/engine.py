"""An SQLAlchemy engine on a database, for what SQLAlchemy and Alembic do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from infra.generate.ddl_compiler import use_stable_compilers
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from infra.postgres.connection.scratch_target import ScratchTarget


def engine_on(scratch: ScratchTarget) -> Engine:
    """Return an SQLAlchemy engine whose connections have the role of the owner, and `public` as their schema."""

    def creator() -> object:
        connection = connect(scratch.target)
        connection.execute(sql.SQL("SET ROLE {}; SET search_path = public").format(sql.Identifier(scratch.owner)))
        connection.commit()
        return connection

    engine = create_engine("postgresql+psycopg://", creator=creator, poolclass=NullPool)
    use_stable_compilers(engine.dialect)
    return engine

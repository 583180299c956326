"""The catalog of the models: SQLAlchemy creates their tables on a scratch database of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from infra.errors import InfraError
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection.connect import connect
from infra.postgres.introspection.reader import read_catalog

if TYPE_CHECKING:
    from sqlalchemy import Engine, MetaData

    from infra.catalog.catalog import Catalog
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.server.scratch.scratch_server import ScratchServer


class ModelsError(InfraError):
    """Models that SQLAlchemy or PostgreSQL refuses to create."""


def catalog_of_models(server: ScratchServer, metadata: MetaData, extensions: list[str]) -> Catalog:
    """Create the tables of the models on a scratch database and return its catalog; raises ModelsError.

    Models cannot declare extensions, so the database gets those of the modules.
    """
    with server.database(extensions) as scratch:
        engine = engine_on(scratch)
        try:
            with engine.begin() as connection:
                for schema in sorted({table.schema for table in metadata.tables.values() if table.schema}):
                    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {_quoted(engine, schema)}")
                metadata.create_all(connection)
        except SQLAlchemyError as error:
            message = str(getattr(error, "orig", None) or error).split("\n")[0]
            raise ModelsError(
                f"the models cannot be created: {message}", place="models", remedy="correct the models"
            ) from None
        with connect(scratch.target, autocommit=True) as connection:
            return catalog_with_real_names(scratch, read_catalog(connection))


def engine_on(scratch: ScratchTarget) -> Engine:
    """Return an SQLAlchemy engine whose connections have the role of the owner."""

    def creator() -> object:
        connection = connect(scratch.target)
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(scratch.owner)))
        connection.commit()
        return connection

    return create_engine("postgresql+psycopg://", creator=creator, poolclass=NullPool)


def _quoted(engine: Engine, name: str) -> str:
    return engine.dialect.identifier_preparer.quote_identifier(name)

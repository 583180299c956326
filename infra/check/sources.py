"""Where a schema comes from beside the modules: the models, each source built on a scratch database of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from infra.errors import InfraError
from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection.target import connect
from infra.postgres.introspection.reader import read_catalog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy import Engine, MetaData

    from infra.catalog.catalog import Catalog, ObjectId
    from infra.postgres.connection.target import Target

STATEMENT_SECONDS = 300.0
"""How long a module may run on a scratch database."""


class ModelsError(InfraError):
    """The models are not taken by SQLAlchemy or PostgreSQL."""


@dataclass(frozen=True)
class ScratchServer:
    """Where scratch databases are made: a superuser's or CREATEDB's way in, who owns them, and which psql there is."""

    admin: Target
    owner: str
    psql: Path | None
    major: int = 0  # of the private server


@dataclass(frozen=True)
class Built:
    """What the modules made: the catalog, and for each object the module that wrote it last."""

    catalog: Catalog
    writers: Mapping[ObjectId, str] = field(default_factory=dict["ObjectId", str])


def build_models(ground: ScratchServer, metadata: MetaData, extensions: list[str]) -> Catalog:
    """Build what the models say on a scratch database; raises ModelsError where they cannot be built.

    The models cannot say which extensions they need, so that they get those of the modules.
    """
    with scratch_database(ground.admin, owner=ground.owner, extensions=extensions) as scratch:
        engine = engine_on(scratch, ground.owner)
        try:
            with engine.begin() as connection:
                for schema in sorted({table.schema for table in metadata.tables.values() if table.schema}):
                    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {_quoted(engine, schema)}")
                metadata.create_all(connection)
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or error).split("\n")[0]
            raise ModelsError(f"the models cannot be built: {said}", place="models", remedy="mend them") from None
        with connect(scratch, autocommit=True) as connection:
            return read_catalog(connection)


def engine_on(target: Target, owner: str) -> Engine:
    """Give an engine whose connections are the owner's."""

    def creator() -> object:
        connection = connect(target)
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(owner)))
        connection.commit()
        return connection

    return create_engine("postgresql+psycopg://", creator=creator, poolclass=NullPool)


def _quoted(engine: Engine, name: str) -> str:
    return engine.dialect.identifier_preparer.quote_identifier(name)

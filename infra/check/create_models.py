"""The catalog of the models: SQLAlchemy creates them on a scratch database of their own, among hand-written modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from infra.catalog.catalog import Catalog
from infra.check import alembic_comparison
from infra.check.alembic_comparison import AlembicError, Operation
from infra.check.engine import engine_on
from infra.errors import InfraError, ModuleError
from infra.generate.schema_text import schema_text
from infra.postgres.apply.module_effects import run_on_scratch
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.introspection.reader import read_catalog
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from infra.generate.imported_models import ImportedModels
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection as PooledConnection
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.server.scratch.scratch_server import ScratchServer


class ModelsError(InfraError):
    """Models that SQLAlchemy or PostgreSQL refuses to create."""


@dataclass(frozen=True)
class CreatedModels:
    """The catalog of the models, and what Alembic would change in it: [] where it understands them.

    `failure` is the reason why Alembic cannot compare them, if it cannot.
    """

    catalog: Catalog
    operations: Sequence[Operation] = ()
    failure: str = ""


def create_models(
    server: ScratchServer,
    models: ImportedModels,
    extensions: list[str],
    *,
    before: Sequence[Module] = (),
    after: Sequence[Module] = (),
) -> CreatedModels:
    """Create the models on a scratch database, between hand-written modules, and return what is there then.

    Models cannot declare extensions, so the database gets those of the modules. Raises ModelsError.
    """
    # A session keeps the lock of the modules that it ran, so that all of them run in one session.
    with server.database(extensions) as scratch, pool.connection(scratch.target) as session:
        _run(session, scratch, before)
        try:
            with engine_on(scratch).begin() as connection:
                _create_all(connection, models)
        except SQLAlchemyError as error:
            message = str(getattr(error, "orig", None) or error).split("\n")[0]
            raise ModelsError(
                f"the models cannot be created: {message}", place=", ".join(models.names), remedy="correct the models"
            ) from None
        catalog = _read(scratch)
        if after:
            _run(session, scratch, after)
            catalog = Catalog({**catalog.objects, **_read(scratch).objects})  # what these modules drop is missed
        if not alembic_comparison.is_installed():
            return CreatedModels(catalog)
        try:
            return CreatedModels(catalog, alembic_comparison.operations(scratch, models.metadata))
        except AlembicError as error:
            return CreatedModels(catalog, failure=error.what)


def _read(scratch: ScratchTarget) -> Catalog:
    with connect(scratch.target, autocommit=True) as connection:
        return catalog_with_real_names(scratch, read_catalog(connection))


def _create_all(connection: Connection, models: ImportedModels) -> None:
    created = models.tables()
    preparer = connection.dialect.identifier_preparer
    for schema in schema_text(models).schemas():
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {preparer.quote_identifier(schema)}")
    for metadata in models.metadata:
        metadata.create_all(connection, tables=[table for table in metadata.tables.values() if table in created])


def _run(session: PooledConnection, scratch: ScratchTarget, modules: Sequence[Module]) -> None:
    for module in modules:
        try:
            run_on_scratch(session, scratch, module, seconds=MODULE_SECONDS)
        except ModuleError as error:
            raise ModelsError(
                f"{module.path} does not run on what the models create: {error.what}",
                place=error.place,
                remedy="correct the findings about the generated modules first, then the statement",
            ) from None

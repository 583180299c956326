"""A listener that asks the database something before it creates what it is for."""

from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, Table, event, text

metadata = MetaData()
Table("fine", metadata, Column("a", Integer))


@event.listens_for(metadata, "after_create")
def create_view(_metadata: MetaData, connection: Connection, **_options: Any) -> None:
    if not connection.execute(text("SELECT to_regclass('seen')")).scalar():
        connection.execute(text("CREATE VIEW seen AS SELECT a FROM fine"))

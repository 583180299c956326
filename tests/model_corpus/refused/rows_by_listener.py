"""A listener that inserts rows by parameters."""

from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, Table, event

metadata = MetaData()
table = Table("numbers", metadata, Column("a", Integer))


@event.listens_for(table, "after_create")
def insert_rows(_table: Table, connection: Connection, **_options: Any) -> None:
    connection.execute(table.insert(), [{"a": 1}])

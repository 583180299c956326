"""Models that only PostgreSQL refuses: the key's column is not unique, and the index names no operator class."""

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table

metadata = MetaData()

Table("named", metadata, Column("id", Integer, primary_key=True), Column("name", String))
Table(
    "indexed",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String),
    Index("by_name", "name", postgresql_using="gin"),
)
Table("referring", metadata, Column("name", String, ForeignKey("named.name")))

"""A table with object identifiers for its rows, which PostgreSQL has had no more since version 12."""

from sqlalchemy import Column, Integer, MetaData, Table

metadata = MetaData()
Table("numbered", metadata, Column("a", Integer), postgresql_with_oids=True)

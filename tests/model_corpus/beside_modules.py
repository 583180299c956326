"""A table in a schema of an earlier module, an index that uses its function, and a view of a later module."""

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, text

metadata = MetaData(schema="shop")

Table("people", metadata, Column("id", Integer), Column("name", String), Index("by_start", text("shop.short(name)")))
Table("active", metadata, Column("id", Integer, primary_key=True))

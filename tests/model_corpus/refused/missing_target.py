"""A foreign key to a table that no model declares."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

metadata = MetaData()
Table("orders", metadata, Column("id", Integer, primary_key=True))
Table("lines", metadata, Column("order_id", ForeignKey("orderz.id")))

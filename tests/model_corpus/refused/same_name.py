"""Two metadata with a table of one name."""

from sqlalchemy import Column, Integer, MetaData, Table

first, second = MetaData(), MetaData(schema="public")
Table("users", first, Column("id", Integer))
Table("users", second, Column("id", Integer))

"""A type that PostgreSQL does not have."""

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects.mysql import SET

metadata = MetaData()
Table("sets", metadata, Column("a", SET("x", "y")))

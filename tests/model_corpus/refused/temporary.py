"""A temporary table, which ends with the session that creates it."""

from sqlalchemy import Column, Integer, MetaData, Table

metadata = MetaData()
Table("scratch", metadata, Column("a", Integer), prefixes=["TEMPORARY"])

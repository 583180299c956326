"""A name that PostgreSQL would cut."""

from sqlalchemy import Column, Integer, MetaData, Table

metadata = MetaData()
Table("fine", metadata, Column("ä" * 32, Integer))

"""Two sequences of one name that begin elsewhere."""

from sqlalchemy import Column, Integer, MetaData, Sequence, Table

metadata = MetaData()
Table("one_table", metadata, Column("a", Integer, Sequence("numbers", start=1)))
Table("other_table", metadata, Column("a", Integer, Sequence("numbers", start=100)))
